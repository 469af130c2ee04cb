"""The composition root: settings become adapters, adapters one frozen wiring, and what was asked for is started."""

import logging
import os
import secrets
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from octavia import places
from octavia.api.front import Front, front
from octavia.api.ports import ListSwitches, Services, everything_offered
from octavia.api.server import Server
from octavia.bus.local import LocalBus
from octavia.controller.act import Ports
from octavia.controller.loop import Loop
from octavia.controller.sweep import Sweeper
from octavia.controller.visit import Terms, Visitor
from octavia.domain.choices import Choices
from octavia.domain.quota import FIELDS, Limits
from octavia.drivers.agent import Agents
from octavia.drivers.agent.https import HttpsAgents
from octavia.drivers.agent.noop import NoopAgents
from octavia.drivers.compute import Compute
from octavia.drivers.compute.netns import Netns
from octavia.drivers.compute.noop import Noop as NoopCompute
from octavia.drivers.compute.onhost import Deployment
from octavia.drivers.compute.process import ProcessGroups
from octavia.drivers.faults import PortFault
from octavia.drivers.network import NetworkDriver
from octavia.drivers.network.local import Local, MemoryLedger
from octavia.drivers.network.noop import Noop as NoopNetwork
from octavia.health.receiver import Receiver
from octavia.host.pki import Authority
from octavia.places import CannotStart, Place
from octavia.render import unrendered
from octavia.settings import Settings, SettingsError
from octavia.store import schema
from octavia.store.addresses import Addresses
from octavia.store.catalogue import Catalogue
from octavia.store.clusters import Clusters
from octavia.store.engine import Database, Unusable, utcnow
from octavia.store.quotas import Quotas
from octavia.store.reports import Reports
from octavia.store.store import Store

LOG = logging.getLogger(__name__)
API_THREADS = 8


class Wiring(Struct, frozen=True, kw_only=True):
    """Everything that runs in this process, put together and not started."""

    database: Database
    compute: Compute
    network: NetworkDriver
    agents: Agents
    loop: Loop
    receiver: Receiver | None
    app: Callable[..., Any] | None
    proxied: bool
    summary: str


def new_id() -> str:
    return str(uuid.uuid4())


def wire(settings: Settings, place: Place, *, api: bool = True) -> Wiring:
    """The adapters that the settings name, behind the ports. Raises CannotStart."""
    before = fronted(settings) if api else None
    database = opened(settings)
    authority = Authority.ensure(settings.state_path / "pki")
    bus, clusters, addresses = LocalBus(), Clusters(database), Addresses(database)
    compute = computing(settings, place, authority)
    network = networking(settings, place, addresses)
    agents = speaking(settings, authority)
    ports = Ports(
        clusters=clusters,
        compute=compute,
        network=network,
        agents=agents,
        sign=authority.sign,
        clock=utcnow,
        new_id=new_id,
    )
    worker = settings.controller_worker
    terms = Terms(
        holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
        lease_seconds=worker.lease_seconds,
        error_after=worker.error_after,
        haproxy_user=place.haproxy_user(settings),
        certificates=worker.amphora_driver != "noop",
    )
    loop = Loop(
        Visitor(ports, terms),
        Sweeper(clusters, compute, network, addresses.ownerless, utcnow),
        bus,
        workers=worker.workers,
        sweep_interval=worker.sweep_interval,
    )
    below = Below(network, compute.abilities().lowest_port)
    return Wiring(
        database=database,
        compute=compute,
        network=network,
        agents=agents,
        loop=loop,
        receiver=listening(settings, compute, Reports(database), bus),
        app=before.over(services(settings, database, bus.ring, below)) if before else None,
        proxied=before.proxied if before else False,
        summary=compute.abilities().summary,
    )


def fronted(settings: Settings) -> Front:
    try:
        return front(settings)
    except SettingsError as error:
        raise CannotStart(str(error)) from None


def opened(settings: Settings, *, migrated: bool = False) -> Database:
    """The database, with this code's schema. Raises CannotStart."""
    settings.state_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        database = Database(settings.database.connection)
        if not migrated:
            schema.upgrade(database)
    except Unusable as error:
        raise CannotStart(str(error)) from None
    return database


