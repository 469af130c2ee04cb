"""The certificate authority: made once, kept secret, and careful about what it signs."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from octavia.host import pki
from octavia.host.pki import Authority, BadRequest
from octavia.host.tls import CONTROLLER
from tests.builders import new_id
from tests.host import certificates
from tests.host.certificates import now


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.ensure(tmp_path / "pki")


def loaded(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_files_are_for_their_owner_alone(authority: Authority, tmp_path: Path) -> None:
    authority.controller_credentials()
    folder = tmp_path / "pki"
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {"ca.key", "ca.pem", "controller.key", "controller.pem"}
    assert {stat.S_IMODE(os.stat(path).st_mode) for path in folder.iterdir()} == {0o600}


def test_a_folder_that_was_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    folder.mkdir(mode=0o755)
    Authority.ensure(folder)
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


def test_it_is_the_same_at_every_start(authority: Authority, tmp_path: Path) -> None:
    again = Authority.ensure(tmp_path / "pki")
    assert again.certificate_authority == authority.certificate_authority
    assert again.controller_credentials()[0].read_text() == authority.controller_credentials()[0].read_text()


def test_who_starts_at_once_gets_one_authority(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Authority.ensure(tmp_path / "pki"), range(8)))
    assert len({each.certificate_authority for each in made}) == 1
    assert {path.name for path in (tmp_path / "pki").iterdir()} == {"ca.key", "ca.pem"}
    identifier = new_id()
    signed, _ = made[0].sign(certificates.request(identifier), identifier, now())
    loaded(signed).verify_directly_issued_by(loaded(made[-1].certificate_authority))


def test_a_certificate_of_another_key_is_noticed(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "pki" / "ca.key").unlink()
    with pytest.raises(OSError, match=r"ca\.pem is not the certificate of the key beside it"):
        Authority.ensure(tmp_path / "pki")


def test_an_amphora_gets_a_server_certificate_of_its_name(authority: Authority) -> None:
    identifier, begin = new_id(), now()
    pem, end = authority.sign(certificates.request(identifier), identifier, begin)
    certificate = loaded(pem)
    assert end == begin + timedelta(days=pki.AMPHORA_DAYS)
    assert certificate.not_valid_after_utc.replace(tzinfo=None) == end.replace(microsecond=0)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [identifier]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    certificate.verify_directly_issued_by(loaded(authority.certificate_authority))


def test_what_else_a_request_asks_for_is_not_granted(authority: Authority) -> None:
    identifier, key = new_id(), ec.generate_private_key(ec.SECP256R1())
    wished = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(pki.named(identifier))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(CONTROLLER)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, _ = authority.sign(wished.public_bytes(Encoding.PEM).decode(), identifier, now())
    names = loaded(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [identifier]
    assert not loaded(pem).extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_the_name_must_fit(authority: Authority) -> None:
    for name in (new_id(), CONTROLLER):
        with pytest.raises(BadRequest, match="not one of amphora"):
            authority.sign(certificates.request(name), new_id(), now())


@pytest.mark.parametrize("request_", ["", "nonsense", "-----BEGIN CERTIFICATE REQUEST-----\n-----END"])
def test_what_is_no_request(authority: Authority, request_: str) -> None:
    with pytest.raises(BadRequest, match="cannot be read"):
        authority.sign(request_, new_id(), now())


def test_a_request_that_somebody_changed(authority: Authority) -> None:
    identifier = new_id()
    der = bytearray(x509.load_pem_x509_csr(certificates.request(identifier).encode()).public_bytes(Encoding.DER))
    der[der.index(identifier.encode())] ^= 1
    changed = x509.load_der_x509_csr(bytes(der))
    name = pki.common_name(changed.subject)
    with pytest.raises(BadRequest):
        authority.sign(changed.public_bytes(Encoding.PEM).decode(), str(name), now())


def test_other_kinds_of_keys_are_refused(authority: Authority) -> None:
    identifier = new_id()
    key = rsa.generate_private_key(65537, 2048)
    made = x509.CertificateSigningRequestBuilder().subject_name(pki.named(identifier)).sign(key, hashes.SHA256())
    with pytest.raises(BadRequest, match="elliptic curve"):
        authority.sign(made.public_bytes(Encoding.PEM).decode(), identifier, now())


def test_a_controllers_certificate_is_made_anew_before_it_ends(authority: Authority) -> None:
    path, key = authority.controller_credentials()
    assert loaded(path.read_text()).subject == pki.named(CONTROLLER)
    public = loaded(path.read_text()).public_key()
    ending = authority._signed(
        public, CONTROLLER, now() - timedelta(days=300), now() + timedelta(days=29), server=False
    )
    pki.replace(path, pki.pem(ending).encode())
    renewed, same = authority.controller_credentials()
    assert (renewed, same) == (path, key)
    assert loaded(path.read_text()).not_valid_after_utc.replace(tzinfo=None) > now() + timedelta(days=300)
    assert loaded(path.read_text()).public_key() == public


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_damaged_controllers_certificate_is_made_anew(authority: Authority, content: bytes) -> None:
    path, _ = authority.controller_credentials()
    path.write_bytes(content)
    authority.controller_credentials()
    assert loaded(path.read_text()).subject == pki.named(CONTROLLER)


def test_a_controllers_certificate_of_another_authority_is_made_anew(authority: Authority, tmp_path: Path) -> None:
    path, _ = authority.controller_credentials()
    other, _ = Authority.ensure(tmp_path / "other").controller_credentials()
    path.write_text(other.read_text())
    authority.controller_credentials()
    loaded(path.read_text()).verify_directly_issued_by(loaded(authority.certificate_authority))
