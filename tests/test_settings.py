"""What an octavia.conf becomes, and what is said of one that cannot be used."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from octavia.drivers.network import local
from octavia.settings import ApiSettings, Settings, SettingsError, default_state_path, load
from octavia.settings.options import is_loopback
from octavia.settings.reading import subnets_of

T = TypeVar("T")


def read(text: str, state_path: Path | None = Path("/state")) -> Settings:
    with TemporaryDirectory() as folder:
        file = Path(folder, "octavia.conf")
        file.write_text(text)
        return load([file], state_path=state_path, privileged=False)


def attempted(work: Callable[[], T]) -> T | SettingsError:
    try:
        return work()
    except SettingsError as error:
        return error


def at(settings: Settings, group: str, name: str) -> Any:
    return getattr(getattr(settings, group), name)


def test_nothing_configured_is_enough() -> None:
    settings = load([], state_path=Path("/state"), privileged=True)
    assert settings.warnings == ()
    assert settings.state_path == Path("/state")
    assert not settings.debug
    assert settings.host
    assert settings.api_settings == ApiSettings()
    assert settings.database.connection == "sqlite:////state/octavia.db"
    assert settings.health_manager.bind_ip is None
    assert settings.health_manager.heartbeat_key is None
    assert settings.controller_worker.compute_driver == "auto"
    assert settings.haproxy_amphora.user == "nobody"


def test_the_default_subnets_are_the_drivers() -> None:
    declared = load([], state_path=None, privileged=True).local_network.subnets
    assert [structs.asdict(one) for one in declared] == [structs.asdict(one) for one in local.DEMO]


@pytest.mark.parametrize(
    ("group", "written", "name", "expected"),
    [
        ("api_settings", "bind_host = ::1", "bind_host", "::1"),
        ("api_settings", "bind_host = localhost", "bind_host", "localhost"),
        ("api_settings", "bind_port = 65535", "bind_port", 65535),
        ("api_settings", "auth_strategy = noauth", "auth_strategy", "noauth"),
        ("api_settings", "auth_strategy = http_basic", "auth_strategy", "http_basic"),
        ("api_settings", "auth_strategy = http_basic\nbind_host = 0.0.0.0", "bind_host", "0.0.0.0"),
        ("api_settings", "[keystone_authtoken]", "auth_strategy", "keystone"),
        ("api_settings", "bind_host = 0.0.0.0\n[keystone_authtoken]", "bind_host", "0.0.0.0"),
        ("api_settings", "[Keystone_AuthToken]\npassword = x", "auth_strategy", "keystone"),
        ("api_settings", "auth_strategy = noauth\n[keystone_authtoken]", "auth_strategy", "noauth"),
        ("oslo_middleware", "max_request_body_size = 4096", "max_request_body_size", 4096),
        ("api_settings", "healthcheck_enabled = False", "healthcheck_enabled", False),
        ("api_settings", "api_base_uri =", "api_base_uri", None),
        ("API_SETTINGS", "bind_port = 80", "bind_port", 80),
        ("database", "connection = postgresql://o:p@db/octavia", "connection", "postgresql://o:p@db/octavia"),
        ("health_manager", "bind_ip = 10.0.0.1", "bind_ip", "10.0.0.1"),
        ("health_manager", "heartbeat_key = insecure", "heartbeat_key", "insecure"),
        ("health_manager", "heartbeat_interval = 0.25", "heartbeat_interval", 0.25),
        ("health_manager", "heartbeat_key =", "heartbeat_key", None),
        ("controller_worker", "compute_driver = compute_noop_driver", "compute_driver", "noop"),
        ("controller_worker", "network_driver = network_noop_driver", "network_driver", "noop"),
        ("controller_worker", "amphora_driver = amphora_noop_driver", "amphora_driver", "noop"),
        ("controller_worker", "amphora_driver = amphora_haproxy_rest_driver", "amphora_driver", "https"),
        ("controller_worker", "lease_seconds = 0.5", "lease_seconds", 0.5),
        ("haproxy_amphora", "haproxy_command = /opt/haproxy", "haproxy_command", "/opt/haproxy"),
    ],
)
def test_an_option_is_read(group: str, written: str, name: str, expected: object) -> None:
    settings = read(f"[{group}]\n{written}\n")
    assert at(settings, group.lower(), name) == expected
    assert settings.warnings == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[api_settings]\nbind_port = -1",
            "[api_settings] bind_port = -1: a whole number from 0 to 65535 is expected.",
        ),
        ("[api_settings]\nbind_port = 65536", "bind_port = 65536: a whole number from 0 to 65535"),
        ("[api_settings]\nbind_port = http", "bind_port = http: a whole number"),
        ("[api_settings]\nbind_port =", "bind_port = : a whole number"),
        ("[api_settings]\nbind_host =", "[api_settings] bind_host = : a text is expected."),
        ("[api_settings]\nbind_host = 0.0.0.0", "bind_host = 0.0.0.0: without authentication"),
        ("[api_settings]\nbind_host = ::", "bind_host = ::: without authentication"),
        ("[api_settings]\nbind_host = lb.example", "bind_host = lb.example: without authentication"),
        ("[api_settings]\nauth_strategy = keystone", "auth_strategy = keystone: there is no [keystone_authtoken]"),
        ("[api_settings]\nauth_strategy = testing", "auth_strategy = testing: one of http_basic, keystone, noauth is"),
        (
            "[api_settings]\nauth_strategy = noauth\nbind_host = ::\n[keystone_authtoken]\n",
            "bind_host = ::: without authentication",
        ),
        ("[oslo_middleware]\nmax_request_body_size = 0", "max_request_body_size = 0: a whole number from 1 to 8388608"),
        ("[api_settings]\nallow_sorting = maybe", "allow_sorting = maybe: true or false is expected."),
        ("[api_settings]\nbind_port = $nothing", "[api_settings] bind_port = ...: no such option nothing"),
        ("[health_manager]\nbind_port = 0", "bind_port = 0: a whole number from 1 to 65535"),
        (
            "[health_manager]\nheartbeat_interval = 3",
            "heartbeat_timeout = 3: it must be longer than heartbeat_interval, 3.",
        ),
        ("[health_manager]\nheartbeat_interval = nan", "heartbeat_interval = nan: a number above 0 is expected."),
        ("[health_manager]\nheartbeat_timeout = inf", "heartbeat_timeout = inf: a number above 0 is expected."),
        ("[health_manager]\nbind_ip = ::1", "bind_ip = ::1: an IPv4 address is expected."),
        ("[health_manager]\nfailover_threshold = few", "failover_threshold = few: a whole number of 1 or more"),
        (
            "[controller_worker]\ncompute_driver = vm",
            "compute_driver = vm: one of auto, netns, noop, process is expected.",
        ),
        ("[controller_worker]\nworkers = 0", "workers = 0: a whole number of 1 or more is expected."),
        ("[database]\nconnection =", "[database] connection = ...: a text is expected."),
        ("[local_network]\nsubnet = demo", "demo: NAME CIDR [network=NAME] [gateway=ADDRESS or none] is expected."),
        ("[local_network]\nsubnet = a 10.0.0.0/24 via=x", "NAME CIDR [network=NAME] [gateway=ADDRESS or none]"),
        ("[local_network]\nsubnet = a 10.0.0.1/24", "10.0.0.1/24 has host bits set."),
        ("[local_network]\nsubnet = a 10.0.0.0/31", "10.0.0.0/31 has no room for addresses."),
        ("[local_network]\nsubnet = a 10.0.0.0/24\nsubnet = a 10.1.0.0/24", "a: two subnets have this name."),
        (
            "[local_network]\nsubnet = a 10.0.0.0/24\nsubnet = b 10.0.0.0/25",
            "b 10.0.0.0/25: it overlaps a 10.0.0.0/24.",
        ),
        ("[local_network]\nsubnet = a 10.0.0.0/24 gateway=10.1.0.1", "the gateway 10.1.0.1 is not in 10.0.0.0/24."),
        ("[local_network]\nsubnet = a 10.0.0.0/24 gateway=fd00::1", "the gateway fd00::1 is not in 10.0.0.0/24."),
        ("[local_network]\nmanagement_cidr = fd00::/64", "an IPv4 network with room for addresses is expected"),
        ("[local_network]\nmanagement_cidr = 10.0.0.0/30", "an IPv4 network with room for addresses is expected"),
        ("bind_port = 1", "octavia.conf cannot be read: line 1: Section must be started before assignment"),
        ("[api_settings]\nbind_port", "octavia.conf cannot be read: line 2: No ':' or '=' found in assignment"),
    ],
)
def test_a_file_that_cannot_be_used(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(text)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_fault_has_its_line() -> None:
    with pytest.raises(SettingsError) as refused:
        read("[api_settings]\nbind_port = x\n[controller_worker]\nworkers = y\n")
    assert [line.split(" = ")[0] for line in str(refused.value).splitlines()] == [
        "[api_settings] bind_port",
        "[controller_worker] workers",
    ]


def test_a_missing_file(tmp_path: Path) -> None:
    for file in (tmp_path / "missing.conf", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read"):
            load([file], state_path=None, privileged=True)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "octavia.conf"
    file.write_bytes(b"[DEFAULT]\nhost = \xff\n")
    with pytest.raises(SettingsError, match="it is not text in UTF-8"):
        load([file], state_path=None, privileged=True)


def test_later_files_go_before_earlier_ones(tmp_path: Path) -> None:
    one, other = tmp_path / "one.conf", tmp_path / "other.conf"
    one.write_text("[api_settings]\nbind_port = 1\npagination_max_limit = 7\n")
    other.write_text("[api_settings]\nbind_port = 2\n")
    api = load([one, other], state_path=None, privileged=True).api_settings
    assert (api.bind_port, api.pagination_max_limit) == (2, 7)


def test_what_upstream_knows_and_we_do_not_is_said_and_ignored() -> None:
    settings = read("[DEFAULT]\ntransport_url = rabbit://\n[nova]\nx = 1\n[controller_worker]\namp_flavor_id = 1\n")
    assert settings.warnings == (
        "unknown option [DEFAULT] transport_url, ignored",
        "unknown option [controller_worker] amp_flavor_id, ignored",
        "unknown option [nova] x, ignored",
    )


def test_what_looks_like_a_slip_of_the_pen_gets_a_hint() -> None:
    settings = read("[controller_worker]\nworker = 2\n")
    assert settings.warnings == ("unknown option [controller_worker] worker, ignored (did you mean workers?)",)


def test_what_nothing_obeys_yet_is_said() -> None:
    settings = read("[health_manager]\nfailover_threshold = 7\n")
    assert settings.health_manager.failover_threshold == 7
    assert settings.warnings == ("option [health_manager] failover_threshold has no effect yet",)


def test_what_stands_in_for_a_driver_of_upstream_is_said() -> None:
    settings = read(
        "[controller_worker]\ncompute_driver = compute_nova_driver\nnetwork_driver = allowed_address_pairs_driver\n"
    )
    assert settings.controller_worker.compute_driver == "auto"
    assert settings.controller_worker.network_driver == "local"
    assert settings.warnings == (
        "[controller_worker] compute_driver compute_nova_driver is not offered, auto is used instead",
        "[controller_worker] network_driver allowed_address_pairs_driver is not offered, local is used instead",
    )


def test_the_command_line_cannot_open_the_api_to_others_either() -> None:
    with pytest.raises(SettingsError, match="loopback address only"):
        structs.replace(ApiSettings(), bind_host="0.0.0.0")


def test_state_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert default_state_path(privileged=True) == Path("/var/lib/octavia")
    assert default_state_path(privileged=False) == tmp_path / ".local/state/octavia"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert default_state_path(privileged=False) == tmp_path / ".local/state/octavia"
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert load([], state_path=None, privileged=False).state_path == Path("/xdg/octavia")
    assert read("[DEFAULT]\nstate_path = ~/here\n", None).state_path == tmp_path / "here"
    assert read("[DEFAULT]\nstate_path = ~/here\n").state_path == Path("/state")
    assert load([], state_path=Path("here"), privileged=True).state_path == Path.cwd() / "here"


def test_subnets_one_a_line() -> None:
    settings = read(
        "[local_network]\n"
        "subnet = a 10.0.0.0/24 network=lan gateway=10.0.0.254\n"
        "subnet = b 10.0.1.0/24 gateway=none\n"
        "subnet = c fd00::/64\n"
    )
    assert [structs.astuple(subnet) for subnet in settings.local_network.subnets] == [
        ("a", "10.0.0.0/24", "lan", "10.0.0.254"),
        ("b", "10.0.1.0/24", "b", None),
        ("c", "fd00::/64", "c", "fd00::1"),
    ]


@given(port=st.integers())
def test_ports(port: int) -> None:
    text = f"[health_manager]\nbind_port = {port}\n"
    if 1 <= port <= 65535:
        assert read(text).health_manager.bind_port == port
    else:
        with pytest.raises(SettingsError, match="bind_port"):
            read(text)


@given(address=st.ip_addresses())
def test_only_loopback_addresses_listen_without_authentication(address: ipaddress.IPv4Address) -> None:
    if is_loopback(str(address)):
        assert ApiSettings(bind_host=str(address)).bind_host == str(address)
    else:
        with pytest.raises(SettingsError, match="loopback address only"):
            ApiSettings(bind_host=str(address))


@given(text=st.text(alphabet="ab=1.0/:gatewynork \n", max_size=60))
def test_every_text_is_subnets_or_one_sentence(text: str) -> None:
    try:
        declared = subnets_of(text.splitlines())
    except ValueError:
        return
    for subnet in declared:
        assert subnet.gateway is None or ipaddress.ip_address(subnet.gateway) in ipaddress.ip_network(subnet.cidr)


@given(data=st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_every_file_is_settings_or_one_sentence(data: str) -> None:
    outcome = attempted(lambda: read(data))
    assert isinstance(outcome, Settings) or str(outcome)
