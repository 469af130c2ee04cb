"""What operators offer: flavors, availability zones, and the profiles behind them; providers and what they can."""

import json
from typing import Any

from tests.conformance.bench import Bench
from tests.conformance.language import WHOLE, Ask, Fact, Row, Table, change, delete, get, keys, listed, named, new, show
from tests.conformance.nouns import GONE, NIL, collection
from tests.conformance.places import NET
from tests.conformance.suite import check, each

LONG, TOO_LONG = "x" * 255, "x" * 256
FLAVOR_KEYS = {"loadbalancer_topology", "compute_flavor", "amp_image_tag", "sriov_vip", "allow_member_sriov"}
ZONE_KEYS = {"compute_zone", "volume_zone", "management_network", "valid_vip_networks"}


def data(**values: Any) -> str:
    return json.dumps(values)


def profile_rows(noun: str, field: str, good: list[dict[str, Any]], bad: list[dict[str, Any]]) -> list[Row]:
    user = noun.removesuffix("_profile").removesuffix("profile")
    in_use = [show(user)]
    return [
        *(Row(f"{noun}: {field} {value} is taken", new(noun, **{field: data(**value)}), 201, {field: data(**value)})
          for value in good),
        *(Row(f"{noun}: {field} {value} is refused", new(noun, **{field: data(**value)}), 400, next(iter(value)))
          for value in bad),
        Row(f"{noun}: an unknown key is not supported", new(noun, **{field: data(colour="red")}), 501, "colour"),
        Row(f"{noun}: no JSON", new(noun, **{field: "{"}), 400, field),
        Row(f"{noun}: JSON, but no object", new(noun, **{field: "[]"}), 400, field),
        Row(f"{noun}: an object in the place of a text", new(noun, **{field: {"compute_zone": "nova"}}), 400, field),
        Row(f"{noun}: 4097 characters", new(noun, **{field: " " * 4090 + '{"a": 1}'}), 400, field),
        *(Row(f"{noun}: without {name}", new(noun, **{name: None}), 400, name)
          for name in ("name", "provider_name", field)),
        Row(f"{noun}: a name of 255 characters", new(noun, name=LONG), 201, {"name": LONG}),
        Row(f"{noun}: a name of 256 characters", new(noun, name=TOO_LONG), 400, "name"),
        Row(f"{noun}: names need not be unique", new(noun), 201, {"name": "profile"}, [show(noun)]),
        Row(f"{noun}: a provider that is not enabled", new(noun, provider_name="nobody"), 400, "nobody"),
        Row(f"{noun}: PUT of the name", change(noun, name="b"), 200, {"name": "b"}),
        Row(f"{noun}: PUT of the data", change(noun, **{field: data(**good[-1])}), 200, {field: data(**good[-1])}),
        Row(f"{noun}: PUT of bad data", change(noun, **{field: "{"}), 400, field),
        Row(f"{noun}: PUT of an unknown key", change(noun, **{field: data(colour="red")}), 501, "colour"),
        Row(f"{noun}: PUT of the provider", change(noun, provider_name="octavia"), 200, {"provider_name": "octavia"}),
        Row(f"{noun}: an empty PUT changes nothing", change(noun), 200, {"name": "profile"}),
        Row(f"{noun}: PUT of the data while it is used", change(noun, **{field: data(**good[-1])}), 409, None, in_use),
        Row(f"{noun}: PUT of the provider while it is used", change(noun, provider_name="octavia"), 409, None, in_use),
        Row(f"{noun}: PUT of the name while it is used", change(noun, name="b"), 200, {"name": "b"}, in_use),
        Row(f"{noun}: it cannot go while it is used", delete(noun), 409, "in use", in_use),
        Row(f"{noun}: it may go", delete(noun), 204, None, [show(noun)]),
        Row(f"{noun}: it may go once its user has gone", delete(noun), 204, None, [show(user), delete(user)]),
        Row(f"{noun}: the nil id cannot be deleted", Ask("DELETE", f"{collection(noun)}/{NIL}"), 404, None),
    ]  # fmt: skip


