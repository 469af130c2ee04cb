"""Who may speak to an agent, and who may not."""

import hashlib
import hmac
import socket
import ssl
from pathlib import Path

import pytest

from octavia.drivers.agent.https import HttpsAgents
from octavia.drivers.faults import PortFault, Refused
from octavia.host.pki import Authority
from tests.amphora.stage import Stage
from tests.host.certificates import credentials, now
from tests.host.needs import until


def test_the_first_certificate(bare: Stage) -> None:
    bare.start()
    until(bare.listening)
    with pytest.raises(PortFault, match="certificate"):
        bare.state()
    said = bare.agents.introduction(bare.endpoint)
    expected = hmac.new(bare.seed.boot_secret.encode(), said.certificate_request.encode(), hashlib.sha256).hexdigest()
    assert said.certificate_proof == expected
    pem, _ = bare.authority.sign(said.certificate_request, bare.id, now())
    bare.agents.set_certificate(bare.endpoint, pem)
    assert bare.state().amphora_id == bare.id


def test_the_certificate_outlives_the_agent(stage: Stage) -> None:
    request = stage.state().certificate_request
    stage.restart()
    assert stage.state().certificate_request == request


def test_a_certificate_is_renewed_on_a_kept_connection(stage: Stage) -> None:
    said = stage.state()
    pem, _ = stage.authority.sign(said.certificate_request, stage.id, now())
    stage.agents.set_certificate(stage.endpoint, pem)
    assert (stage.folder / "agent.pem").read_text() == pem
    assert stage.state().boot_id == said.boot_id


def test_another_authority_is_not_heard(stage: Stage, tmp_path: Path) -> None:
    other = Authority.ensure(tmp_path / "other")
    stranger = HttpsAgents(*other.controller_credentials(), stage.authority.certificate_authority)
    with pytest.raises(PortFault):
        stranger.state(stage.endpoint)
    with pytest.raises(PortFault):
        stranger.introduction(stage.endpoint)
    stranger.close()


def test_an_agent_of_another_authority_is_not_believed(stage: Stage, tmp_path: Path) -> None:
    other = Authority.ensure(tmp_path / "other")
    controller = HttpsAgents(*stage.authority.controller_credentials(), other.certificate_authority)
    with pytest.raises(PortFault, match="certificate"):
        controller.state(stage.endpoint)
    controller.close()


def test_an_amphora_cannot_command_another(stage: Stage) -> None:
    amphora = HttpsAgents(stage.folder / "agent.pem", stage.folder / "agent.key", stage.authority.certificate_authority)
    for attempt in (amphora.state, amphora.introduction):
        with pytest.raises(PortFault):
            attempt(stage.endpoint)
    amphora.close()


def test_even_a_client_certificate_of_an_amphora_is_refused(stage: Stage, tmp_path: Path) -> None:
    """The name decides, not only what a certificate may be used for."""
    mine = credentials(stage.authority, stage.id, tmp_path / "mine", server=False)
    client = HttpsAgents(*mine, stage.authority.certificate_authority)
    with pytest.raises(PortFault, match="Only a controller"):
        client.state(stage.endpoint)
    client.close()


def test_the_name_of_another_amphora_is_not_taken(stage: Stage) -> None:
    endpoint = type(stage.endpoint)("00000000-0000-4000-8000-000000000000", stage.endpoint.address, stage.endpoint.port)
    with pytest.raises(PortFault, match="certificate"):
        stage.agents.state(endpoint)


def test_a_certificate_of_another_key_is_refused(stage: Stage) -> None:
    before = (stage.folder / "agent.pem").read_text()
    controller, _ = stage.authority.controller_credentials()
    for pem in (controller.read_text(), "", "no certificate"):
        with pytest.raises(Refused, match="does not fit"):
            stage.agents.set_certificate(stage.endpoint, pem)
    assert stage.state().amphora_id == stage.id
    assert (stage.folder / "agent.pem").read_text() == before


def test_a_certificate_of_another_authority_is_refused(stage: Stage, tmp_path: Path) -> None:
    """Whoever could set one would cut the agent off from its controllers."""
    other = Authority.ensure(tmp_path / "other")
    pem, _ = other.sign(stage.state().certificate_request, stage.id, now())
    with pytest.raises(Refused, match="does not fit"):
        stage.agents.set_certificate(stage.endpoint, pem)
    assert stage.state().amphora_id == stage.id


def test_without_a_certificate_there_is_no_answer(stage: Stage) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((stage.endpoint.address, stage.endpoint.port), timeout=5) as plain:
        client = context.wrap_socket(plain)
    with client, pytest.raises(ssl.SSLError, match="certificate required"):
        client.recv(1000)
