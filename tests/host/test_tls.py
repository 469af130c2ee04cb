"""Mutual TLS: both ends prove who they are, and nobody passes for somebody else."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from octavia.host import tls
from octavia.host.pki import Authority
from tests.builders import new_id
from tests.host.certificates import credentials, shaken


class Ends:
    """Contexts as agents and controllers of one authority have them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.authority = Authority.ensure(folder / "pki")
        self.amphora = new_id()
        self.agent = credentials(self.authority, self.amphora, folder / "agent", server=True)
        self.controller = self.authority.controller_credentials()

    @property
    def pem(self) -> str:
        return self.authority.certificate_authority

    def server(self) -> ssl.SSLContext:
        return tls.server_context(*self.agent, self.pem)

    def client(self) -> ssl.SSLContext:
        return tls.client_context(*self.controller, self.pem)


@pytest.fixture
def ends(tmp_path: Path) -> Ends:
    return Ends(tmp_path / "ends")


@pytest.fixture
def others(tmp_path: Path) -> Ends:
    return Ends(tmp_path / "others")


def test_a_controller_speaks_to_the_amphora_that_it_means(ends: Ends) -> None:
    with shaken(ends.server(), ends.client(), ends.amphora) as (server, client):
        assert tls.is_controller(server)
        assert tls.named(client) == {ends.amphora}
        assert (server.version() or "") >= "TLSv1.2"


def test_another_amphora_is_not_taken_for_it(ends: Ends) -> None:
    with pytest.raises(ssl.SSLCertVerificationError), shaken(ends.server(), ends.client(), new_id()):
        pass


def test_an_agent_of_another_authority_is_not_believed(ends: Ends, others: Ends) -> None:
    server = tls.server_context(*others.agent, ends.pem)
    with pytest.raises(ssl.SSLCertVerificationError), shaken(server, ends.client(), others.amphora):
        pass


def test_a_controller_of_another_authority_is_not_heard(ends: Ends, others: Ends) -> None:
    client = tls.client_context(*others.controller, ends.pem)
    with pytest.raises(OSError), shaken(ends.server(), client, ends.amphora):
        pass


def test_who_shows_no_certificate_is_not_heard(ends: Ends) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=ends.pem)
    with pytest.raises(OSError), shaken(ends.server(), client, ends.amphora):
        pass


def test_a_server_certificate_is_none_for_a_client(ends: Ends) -> None:
    client = tls.client_context(*ends.agent, ends.pem)
    with pytest.raises(OSError), shaken(ends.server(), client, ends.amphora):
        pass


def test_a_client_of_another_name_is_no_controller(ends: Ends, tmp_path: Path) -> None:
    stranger = credentials(ends.authority, new_id(), tmp_path / "stranger", server=False)
    client = tls.client_context(*stranger, ends.pem)
    with shaken(ends.server(), client, ends.amphora) as (server, _):
        assert not tls.is_controller(server)


def test_a_certificate_that_has_ended_is_not_believed(ends: Ends, tmp_path: Path) -> None:
    old = credentials(ends.authority, ends.amphora, tmp_path / "old", server=True, age=timedelta(days=2))
    server = tls.server_context(*old, ends.pem)
    with pytest.raises(ssl.SSLCertVerificationError), shaken(server, ends.client(), ends.amphora):
        pass


def test_an_old_protocol_is_refused(ends: Ends) -> None:
    client = ends.client()
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        client.minimum_version, client.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError), shaken(ends.server(), client, ends.amphora):
        pass


def test_sessions_are_not_resumed(ends: Ends) -> None:
    """A client whose certificate has ended could go on with an old session."""
    server, client = ends.server(), ends.client()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        client.minimum_version = client.maximum_version = version
        with shaken(server, client, ends.amphora) as (far, near):
            far.sendall(b"x")
            near.recv(1)
            assert near.session is None or not near.session.has_ticket


def test_an_introduction_is_heard_from_anybody_by_controllers_alone(ends: Ends, others: Ends) -> None:
    client = tls.introducing_context(*ends.controller)
    unsigned = tls.server_context(*others.agent, ends.pem)
    with shaken(unsigned, client, None) as (server, _):
        assert tls.is_controller(server)
    with pytest.raises(OSError), shaken(unsigned, tls.introducing_context(*others.controller), None):
        pass


def test_a_certificate_of_another_key_is_refused(ends: Ends, others: Ends) -> None:
    with pytest.raises(ssl.SSLError):
        tls.server_context(others.agent[0], ends.agent[1], ends.pem)
