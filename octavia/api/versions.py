"""Which versions of the API there are. They are documentation: every field is always on."""

from typing import Any

from octavia.api.call import Call

NEWEST = 30
UPDATED = "2016-12-11T00:00:00Z"


def version(minor: int, base: str) -> dict[str, Any]:
    return {
        "id": f"v2.{minor}",
        "status": "CURRENT" if minor == NEWEST else "SUPPORTED",
        "updated": UPDATED,
        "links": [{"href": f"{base}/v2", "rel": "self"}],
    }


def all_versions(call: Call) -> dict[str, Any]:
    return {"versions": [version(minor, call.base) for minor in range(NEWEST + 1)]}


def this_version(call: Call) -> dict[str, Any]:
    """What a client finds that was pointed at /v2, as a load balancer endpoint or as a network one."""
    return {"version": version(NEWEST, call.base)}


def project(call: Call) -> dict[str, Any]:
    """Without an identity service every project id is one; clients ask before they show its quota."""
    identifier = call.ids["id"]
    return {"project": {"id": identifier, "name": identifier, "domain_id": "default", "enabled": True}}
