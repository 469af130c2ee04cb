"""What the text of an option becomes: its type's value, or a sentence that says what was expected."""

from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final

from msgspec import inspect
from oslo_config import types

from octavia.settings.options import LocalSubnet

ALIASES: Final = {
    "compute_noop_driver": "noop",
    "network_noop_driver": "noop",
    "amphora_noop_driver": "noop",
    "amphora_haproxy_rest_driver": "https",
}
"""Upstream's names of drivers, and ours."""
INSTEAD: Final = {"compute_nova_driver": "auto", "allowed_address_pairs_driver": "local"}
"""Upstream's names of drivers that there are none of, and what is used in their place; said as a warning."""


def reader(kind: Any) -> tuple[Callable[[str], Any], str]:
    """What makes a value of a text, and what it expects, in words."""
    if isinstance(kind, inspect.Metadata):
        return reader(kind.type)
    if isinstance(kind, inspect.UnionType):
        return reader(next(inner for inner in kind.types if not isinstance(inner, inspect.NoneType)))
    if isinstance(kind, inspect.BoolType):
        return types.Boolean(), "true or false"
    if isinstance(kind, inspect.IntType):
        return types.Integer(min=kind.ge, max=kind.le), f"a whole number{bounds(kind)}"
    if isinstance(kind, inspect.FloatType):
        low = kind.gt or 0.0
        return number_above(low), f"a number above {low:g}"
    if isinstance(kind, inspect.LiteralType):
        return chosen(kind.values), "one of " + ", ".join(map(str, kind.values))
    if isinstance(kind, inspect.VarTupleType):
        return lambda text: tuple(types.List()(text)), "a list with commas"
    if isinstance(kind, inspect.CustomType):
        return lambda text: Path(text).expanduser().absolute(), "a path"
    return str, "a text"


def bounds(kind: inspect.IntType) -> str:
    return f" from {kind.ge} to {kind.le}" if kind.le is not None else f" of {kind.ge} or more"


def number_above(low: float) -> Callable[[str], float]:
    def convert(text: str) -> float:
        value = float(text)
        if not low < value < float("inf"):
            raise ValueError(text)
        return value

    return convert


def chosen(values: Sequence[Any]) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        value = ALIASES.get(text) or INSTEAD.get(text) or text
        if value not in values:
            raise ValueError(text)
        return value

    return convert


def subnets_of(lines: Sequence[str]) -> tuple[LocalSubnet, ...]:
    """The subnets of these lines. Raises ValueError with a sentence."""
    subnets = tuple(subnet_of(line) for line in lines)
    names = [subnet.name for subnet in subnets]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name}: two subnets have this name.")
    for number, subnet in enumerate(subnets):
        for other in subnets[:number]:
            if overlap(subnet, other):
                raise ValueError(f"{subnet.name} {subnet.cidr}: it overlaps {other.name} {other.cidr}.")
    return subnets


def overlap(one: LocalSubnet, other: LocalSubnet) -> bool:
    nets = ip_network(one.cidr), ip_network(other.cidr)
    return nets[0].version == nets[1].version and nets[0].overlaps(nets[1])


def subnet_of(line: str) -> LocalSubnet:
    """`NAME CIDR [network=NAME] [gateway=ADDRESS or none]`."""
    name, cidr, *rest = [*line.split(), "", ""]
    more = {key: value for key, _, value in (word.partition("=") for word in rest if word)}
    if not cidr or not set(more) <= {"network", "gateway"} or "" in more.values():
        raise ValueError(f"{line}: NAME CIDR [network=NAME] [gateway=ADDRESS or none] is expected.")
    try:
        net = ip_network(cidr)
        gateway = None if more.get("gateway") == "none" else ip_address(more.get("gateway", str(net[1])))
    except (ValueError, IndexError) as error:
        raise ValueError(f"{line}: {error}.") from None
    if net.num_addresses < 4:
        raise ValueError(f"{line}: {net} has no room for addresses.")
    if gateway is not None and gateway not in net:
        raise ValueError(f"{line}: the gateway {gateway} is not in {net}.")
    return LocalSubnet(
        name=name,
        cidr=str(net),
        network=more.get("network", name),
        gateway=None if gateway is None else str(gateway),
    )
