"""The API's document with the ids of a scene as its examples, so that what is made up around them comes further."""

import copy
from typing import Any

from octavia.api.operation import Schema
from tests.openapi.scene import BODIES, SUBNET, UNWATCHED, Scene, collection_of, example

ONCE = 90
"""The number of the object that the document's example makes."""
CHANGES: dict[str, Any] = {
    "/v2/quotas/{id}": {"quota": {"listener": 10}},
    "/v2/pools/{pool_id}/members": {"members": [{"address": "192.0.2.99", "protocol_port": 80}]},
}
"""Bodies of PUTs that a name alone is not enough for."""
EVERYTHING: Any = {
    "loadbalancer": {
        "vip_subnet_id": SUBNET,
        "pools": [
            {
                "name": "web",
                "protocol": "HTTP",
                "lb_algorithm": "ROUND_ROBIN",
                "members": [{"address": "192.0.2.50", "protocol_port": 80}],
                "healthmonitor": {"type": "TCP", "delay": 5, "timeout": 3, "max_retries": 2},
            }
        ],
        "listeners": [
            {
                "protocol": "HTTP",
                "protocol_port": 80,
                "default_pool": {"name": "web"},
                "l7policies": [
                    {
                        "action": "REDIRECT_TO_POOL",
                        "redirect_pool": {"name": "web"},
                        "rules": [{"type": "PATH", "compare_type": "STARTS_WITH", "value": "/static"}],
                    }
                ],
            }
        ],
    }
}
"""A load balancer with one of everything."""


def overlaid(document: Schema, scene: Scene) -> Schema:
    found = copy.deepcopy(document)
    for path, item in found["paths"].items():
        fields = item.pop("parameters", [])
        for verb, operation in item.items():
            here = [field | {"example": identifier(scene, path, verb, field["name"])} for field in fields]
            operation["parameters"] = [*operation.get("parameters", []), *here]
            if "requestBody" in operation:
                body = example_of(scene, path, verb, operation)
                operation["requestBody"]["content"]["application/json"]["example"] = body
    return found


def identifier(scene: Scene, path: str, verb: str, name: str) -> str:
    """Of what stays, but for what is deleted."""
    place = "{" + name + "}"
    ids = scene.doomed if verb == "delete" and path.endswith(place) else scene.kept
    collection = collection_of(path, place)
    if path == "/v2/pools/{pool_id}/members" and verb == "put":
        collection = UNWATCHED
    return ids.get(collection, "0b2f7c1e-0000-4c43-9a6e-2f1d3c4b5a69")


def example_of(scene: Scene, path: str, verb: str, operation: Schema, number: int = ONCE) -> Any:
    """A body that is granted; another number makes another object."""
    if path == "/v2/loadbalancers" and verb == "post":
        return EVERYTHING
    if path in BODIES and verb == "post":
        # A pool has one monitor: each further one needs a pool of its own.
        fresh = path == "/v2/healthmonitors" and number != ONCE
        return example(path, number, scene.unwatched(number) if fresh else scene.kept)
    if path in CHANGES:
        return CHANGES[path]
    (root,) = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    field = {"rule": "value", "availability_zone": "description"}.get(root, "name")
    return {root: {field: "changed"}}
