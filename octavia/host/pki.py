"""The certificate authority of a deployment: made at first start, kept for its owner alone."""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octavia.host.tls import CONTROLLER

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_DAYS = 3650
CONTROLLER_DAYS = 365
AMPHORA_DAYS = 30
RENEW_DAYS = 30
"""A controller's certificate that ends within so many days is made anew at the next start."""
SKEW = timedelta(minutes=5)
"""Clocks may differ by so much."""


class BadRequest(Exception):
    """A certificate request that is not to be signed, and why."""


class Authority:
    """Signs amphorae and controllers. Its key is in one file and in this process's memory, nowhere else."""

    def __init__(self, folder: Path, key: "EllipticCurvePrivateKey", certificate: "x509.Certificate") -> None:
        self._folder = folder
        self._key = key
        self._certificate = certificate
        self.certificate_authority = pem(certificate)

    @classmethod
    def ensure(cls, folder: Path) -> "Authority":
        """The authority in this folder, made when there is none; the same one for all who start at once.

        Raises OSError.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        key = load_key(folder / "ca.key")
        path = folder / "ca.pem"
        if not path.exists():
            create(path, pem(own_certificate(key)).encode())
        from cryptography import x509

        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        if certificate.public_key() != key.public_key():
            raise OSError(f"{path} is not the certificate of the key beside it.")
        return cls(folder, key, certificate)

    def sign(self, request: str, amphora_id: str, now: datetime) -> tuple[str, datetime]:
        """A certificate for this amphora's agent, and when it ends. Raises BadRequest."""
        end = now + timedelta(days=AMPHORA_DAYS)
        return pem(self._signed(requested_key(request, amphora_id), amphora_id, now, end, server=True)), end

    def controller_credentials(self) -> tuple[Path, Path]:
        """Certificate and key with which a controller speaks to agents."""
        key, path = load_key(self._folder / "controller.key"), self._folder / "controller.pem"
        now = datetime.now(UTC).replace(tzinfo=None)
        if not path.exists() or not self._serves(path, key, now):
            end = now + timedelta(days=CONTROLLER_DAYS)
            replace(path, pem(self._signed(key.public_key(), CONTROLLER, now, end, server=False)).encode())
        return path, self._folder / "controller.key"

    def _serves(self, path: Path, key: "EllipticCurvePrivateKey", now: datetime) -> bool:
        """Whether it is the certificate of this key, signed by us, and will last."""
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature

        try:
            found = x509.load_pem_x509_certificate(path.read_bytes())
            found.verify_directly_issued_by(self._certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        lasting = found.not_valid_after_utc.replace(tzinfo=None) - now > timedelta(days=RENEW_DAYS)
        return lasting and found.public_key() == key.public_key()

    def _signed(self, key: Any, name: str, now: datetime, end: datetime, *, server: bool) -> "x509.Certificate":
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509.oid import ExtendedKeyUsageOID

        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            begun(name, self._certificate.subject, key, now, end)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs_certificates=False), critical=True)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def own_certificate(key: "EllipticCurvePrivateKey") -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.now(UTC).replace(tzinfo=None)
    name = "Octavia amphora CA"
    return (
        begun(name, named(name), key.public_key(), now, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def begun(name: str, issuer: "x509.Name", key: Any, now: datetime, end: datetime) -> "x509.CertificateBuilder":
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def key_usage(*, signs_certificates: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def requested_key(request: str, amphora_id: str) -> Any:
    """The public key in this amphora's request. Raises BadRequest."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    try:
        parsed = x509.load_pem_x509_csr(request.encode())
        valid = parsed.is_signature_valid
    except ValueError as error:
        raise BadRequest(f"The certificate request of amphora {amphora_id} cannot be read: {error}") from None
    if not valid or common_name(parsed.subject) != amphora_id:
        raise BadRequest(f"The certificate request is not one of amphora {amphora_id}.")
    key = parsed.public_key()
    if not isinstance(key, EllipticCurvePublicKey):
        raise BadRequest(f"The key of amphora {amphora_id} is not one of an elliptic curve.")
    return key


def named(name: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def common_name(name: "x509.Name") -> str | None:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else None


def pem(certificate: "x509.Certificate") -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def load_key(path: Path) -> "EllipticCurvePrivateKey":
    """The key in this file, made when there is none; nobody but its owner can ever read it."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not path.exists():
        create(path, key_pem(ec.generate_private_key(ec.SECP256R1())))
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def key_pem(key: "EllipticCurvePrivateKey") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def create(path: Path, content: bytes) -> None:
    """The file is there, whole, for its owner alone; one that somebody else made meanwhile stays."""
    fresh = written(path, content)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def replace(path: Path, content: bytes) -> None:
    """The file has this content, whole, for its owner alone."""
    written(path, content).replace(path)


def written(path: Path, content: bytes) -> Path:
    """A file beside the path, on disk, under a name that nobody else uses."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return fresh
