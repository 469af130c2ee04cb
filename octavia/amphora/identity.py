"""Who this amphora is: a key that never leaves it, a request for a certificate, and the certificate that was signed."""

import hashlib
import hmac
import logging
import ssl
import subprocess
from pathlib import Path

from octavia.domain.document import Seed
from octavia.host import tls
from octavia.host.files import write

LOG = logging.getLogger(__name__)
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
            make(seed.amphora_id)
        self.certificate_request = REQUEST.read_text()
        self.certificate_proof = proof(seed.boot_secret, self.certificate_request)

    def context(self) -> ssl.SSLContext:
        """What the server shows now: the signed certificate if there is one that fits."""
        if SIGNED.exists():
            try:
                return tls.server_context(SIGNED, KEY, self._seed.certificate_authority)
            except ssl.SSLError as error:
                LOG.error("the signed certificate is of no use: %s", error)
        return tls.server_context(SELF_SIGNED, KEY, self._seed.certificate_authority)

    def accept(self, pem: str) -> ssl.SSLContext:
        """The certificate is kept and shown from now on. Raises OSError (of which ssl.SSLError is one) if it does not
        fit the key, or no controller would believe it: with such a one we could not be spoken to any more."""
        fresh, authority = SIGNED.with_name("agent.pem.new"), Path("ca.pem")
        write(fresh, pem.encode())
        context = tls.server_context(fresh, KEY, self._seed.certificate_authority)
        write(authority, self._seed.certificate_authority.encode(), durable=False)
        name = ("-verify_hostname", self._seed.amphora_id)
        openssl("verify", "-CAfile", authority, "-purpose", "sslserver", *name, fresh)
        fresh.replace(SIGNED)
        return context


def proof(secret: str, request: str) -> str:
    """What only who was handed the secret can say of this request."""
    return hmac.new(secret.encode(), request.encode(), hashlib.sha256).hexdigest()


def make(amphora_id: str) -> None:
    """Key, self-signed certificate and request are there; all or none, whenever we are interrupted."""
    name = f"/CN={amphora_id}"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    fresh = {path: path.with_name(path.name + ".new") for path in (KEY, SELF_SIGNED, REQUEST)}
    openssl("req", "-x509", *curve, "-keyout", fresh[KEY], "-subj", name, "-days", DAYS, "-out", fresh[SELF_SIGNED])
    openssl("req", "-new", "-key", fresh[KEY], "-subj", name, "-out", fresh[REQUEST])
    REQUEST.unlink(missing_ok=True)
    for path, made in fresh.items():
        write(path, made.read_bytes())
        made.unlink()


def openssl(*arguments: str | Path) -> None:
    """Raises OSError with what openssl says."""
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise OSError(f"openssl {arguments[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
