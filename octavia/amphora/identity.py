"""Who this amphora is: a key that never leaves it, a request for a certificate, and the certificate that was signed."""

import hashlib
import hmac
import os
import ssl
import subprocess
from pathlib import Path

from octavia.domain.document import Seed
from octavia.host import tls

KEY = Path("agent.key")
REQUEST = Path("agent.csr")
SELF_SIGNED = Path("self.pem")
SIGNED = Path("agent.pem")
DAYS = "3650"


class Identity:
    """The files in the current folder. Made with openssl, so that the agent needs no library that can."""

    def __init__(self, seed: Seed) -> None:
        self._seed = seed
        if not KEY.exists() or not REQUEST.exists() or not SELF_SIGNED.exists():
            self._make()
        self.certificate_request = REQUEST.read_text()
        self.certificate_proof = hmac.new(
            seed.boot_secret.encode(), self.certificate_request.encode(), hashlib.sha256
        ).hexdigest()

    def context(self) -> ssl.SSLContext:
        """What the server shows now: the signed certificate if there is one."""
        shown = SIGNED if SIGNED.exists() else SELF_SIGNED
        return tls.server_context(shown, KEY, self._seed.certificate_authority)

    def accept(self, pem: str) -> ssl.SSLContext:
        """The certificate is kept and shown from now on. Raises ssl.SSLError if it does not fit the key."""
        fresh = SIGNED.with_name("agent.pem.new")
        write(fresh, pem.encode())
        context = tls.server_context(fresh, KEY, self._seed.certificate_authority)
        fresh.replace(SIGNED)
        return context

    def _make(self) -> None:
        name = f"/CN={self._seed.amphora_id}"
        os.umask(0o077)
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(KEY)]
        openssl("req", "-new", *curve, "-subj", name, "-out", str(REQUEST))
        openssl("req", "-x509", "-key", str(KEY), "-subj", name, "-days", DAYS, "-out", str(SELF_SIGNED))


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


def write(path: Path, content: bytes) -> None:
    """The file is there, whole, on disk, for its owner alone."""
    fresh = path.with_name(path.name + ".part")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