def offer_rows(noun: str, profile: str, field: str, used: Any, name: str) -> list[Row]:
    used_by = [new("loadbalancer", **used)]
    return [
        Row(f"{noun}: enabled by default", new(noun), 201, {"enabled": True, "description": ""}),
        Row(f"{noun}: a name is needed", new(noun, name=None), 400, "name"),
        Row(f"{noun}: a name of 255 characters", new(noun, name="{project}" + "x" * 219), 201, {"enabled": True}),
        Row(f"{noun}: a name of 256 characters", new(noun, name=TOO_LONG), 400, "name"),
        Row(f"{noun}: a description of 256 characters", new(noun, description=TOO_LONG), 400, "description"),
        Row(f"{noun}: names are unique", new(noun), 409, name, [show(noun)]),
        Row(f"{noun}: a profile is needed", new(noun, **{field: None}), 400, field),
        Row(f"{noun}: a profile that is not there", new(noun, **{field: GONE}), 400, GONE),
        Row(f"{noun}: enabled as text", new(noun, enabled="no"), 201, {"enabled": False}),
        Row(f"{noun}: enabled that is neither", new(noun, enabled="perhaps"), 400, "enabled"),
        Row(f"{noun}: PUT of the description", change(noun, description="d"), 200, {"description": "d"}),
        Row(f"{noun}: PUT null clears the description", change(noun, description=None), 200, {"description": ""},
            [change(noun, description="d")]),
        Row(f"{noun}: PUT of enabled", change(noun, enabled=False), 200, {"enabled": False}),
        Row(f"{noun}: PUT of the profile", change(noun, **{field: f"{{{profile}}}"}), 400, "Unknown attribute"),
        Row(f"{noun}: an empty PUT changes nothing", change(noun), 200, {"enabled": True}),
        Row(f"{noun}: it cannot go while a load balancer uses it", delete(noun), 409, "in use", used_by),
        Row(f"{noun}: it may go", delete(noun), 204, None, [show(noun)]),
        Row(f"{noun}: a load balancer of it", new("loadbalancer", **used), 201, used),
        Row(f"{noun}: a disabled one is refused", new("loadbalancer", **used), 400, None,
            [change(noun, enabled=False)]),
        Row(f"{noun}: the provider must be its profile's", new("loadbalancer", provider="octavia", **used), 400, None),
        Row(f"{noun}: its provider is taken", new("loadbalancer", provider="amphora", **used), 201, used),
    ]  # fmt: skip


def list_rows(noun: str, links: str, plural: str) -> list[Row]:
    own = "name={project}"
    named_so = named("it", noun, name="{project}")
    return [
        Row(f"{noun}: root keys of a list", listed(noun), 200, {WHOLE: keys(plural, links)}),
        Row(f"{noun}: by name", listed(noun, own), 200, [{"name": "{project}"}], [named_so]),
        Row(f"{noun}: fields", listed(noun, f"{own}&fields=name"), 200,
            [Fact("the name alone", lambda row: set(row) == {"name"})], [named_so]),
        Row(f"{noun}: an unknown filter", listed(noun, "colour=red"), 400, "One or more arguments"),
        Row(f"{noun}: sorted backwards", listed(noun, "sort=name:desc"), 200,
            Fact("descending", lambda rows: [row["name"] for row in rows] == sorted(
                (row["name"] for row in rows), reverse=True)), [named_so, named("other", f"other {noun}")]),
        Row(f"{noun}: a page", listed(noun, "limit=1"), 200, {WHOLE: Fact("one and next", lambda answer: (
            len(answer[plural]) == 1 and answer[links][0]["rel"] == "next"))}, [named_so]),
        Row(f"{noun}: behind a marker", listed(noun, f"{own}&marker={{it}}"), 200, [], [named_so]),
        Row(f"{noun}: before a marker", listed(noun, f"{own}&marker={{it}}&page_reverse=True"), 200, [], [named_so]),
        Row(f"{noun}: a marker that is not there", listed(noun, f"marker={GONE}"), 400, None),
        Row(f"{noun}: the nil id is in no list", listed(noun), 200,
            Fact("no nil id", lambda rows: NIL not in str(rows))),
    ]  # fmt: skip


FLAVOR = [
    Row("PUT of a flavor's name", change("flavor", name="{project}"), 200, {"name": "{project}"}),
    Row("PUT of a flavor's name to one that is taken", change("flavor", name="other flavor of {project}"), 409, None,
        [show("other flavor")]),
    Row("PUT of a flavor's own name", change("flavor", name="flavor of {project}"), 200, None),
    Row("PUT of a flavor: enabled null is the default", change("flavor", enabled=None), 200, {"enabled": True},
        [change("flavor", enabled=False)]),
    Row("request_sriov with a flavor that allows it",
        Ask("POST", "/v2/lbaas/pools/{sriov pool}/members",
            {"member": {"address": "192.0.2.1", "protocol_port": 80, "request_sriov": True}}), 201,
        {"vnic_type": "direct"},
        [named("sriov profile", "flavorprofile", flavor_data=data(allow_member_sriov=True)),
         named("sriov flavor", "flavor", flavor_profile_id="{sriov profile}"),
         named("sriov", "loadbalancer", flavor_id="{sriov flavor}"),
         named("sriov pool", "pool", loadbalancer_id="{sriov}")]),
    Row("a flavor with sriov_vip makes the VIP direct", new("loadbalancer", flavor_id="{sriov flavor}"), 201,
        {"vip_vnic_type": "direct"},
        [named("sriov profile", "flavorprofile", flavor_data=data(sriov_vip=True)),
         named("sriov flavor", "flavor", flavor_profile_id="{sriov profile}")]),
    Row("no security groups on a direct VIP",
        new("loadbalancer", flavor_id="{sriov flavor}", vip_sg_ids=["{group}"]), 400, "vip_sg_ids",
        [named("sriov profile", "flavorprofile", flavor_data=data(sriov_vip=True)),
         named("sriov flavor", "flavor", flavor_profile_id="{sriov profile}")]),
    Row("a zone's name cannot be changed", change("availability_zone", name="b"), 400, "Unknown attribute"),
    Row("a zone is found by its name", show("availability_zone"), 200, {"name": "zone-of-{project}"}),
    Row("a zone has no id", show("availability_zone"), 200, Fact("no id", lambda found: "id" not in found)),
    Row("PUT of a zone: enabled null is the default", change("availability_zone", enabled=None), 200,
        {"enabled": True}, [change("availability_zone", enabled=False)]),
    Row("a zone's list of networks overrides the operator's",
        new("loadbalancer", vip_subnet_id="{elsewhere}", availability_zone="{tight zone}"), 400, None,
        [named("tight", "availability_zone_profile", availability_zone_data=data(valid_vip_networks=[NET])),
         named("tight zone", "availability_zone", name="tight-{project}", availability_zone_profile_id="{tight}")]),
    Row("zones may have 255 characters in a load balancer", new("loadbalancer", availability_zone=LONG), 400,
        LONG[:50]),
]  # fmt: skip