def services(settings: Settings, database: Database, ring: Callable[[str], None], below: "Below") -> Services:
    """What the API works with; `below` is the data plane's side."""
    api, limits = settings.api_settings, limits_of(settings)
    return Services(
        store=Store(database, ring, limits),
        catalogue=Catalogue(database),
        quotas=Quotas(database),
        network=below.network,
        clock=utcnow,
        new_id=new_id,
        limits=limits,
        counting=api.auth_strategy != "noauth",
        offered=everything_offered if settings.controller_worker.amphora_driver == "noop" else unrendered,
        lowest_port=below.lowest_port,
        choices=choices(settings),
        switches=ListSwitches(
            pagination=api.allow_pagination,
            sorting=api.allow_sorting,
            filtering=api.allow_filtering,
            field_selection=api.allow_field_selection,
        ),
        pagination_max_limit=api.pagination_max_limit,
        api_base_uri=api.api_base_uri,
        max_request_body_size=settings.oslo_middleware.max_request_body_size,
        healthcheck_enabled=api.healthcheck_enabled,
        healthcheck_refresh_interval=api.healthcheck_refresh_interval,
    )


class Below(Struct, frozen=True):
    """What the API asks of the data plane."""

    network: NetworkDriver
    lowest_port: int


def limits_of(settings: Settings) -> Limits:
    """The quota of projects for which nothing was set."""
    spelled = {"loadbalancer": "load_balancer", "healthmonitor": "health_monitor"}
    names = FIELDS.values()
    return {name: getattr(settings.quotas, f"default_{spelled.get(name, name)}_quota") for name in names}


def choices(settings: Settings) -> Choices:
    """What users may ask for. Raises CannotStart where the default provider is none of those enabled."""
    api, networking = settings.api_settings, settings.networking
    parts = (text.partition(":") for text in api.enabled_provider_drivers)
    providers = {name.strip(): text.strip() for name, _, text in parts}
    if api.default_provider_driver not in providers:
        raise CannotStart(
            f"[api_settings] default_provider_driver = {api.default_provider_driver} is not one of "
            f"enabled_provider_drivers: {', '.join(providers)}."
        )
    return Choices(
        providers=providers,
        default_provider=api.default_provider_driver,
        vip_ports=networking.allow_vip_port_id,
        vip_networks=networking.allow_vip_network_id,
        vip_subnets=networking.allow_vip_subnet_id,
        valid_vip_networks=networking.valid_vip_networks,
        denied_vip_networks=networking.denylist_vip_networks,
        tls_listeners=api.allow_tls_terminated_listeners,
        prometheus_listeners=api.allow_prometheus_listeners,
        ping_monitors=api.allow_ping_health_monitors,
        reserved_ips=networking.reserved_ips,
        udp_connect_min_delay=api.udp_connect_min_interval_health_monitor,
        prohibited_ciphers=tuple(name for name in api.tls_cipher_prohibit_list.split(":") if name),
        minimum_tls_version=api.minimum_tls_version,
    )


def computing(settings: Settings, place: Place, authority: Authority) -> Compute:
    if place.compute == "noop":
        return NoopCompute()
    health = settings.health_manager
    deployment = Deployment(
        folder=settings.state_path / "amphorae",
        certificate_authority=authority.certificate_authority,
        heartbeat_master=heartbeat_key(settings),
        receiver_port=health.bind_port,
        heartbeat_interval=health.heartbeat_interval,
        haproxy_user=place.haproxy_user(settings),
        haproxy_command=settings.haproxy_amphora.haproxy_command,
    )
    if place.compute == "process":
        return ProcessGroups(deployment)
    return Netns(deployment, settings.local_network.management_cidr, rootless=place.rootless)


def networking(settings: Settings, place: Place, addresses: Addresses) -> NetworkDriver:
    if settings.controller_worker.network_driver == "noop":
        return NoopNetwork()
    return Local(place.subnets(settings), addresses, bridged=place.compute == "netns")


def speaking(settings: Settings, authority: Authority) -> Agents:
    if settings.controller_worker.amphora_driver == "noop":
        return NoopAgents()
    certificate, key = authority.controller_credentials()
    return HttpsAgents(certificate, key, authority.certificate_authority)


def listening(settings: Settings, compute: Compute, reports: Reports, bus: LocalBus) -> Receiver | None:
    """The receiver on the address that the amphorae reach, bound already; None where nothing reports."""
    if settings.controller_worker.amphora_driver == "noop":
        return None
    try:
        address = compute.receiver_address()
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        listener.bind((settings.health_manager.bind_ip or address[0], address[1]))
    except (OSError, PortFault) as error:
        raise CannotStart(f"Heartbeats cannot be received: {error}") from None
    return Receiver(listener, heartbeat_key(settings), reports, bus.ring)


