"""Certificates that an authority of ours would never give out, and connections to try them on."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from octavia.host import pki
from octavia.host.pki import Authority


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def request(name: str, key: ec.EllipticCurvePrivateKey | None = None) -> str:
    """A certificate request for this name, as an amphora makes it."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(pki.named(name))
    made = builder.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode()


def credentials(
    authority: Authority, name: str, folder: Path, *, server: bool, age: timedelta = timedelta(0)
) -> tuple[Path, Path]:
    """Certificate and key of this name, for one day, which began so long ago."""
    folder.mkdir(exist_ok=True)
    key, begin = ec.generate_private_key(ec.SECP256R1()), now() - age
    made = authority._signed(key.public_key(), name, begin, begin + timedelta(days=1), server=server)
    (folder / "key.pem").write_bytes(pki.key_pem(key))
    (folder / "certificate.pem").write_text(pki.pem(made))
    return folder / "certificate.pem", folder / "key.pem"


@contextmanager
def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str | None) -> Iterator[tuple[ssl.SSLSocket, ...]]:
    """Both ends, server's first, of a connection whose handshake is done. Raises what the client's end raises."""
    ends = socket.socketpair()
    for end in ends:
        end.settimeout(5)
    found: list[ssl.SSLSocket] = []

    def serve() -> None:
        try:
            found.append(server.wrap_socket(ends[0], server_side=True))
        except OSError:
            ends[0].close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ends[1], server_hostname=name) as near:
            thread.join()
            if not found:
                near.recv(1)
            with found[0] as far:
                yield far, near
    finally:
        thread.join()
        for end in ends:
            end.close()
