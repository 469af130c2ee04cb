"""Laws that span fields or nouns: what a graph may not be, whichever request would make it so.

A law goes by live rows. Its sentence says what is wrong and what to do about it.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator

from octavia.domain import l7laws
from octavia.domain.addresses import is_mask, network, parsed, unmapped, version
from octavia.domain.graph import Graph, live
from octavia.domain.health_monitor import HealthMonitor
from octavia.domain.listener import Listener
from octavia.domain.load_balancer import LoadBalancer
from octavia.domain.member import Member
from octavia.domain.pool import Pool, SessionPersistence
from octavia.domain.protocols import DATAGRAMS, POOL_PROTOCOLS
from octavia.domain.refusal import Conflict, Invalid, Missing, NotOffered, Refusal
from octavia.domain.settle import HTTP_CHECKS
from octavia.domain.settle import settled as settled

Faults = Iterator[Refusal]

HEADERS = frozenset(
    {"X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-IP", "X-Client-IP", "X-Real-IP"}
)
TLS_HEADERS = frozenset(
    {
        "X-SSL-Client-Verify",
        "X-SSL-Client-Has-Cert",
        "X-SSL-Client-DN",
        "X-SSL-Client-CN",
        "X-SSL-Issuer",
        "X-SSL-Client-SHA1",
        "X-SSL-Client-Not-Before",
        "X-SSL-Client-Not-After",
    }
)
DATAGRAM_CHECKS = frozenset({"UDP-CONNECT", "SCTP"})
CHECKS_OF_DATAGRAM_POOLS = frozenset({"UDP-CONNECT", "SCTP", "TCP", "HTTP"})


def faults(graph: Graph) -> list[Refusal]:
    """Everything that speaks against this graph; empty if it is legal."""
    alive = live(graph)
    return [refusal for law in LAWS for refusal in law(alive)]


def fresh(before: Graph | None, after: Graph) -> list[Refusal]:
    """The faults of `after` that `before` did not have."""
    return caused(faults, before, after)


def caused(judge: Callable[[Graph], Iterable[Refusal]], before: Graph | None, after: Graph) -> list[Refusal]:
    """What the judge says more often than before: an edit is not refused for what it does not cause."""
    found = list(judge(after))
    known = Counter(judge(before)) if before is not None and found else Counter[Refusal]()
    new = []
    for refusal in found:
        if known[refusal]:
            known[refusal] -= 1
        else:
            new.append(refusal)
    return new


def on_port(listener: Listener) -> str:
    return f"the {listener.protocol} listener on port {listener.protocol_port}"


def called(pool: Pool) -> str:
    return f"pool {pool.name or pool.id}"


def vips(top: LoadBalancer) -> tuple[str, ...]:
    found = (top.vip_address, *(vip.ip_address for vip in top.additional_vips))
    return tuple(address for address in found if address)


def addresses(graph: Graph) -> Faults:
    for vip in vips(graph.load_balancer):
        if parsed(vip) is None:
            yield Invalid(
                f"Invalid input for field/attribute vip_address. Value: '{vip}'. It is not an IP address: write it "
                "like 192.0.2.1 or 2001:db8::1."
            )


def distinct_subnets(graph: Graph) -> Faults:
    top = graph.load_balancer
    used = Counter(vip.subnet_id for vip in top.additional_vips) + Counter([top.vip_subnet_id])
    for subnet_id, times in used.items():
        if subnet_id is not None and times > 1:
            yield Invalid(f"Subnet {subnet_id} is used by more than one VIP. Each additional VIP needs its own subnet.")


def security_groups(graph: Graph) -> Faults:
    top = graph.load_balancer
    if not top.vip_sg_ids:
        return
    if top.vip_vnic_type == "direct":
        yield Invalid("vip_sg_ids cannot be used with an SR-IOV VIP. Leave them out, or choose another flavor.")
    for listener in graph.listeners:
        if listener.allowed_cidrs:
            yield Invalid(
                f"vip_sg_ids of the load balancer and allowed_cidrs of {on_port(listener)} exclude each other. "
                "Write the networks into the security groups."
            )


def listener_ports(graph: Graph) -> Faults:
    taken: dict[tuple[str, int], Listener] = {}
    for listener in graph.listeners:
        family = listener.protocol if listener.protocol in DATAGRAMS else "TCP"
        other = taken.setdefault((family, listener.protocol_port), listener)
        if other is not listener:
            yield Conflict(
                f"Another listener on this load balancer is already using {family} protocol_port "
                f"{listener.protocol_port}: {other.id}. Choose another port, or delete that listener first."
            )


def default_pools(graph: Graph) -> Faults:
    pools = {pool.id: pool for pool in graph.pools}
    for listener in graph.listeners:
        if listener.default_pool_id is None:
            continue
        pool = pools.get(listener.default_pool_id)
        if listener.protocol == "PROMETHEUS":
            yield Invalid(f"{on_port(listener).capitalize()} cannot have child objects: leave out its pool.")
        elif pool is None:
            yield Missing(f"Pool {listener.default_pool_id} not found on this load balancer.")
        elif pool.protocol not in POOL_PROTOCOLS[listener.protocol]:
            fitting = ", ".join(sorted(POOL_PROTOCOLS[listener.protocol]))
            yield Invalid(
                f"The pool protocol '{pool.protocol}' is invalid while the listener protocol is "
                f"'{listener.protocol}' ({called(pool)}). A pool of this listener can speak {fitting}."
            )


def headers(graph: Graph) -> Faults:
    for listener in graph.listeners:
        if listener.insert_headers and listener.protocol not in ("HTTP", "TERMINATED_HTTPS"):
            yield Invalid(f"insert_headers needs an HTTP or TERMINATED_HTTPS listener, not {on_port(listener)}.")
            continue
        known = HEADERS | (TLS_HEADERS if listener.protocol == "TERMINATED_HTTPS" else frozenset())
        for name in listener.insert_headers:
            if name not in known:
                fitting = ", ".join(sorted(known))
                yield Invalid(
                    f"insert_headers cannot have '{name[:80]}' on {on_port(listener)}. It can have {fitting}."
                )


def certificates(graph: Graph) -> Faults:
    for listener in graph.listeners:
        own = bool(listener.default_tls_container_ref or listener.sni_container_refs)
        if listener.protocol == "TERMINATED_HTTPS" and not own:
            yield Invalid(
                f"An SSL certificate is needed for {on_port(listener)}: give default_tls_container_ref or "
                "sni_container_refs."
            )
        if own and listener.protocol not in ("TERMINATED_HTTPS", "PROMETHEUS"):
            yield Invalid(
                f"default_tls_container_ref and sni_container_refs need a TERMINATED_HTTPS listener, "
                f"not {on_port(listener)}."
            )
        yield from client_certificates(listener, own)


def client_certificates(listener: Listener, own: bool) -> Faults:
    authority = listener.client_ca_tls_container_ref
    if authority and not own:
        yield Invalid(
            f"client_ca_tls_container_ref of {on_port(listener)} needs a certificate of its own: give "
            "default_tls_container_ref or sni_container_refs too."
        )
    if listener.client_crl_container_ref and not authority:
        yield Invalid(f"client_crl_container_ref of {on_port(listener)} needs client_ca_tls_container_ref too.")
    if listener.client_authentication != "NONE" and not authority:
        yield Invalid(
            f"client_authentication {listener.client_authentication} of {on_port(listener)} needs "
            "client_ca_tls_container_ref too."
        )


def tls_lists(graph: Graph) -> Faults:
    rows: tuple[tuple[Listener | Pool, str], ...] = (
        *((listener, on_port(listener)) for listener in graph.listeners),
        *((pool, called(pool)) for pool in graph.pools),
    )
    for row, name in rows:
        for field in ("tls_versions", "alpn_protocols"):
            if getattr(row, field) == ():
                yield Invalid(f"{field} of {name} cannot be an empty list. Leave it out, or null, for the default.")


def strict_transport(graph: Graph) -> Faults:
    for listener in graph.listeners:
        if listener.hsts_max_age is not None and listener.protocol != "TERMINATED_HTTPS":
            yield Invalid(f"hsts_max_age needs a TERMINATED_HTTPS listener, not {on_port(listener)}.")
        if listener.hsts_max_age is None and (listener.hsts_include_subdomains or listener.hsts_preload):
            yield Invalid(f"hsts_include_subdomains and hsts_preload of {on_port(listener)} need hsts_max_age too.")


def allowed_networks(graph: Graph) -> Faults:
    served = {version(vip) for vip in vips(graph.load_balancer)}
    for listener in graph.listeners:
        for cidr in listener.allowed_cidrs or ():
            found = network(cidr)
            if found is None:
                yield Invalid(f"allowed_cidrs of {on_port(listener)}: '{cidr}' is not a network like 192.0.2.0/24.")
            elif served and found.version not in served:
                yield Invalid(
                    f"allowed_cidrs of {on_port(listener)}: {cidr} is IPv{found.version}, but no VIP is. "
                    "Name networks of the IP version of a VIP."
                )


def persistence(graph: Graph) -> Faults:
    for pool in graph.pools:
        if pool.session_persistence is not None:
            yield from cookies(pool, pool.session_persistence)
            yield from affinity(pool, pool.session_persistence)


def cookies(pool: Pool, wish: SessionPersistence) -> Faults:
    if wish.type == "APP_COOKIE" and not wish.cookie_name:
        yield Invalid(f"session_persistence APP_COOKIE of {called(pool)} needs a cookie_name.")
    if wish.type != "APP_COOKIE" and wish.cookie_name is not None:
        yield Invalid(f"session_persistence {wish.type} of {called(pool)} takes no cookie_name: only APP_COOKIE does.")


def affinity(pool: Pool, wish: SessionPersistence) -> Faults:
    extra = [name for name in ("persistence_timeout", "persistence_granularity") if getattr(wish, name) is not None]
    if pool.protocol in DATAGRAMS and wish.type != "SOURCE_IP":
        yield Invalid(f"session_persistence of {called(pool)} can only be SOURCE_IP, since it speaks {pool.protocol}.")
    if extra and (pool.protocol not in DATAGRAMS or wish.type != "SOURCE_IP"):
        yield Invalid(f"{' and '.join(extra)} of {called(pool)}: only SOURCE_IP of a UDP or SCTP pool has that.")
    if wish.persistence_granularity is not None and not is_mask(wish.persistence_granularity):
        yield Invalid(
            f"persistence_granularity of {called(pool)}: '{wish.persistence_granularity}' is not a mask like "
            "255.255.255.0."
        )


def revocations(graph: Graph) -> Faults:
    for pool in graph.pools:
        if pool.crl_container_ref and not pool.ca_tls_container_ref:
            yield Invalid(f"crl_container_ref of {called(pool)} needs ca_tls_container_ref too.")


def distinct_members(graph: Graph) -> Faults:
    taken: dict[tuple[str, str, int], Member] = {}
    for member in graph.members:
        other = taken.setdefault((member.pool_id, member.address, member.protocol_port), member)
        if other is not member:
            yield Conflict(
                f"The pool has a member with address {member.address} and protocol_port {member.protocol_port} "
                f"already: {other.id}. Change that one, or delete it first."
            )


def member_addresses(graph: Graph) -> Faults:
    for member in graph.members:
        for name in ("address", "monitor_address"):
            yield from server_address(name, getattr(member, name))


def server_address(name: str, text: str | None) -> Faults:
    if text is None:
        return
    found = parsed(text)
    if found is None:
        yield Invalid(
            f"Invalid input for field/attribute {name}. Value: '{text}'. Expected an IP address like 192.0.2.1."
        )
    elif unmapped(found).is_unspecified or unmapped(found).is_multicast:
        yield Invalid(f"The {name} {text} of a member is not the address of one server.")


def member_versions(graph: Graph) -> Faults:
    """UDP and SCTP are passed on as they are: their members' IP version must be a VIP's."""
    served = {version(vip) for vip in vips(graph.load_balancer)}
    datagram = {pool.id: pool for pool in graph.pools if pool.protocol in DATAGRAMS}
    for member in graph.members:
        pool = datagram.get(member.pool_id)
        if pool and served and parsed(member.address) and version(member.address) not in served:
            yield NotOffered(
                f"The member {member.address} is of another IP version than the VIP: {called(pool)} cannot serve "
                f"it, since it speaks {pool.protocol}. Use a member of the VIP's version."
            )


def direct_members(graph: Graph) -> Faults:
    for member in graph.members:
        if member.request_sriov and not graph.load_balancer.member_sriov:
            yield Invalid(
                f"request_sriov of member {member.address} needs a load balancer whose flavor allows SR-IOV members."
            )


def one_monitor(graph: Graph) -> Faults:
    watched: dict[str, HealthMonitor] = {}
    for monitor in graph.health_monitors:
        other = watched.setdefault(monitor.pool_id, monitor)
        if other is not monitor:
            yield Conflict(
                f"The pool {monitor.pool_id} has a health monitor already: {other.id}. Change or delete that one."
            )


def monitor_types(graph: Graph) -> Faults:
    pools = {pool.id: pool for pool in graph.pools}
    for monitor in graph.health_monitors:
        pool = pools.get(monitor.pool_id)
        if pool is None:
            yield Missing(f"Pool {monitor.pool_id} not found on this load balancer.")
        elif pool.protocol in DATAGRAMS and monitor.type not in CHECKS_OF_DATAGRAM_POOLS:
            fitting = ", ".join(sorted(CHECKS_OF_DATAGRAM_POOLS))
            yield Invalid(
                f"A {pool.protocol} pool cannot have a health monitor of type {monitor.type}. It can have {fitting}."
            )
        elif pool.protocol not in DATAGRAMS and monitor.type in DATAGRAM_CHECKS:
            yield Invalid(f"A health monitor of type {monitor.type} needs a UDP or SCTP pool, not {called(pool)}.")


REQUEST = ("http_method", "url_path", "expected_codes")


def requests_unsent(type_: str, names: Container[str]) -> Faults:
    """What these fields say of a request is for nothing where a monitor of this type sends none."""
    for name in REQUEST:
        if name in names and type_ not in HTTP_CHECKS:
            yield Invalid(f"{name} needs a health monitor of type HTTP or HTTPS, not {type_}.")


def monitor_requests(graph: Graph) -> Faults:
    for monitor in graph.health_monitors:
        yield from requests_unsent(monitor.type, [name for name in REQUEST if getattr(monitor, name) is not None])
        if monitor.http_version not in (None, 1.0, 1.1):
            yield Invalid(f"http_version {monitor.http_version} is unknown. It can be 1.0 or 1.1.")
        if monitor.domain_name is not None and monitor.http_version != 1.1:
            yield Invalid("domain_name needs http_version 1.1: there is no Host header in earlier versions.")


LAWS: tuple[Callable[[Graph], Faults], ...] = (
    addresses,
    distinct_subnets,
    security_groups,
    listener_ports,
    default_pools,
    headers,
    certificates,
    tls_lists,
    strict_transport,
    allowed_networks,
    persistence,
    revocations,
    distinct_members,
    member_addresses,
    member_versions,
    direct_members,
    one_monitor,
    monitor_types,
    monitor_requests,
    *l7laws.LAWS,
)