def capabilities(path: str, plural: str, expected: set[str]) -> list[Row]:
    first = sorted(expected)[0]
    return [
        Row(f"{plural}: their names", get(f"providers/amphora/{path}"), 200,
            Fact("the names", lambda rows: {row["name"] for row in rows} == expected)),
        Row(f"{plural}: name and description", get(f"providers/amphora/{path}"), 200,
            Fact("two keys", lambda rows: all(set(row) == {"name", "description"} for row in rows))),
        Row(f"{plural}: the root key", get(f"providers/amphora/{path}"), 200, {WHOLE: Fact(
            plural, lambda answer: plural in answer)}),
        Row(f"{plural}: by name", get(f"providers/amphora/{path}", f"name={first}"), 200, [{"name": first}]),
        Row(f"{plural}: by another name", get(f"providers/amphora/{path}", "name=nobody"), 200, []),
        Row(f"{plural}: an unknown filter", get(f"providers/amphora/{path}", "colour=red"), 400, None),
        Row(f"{plural}: a provider that is not enabled", get(f"providers/nobody/{path}"), 400, "nobody"),
    ]  # fmt: skip


PROVIDERS = [
    Row("the providers", get("providers"), 200, Fact("amphora and octavia", lambda rows: {
        row["name"] for row in rows} >= {"amphora", "octavia"})),
    Row("providers: name and description", get("providers"), 200,
        Fact("two keys", lambda rows: all(set(row) == {"name", "description"} for row in rows))),
    Row("providers have no links", get("providers"), 200, {WHOLE: keys("providers")}),
    Row("providers: fields", get("providers", "fields=name"), 200,
        Fact("names", lambda rows: all(set(row) == {"name"} for row in rows))),
    Row("providers: an unknown argument", get("providers", "colour=red"), 400, None),
    Row("providers: no limit", get("providers", "limit=1"), 400, None),
    *capabilities("flavor_capabilities", "flavor_capabilities", FLAVOR_KEYS),
    *capabilities("availability_zone_capabilities", "availability_zone_capabilities", ZONE_KEYS),
]  # fmt: skip

TABLES = [
    Table("11", "Flavor profiles", profile_rows("flavorprofile", "flavor_data",
        [{"loadbalancer_topology": "ACTIVE_STANDBY"}, {"compute_flavor": "m1"}, {"amp_image_tag": "t"},
         {"sriov_vip": True}, {"allow_member_sriov": True}, {"loadbalancer_topology": "SINGLE", "compute_flavor": "m"}],
        [{"loadbalancer_topology": "TRIPLE"}, {"compute_flavor": 7}, {"sriov_vip": "perhaps"}])),
    Table("11", "Availability zone profiles", profile_rows("availability_zone_profile", "availability_zone_data",
        [{"compute_zone": "a"}, {"volume_zone": "b"}, {"management_network": NIL.replace("0", "1")},
         {"valid_vip_networks": [NIL.replace("0", "1")]}, {"compute_zone": "c", "volume_zone": "d"}],
        [{"compute_zone": 7}, {"valid_vip_networks": "x"}])),
    Table("11", "Flavors", offer_rows("flavor", "flavorprofile", "flavor_profile_id", {"flavor_id": "{flavor}"},
                                      "flavor of {project}")),
    Table("11", "Availability zones", offer_rows(
        "availability_zone", "availability_zone_profile", "availability_zone_profile_id",
        {"availability_zone": "{availability_zone}"}, "zone-of-{project}")),
    Table("11", "What flavors and zones mean", FLAVOR),
    Table("11", "Lists of them", [
        *list_rows("flavor", "flavors_links", "flavors"),
        *list_rows("flavorprofile", "flavorprofile_links", "flavorprofiles"),
        *list_rows("availability_zone", "availability_zones_links", "availability_zones"),
        *list_rows("availability_zone_profile", "availability_zone_profiles_links", "availability_zone_profiles"),
    ]),
    Table("11", "Providers and their capabilities", PROVIDERS),
]  # fmt: skip


@each(TABLES)
def test_offer(bench: Bench, row: Row) -> None:
    check(bench, row)
