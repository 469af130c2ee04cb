"""A load balancer by openstacksdk, in a process of its own. Usage: sdk.py ENDPOINT make|look|remove WORDS...

`make ADDRESS PORT ADDRESS PORT` prints the load balancer, `look ID` its statistics, `remove ID` nothing.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import openstack

NAME = "by-sdk"


def make(cloud: Any, *words: str) -> dict[str, Any]:
    """A load balancer with a listener, a pool, members and a monitor is ACTIVE."""
    lb = cloud.load_balancer.create_load_balancer(name=NAME, vip_subnet_id=cloud.network.find_subnet("demo").id)
    cloud.load_balancer.wait_for_load_balancer(lb.id, interval=0.1)
    listener = cloud.load_balancer.create_listener(
        name="front", load_balancer_id=lb.id, protocol="HTTP", protocol_port=80
    )
    pool = cloud.load_balancer.create_pool(
        name="back", listener_id=listener.id, protocol="HTTP", lb_algorithm="ROUND_ROBIN"
    )
    for address, port in zip(words[::2], words[1::2], strict=True):
        cloud.load_balancer.create_member(pool.id, address=address, protocol_port=int(port))
    cloud.load_balancer.create_health_monitor(
        pool_id=pool.id, type="HTTP", delay=1, timeout=1, max_retries=1, url_path="/"
    )
    cloud.load_balancer.wait_for_load_balancer(lb.id, interval=0.1)
    return {"id": lb.id, "vip_address": lb.vip_address}


def look(cloud: Any, identifier: str) -> dict[str, Any]:
    """It is found by its name, with all that is below it; it can be changed and read back."""
    api = cloud.load_balancer
    assert api.find_load_balancer(NAME).id == identifier
    assert api.find_load_balancer("nobody") is None
    assert [lb.id for lb in api.load_balancers(name=NAME)] == [identifier]
    pool = api.find_pool("back")
    assert [listener.default_pool_id for listener in api.listeners(load_balancer_id=identifier)] == [pool.id]
    member, other = api.members(pool.id)
    assert api.update_member(member.id, pool.id, weight=7).weight == 7
    api.delete_member(other.id, pool.id)
    api.update_load_balancer(identifier, description="words")
    api.wait_for_load_balancer(identifier, interval=0.1)
    assert [(one.id, one.weight) for one in api.members(pool.id)] == [(member.id, 7)]
    assert api.get_load_balancer(identifier).description == "words"
    return {"total_connections": api.get_load_balancer_statistics(identifier).total_connections}


def remove(cloud: Any, identifier: str) -> None:
    """The load balancer is gone with all that is below it."""
    found = cloud.load_balancer.get_load_balancer(identifier)
    cloud.load_balancer.delete_load_balancer(identifier, cascade=True)
    cloud.load_balancer.wait_for_delete(found, interval=0.1)


VERBS: dict[str, Callable[..., Any]] = {"make": make, "look": look, "remove": remove}

if __name__ == "__main__":
    connection = openstack.connect(
        load_envvars=False,
        load_yaml_config=False,
        auth_type="none",
        load_balancer_endpoint_override=sys.argv[1],
        network_endpoint_override=sys.argv[1] + "/v2.0",
    )
    print(json.dumps(VERBS[sys.argv[2]](connection, *sys.argv[3:])))
