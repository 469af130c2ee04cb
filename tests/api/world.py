"""An API over a real store and a small network, and a client that says what it expects."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import falcon
from falcon import testing

from octavia.drivers.faults import Refused
from octavia.drivers.network import AddressTaken, FixedIp, Network, NetworkPort, Subnet, SubnetFull

NET = Network(id="net-1", name="demo-net", subnets=("six", "tiny", "demo"))
OTHER_NET = Network(id="net-2", name="other-net", subnets=("other",))


def subnet(identifier: str, cidr: str, network_id: str = NET.id, **fields: Any) -> Subnet:
    return Subnet(
        id=identifier,
        name=f"{identifier}-subnet",
        network_id=network_id,
        cidr=cidr,
        ip_version=ipaddress.ip_network(cidr).version,
        gateway_ip=None,
        allocation_pools=(),
        **fields,
    )


class FakeNetwork:
    """Two networks that hand out addresses in order."""

    def __init__(self) -> None:
        self.places = {
            "six": subnet("six", "2001:db8::/64"),
            "tiny": subnet("tiny", "198.51.100.0/31"),
            "demo": subnet("demo", "192.0.2.0/24"),
            "other": subnet("other", "203.0.113.0/24", OTHER_NET.id),
        }
        self.made: dict[str, NetworkPort] = {}

    def subnets(self) -> tuple[Subnet, ...]:
        return tuple(self.places.values())

    def networks(self) -> tuple[Network, ...]:
        return (NET, OTHER_NET)

    def ports(self) -> tuple[NetworkPort, ...]:
        return tuple(self.made.values())

    def ports_of(self, owner: str) -> tuple[NetworkPort, ...]:
        return tuple(port for port in self.made.values() if port.owner == owner)

    def subnet(self, subnet_id: str) -> Subnet | None:
        return self.places.get(subnet_id)

    def network(self, network_id: str) -> Network | None:
        return next((network for network in self.networks() if network.id == network_id), None)

    def port(self, port_id: str) -> NetworkPort | None:
        return self.made.get(port_id)

    def has_room(self, subnet_id: str, addresses: int) -> bool:
        place = self.places[subnet_id]
        taken = {ip.ip_address for port in self.made.values() for ip in port.fixed_ips if ip.subnet_id == subnet_id}
        return ipaddress.ip_network(place.cidr).num_addresses - len(taken) >= addresses

    def has_qos_policy(self, policy_id: str) -> bool:
        return True

    def has_security_group(self, group_id: str) -> bool:
        return True

    def ensure_port(
        self, *, port_id: str, subnet_id: str, address: str | None, owner: str, device_owner: str
    ) -> NetworkPort:
        place = self.places[subnet_id]
        port = NetworkPort(
            id=port_id,
            network_id=place.network_id,
            owner=owner,
            device_owner=device_owner,
            mac_address="fa:16:3e:00:00:01",
            fixed_ips=(FixedIp(subnet_id, self.free(place, address)),),
        )
        self.made[port_id] = port
        return port

    def free(self, place: Subnet, address: str | None) -> str:
        taken = {ip.ip_address for port in self.made.values() for ip in port.fixed_ips}
        if address and ipaddress.ip_address(address) not in ipaddress.ip_network(place.cidr):
            raise Refused(f"{address} is not in {place.cidr}.")
        if address in taken:
            raise AddressTaken
        for host in [address] if address else map(str, self.hosts(place)):
            if host not in taken:
                return host
        raise SubnetFull

    def hosts(self, place: Subnet) -> Iterator[Any]:
        return iter(ipaddress.ip_network(place.cidr).hosts())

    def lend(self, port_id: str, *fixed: tuple[str, str], owner: str = "") -> None:
        """A port that a user has made."""
        ips = tuple(FixedIp(subnet_id, address) for subnet_id, address in fixed)
        port = NetworkPort(
            id=port_id, network_id=NET.id, owner=owner, device_owner="", mac_address="fa:16:3e:00:00:02", fixed_ips=ips
        )
        self.made[port_id] = port

    def ensure_network(self, network_id: str) -> None:
        pass

    def remove_port(self, port_id: str) -> None:
        self.made.pop(port_id, None)

    def close(self) -> None:
        pass


class Api:
    """Asks, and fails the test when the answer has another status than the one expected."""

    def __init__(self, app: "falcon.App[Any, Any]") -> None:
        self.client = testing.TestClient(app)

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> testing.Result:
        if "body_" in more:
            more["body"] = more.pop("body_")
        return self.client.simulate_request(method, path, **({"json": body} if body is not None else {}), **more)

    def get(self, path: str, status: int = 200, **more: Any) -> Any:
        return self.expect(status, "GET", path, **more)

    def expect(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> Any:
        result = self.ask(method, path, body, **more)
        assert result.status_code == status, f"{method} {path}: {result.status} {result.text}"
        assert result.headers["x-openstack-request-id"].startswith("req-")
        return result.json if result.content else None

    def post(self, path: str, root: str, status: int = 201, **fields: Any) -> Any:
        answer = self.expect(status, "POST", f"/v2/{path}", {root: fields})
        return answer.get(root, answer)

    def put(self, path: str, root: str, status: int = 200, **fields: Any) -> Any:
        answer = self.expect(status, "PUT", f"/v2/{path}", {root: fields})
        return answer.get(root, answer)

    def delete(self, path: str, status: int = 204, **more: Any) -> Any:
        return self.expect(status, "DELETE", f"/v2/{path}", **more)

    def load_balancer(self, **fields: Any) -> str:
        return str(self.post("loadbalancers", "loadbalancer", **{"vip_subnet_id": "demo", **fields})["id"])

    def listener(self, load_balancer_id: str, port: Any = 80, **fields: Any) -> str:
        wish = {"loadbalancer_id": load_balancer_id, "protocol": "HTTP", "protocol_port": port, **fields}
        return str(self.post("listeners", "listener", **wish)["id"])

    def pool(self, load_balancer_id: str, **fields: Any) -> str:
        wish = {"loadbalancer_id": load_balancer_id, "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", **fields}
        return str(self.post("pools", "pool", **wish)["id"])

    def member(self, pool_id: str, address: str = "192.0.2.50", **fields: Any) -> str:
        return str(
            self.post(f"pools/{pool_id}/members", "member", **{"address": address, "protocol_port": 80, **fields})["id"]
        )

    def monitor(self, pool_id: str, **fields: Any) -> str:
        wish = {"pool_id": pool_id, "type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2, **fields}
        return str(self.post("healthmonitors", "healthmonitor", **wish)["id"])