def heartbeat_key(settings: Settings) -> bytes:
    """The master key of all heartbeats: configured, or made at first start and kept for its owner alone."""
    if settings.health_manager.heartbeat_key:
        return settings.health_manager.heartbeat_key.encode()
    return places.kept_secret(settings.state_path / "heartbeat.key")


def serve(
    config_files: Sequence[Path], state_path: Path | None, *, bind_host: str | None, bind_port: int | None
) -> int:
    """API, controller and health run in this process until SIGTERM or Ctrl-C; the amphorae go on after it."""
    settings = places.settings(config_files, state_path, bind_host=bind_host, bind_port=bind_port)
    return governed(settings, lambda: places.api_socket(settings))


def controller(config_files: Sequence[Path], state_path: Path | None) -> int:
    """The same without the API, which is elsewhere, on the same database."""
    return governed(places.settings(config_files, state_path), lambda: None)


def governed(settings: Settings, listen: Callable[[], socket.socket | None]) -> int:
    places.log_to_stderr(debug=settings.debug)
    with places.alone(settings.state_path):
        listener = listen()
        place = places.find(settings)
        for sentence in place.sentences:
            print(sentence, flush=True)
        place.enter(settings)
        return run(settings, place, listener)


class Waiting:
    """In the place of a server: there is no API here."""

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def run(self) -> None:
        self._stopping.wait()

    def stop(self) -> None:
        self._stopping.set()


def run(settings: Settings, place: Place, listener: socket.socket | None) -> int:
    wiring = wire(settings, place, api=listener is not None)
    server: Server | Waiting = Waiting()
    if listener is not None and wiring.app is not None:
        server = Server(wiring.app, listener, threads=API_THREADS, proxied=wiring.proxied)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    print(wiring.summary, flush=True)
    for network in wiring.network.networks():
        wiring.network.ensure_network(network.id)
    adopted = wiring.compute.adopt()
    if wiring.receiver is not None:
        wiring.receiver.start()
    wiring.loop.start()
    print(f"state: {settings.state_path}, {len(adopted)} amphorae adopted", flush=True)
    print(f"ready: {places.url_of(listener)}" if listener else "ready", flush=True)
    server.run()
    stop(wiring)
    print("stopped; the load balancers go on serving", flush=True)
    return 0


def stop(wiring: Wiring) -> None:
    """What is in flight is finished, and nothing of this process is left; the amphorae are untouched."""
    wiring.loop.stop()
    if wiring.receiver is not None:
        wiring.receiver.stop()
    wiring.compute.close()
    wiring.agents.close()
    wiring.network.close()
    wiring.database.close()


def execute(config_files: Sequence[Path], state_path: Path | None, argv: Sequence[str]) -> int:
    """The command runs where the VIPs can be reached, in the place of this process."""
    settings = places.settings(config_files, state_path)
    command = places.reaching(settings, argv)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the user's own command, without a shell
    except OSError as error:
        raise CannotStart(f"{command[0]} cannot be run: {error.strerror}.") from None


def destroy(config_files: Sequence[Path], state_path: Path | None) -> int:
    """Nothing is left of what was ever made here. Raises CannotStart while `octavia serve` runs."""
    settings = places.settings(config_files, state_path)
    if not settings.state_path.exists():
        print(f"There is nothing in {settings.state_path}.")
        return 0
    with places.alone(settings.state_path), places.no_api(settings.state_path):
        place = places.find(settings)
        place.leave_nothing(settings, lambda: clear(settings, place))
        places.remove_state(settings.state_path)
    print("Everything is removed.")
    return 0


def clear(settings: Settings, place: Place) -> None:
    """No amphora and no bridge is left. The database is not asked: it may be the one thing that is broken."""
    compute = computing(settings, place, Authority.ensure(settings.state_path / "pki"))
    for amphora_id in sorted(compute.list()):
        print(f"removing amphora {amphora_id}", flush=True)
        compute.remove(amphora_id)
    compute.close()
    if isinstance(compute, Netns):
        compute.clear()
        Local(place.subnets(settings), MemoryLedger(), bridged=True).clear()


def upgrade(config_files: Sequence[Path], state_path: Path | None) -> int:
    database = opened(places.settings(config_files, state_path))
    print(f"The database has schema version {schema.version(database)}.")
    database.close()
    return 0


def raise_epoch(config_files: Sequence[Path], state_path: Path | None) -> int:
    database = opened(places.settings(config_files, state_path))
    print(f"The epoch is {Clusters(database).raise_epoch()} now: agents obey this database from the next visit on.")
    database.close()
    return 0
