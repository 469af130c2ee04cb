"""The schemas of answers that no declaration is behind: status tree, statistics, versions, and other reports."""

from msgspec import Struct
from msgspec import inspect as mi

from octavia.api.operation import Schema
from octavia.api.schemas import an_object, listed, nullable, of, reference
from octavia.store.query import AmphoraStatistics, Progress, Statistics

TEXT: Schema = {"type": "string"}
NODE: dict[str, Schema] = {
    "id": TEXT,
    "name": TEXT,
    "operating_status": TEXT,
    "provisioning_status": TEXT,
}
VERSION = an_object(
    {
        "id": {"type": "string", "pattern": r"^v2\.[0-9]+$"},
        "status": {"type": "string", "enum": ["CURRENT", "SUPPORTED"]},
        "updated": TEXT,
        "links": listed(an_object({"href": TEXT, "rel": TEXT})),
    }
)


def answer_of(struct: type[Struct]) -> Schema:
    return of(mi.type_info(struct))


def reported() -> dict[str, Schema]:
    """Name to schema."""
    return {
        "version": VERSION,
        "status_listener": an_object(NODE | {"pools": listed(reference("status_pool"))}),
        "status_pool": an_object(
            NODE
            | {
                "health_monitor": nullable(an_object(NODE | {"type": TEXT})),
                "members": listed(an_object(NODE | {"address": TEXT, "protocol_port": {"type": "integer"}})),
            }
        ),
        "status_tree": an_object(
            {"loadbalancer": an_object(NODE | {"listeners": listed(reference("status_listener"))})}
        ),
        "statistics": answer_of(Statistics),
        "amphora_statistics": answer_of(AmphoraStatistics),
        "progress": answer_of(Progress),
        "provider": an_object({"name": TEXT, "description": TEXT}, required=()),
    }
