"""Texts of users come back as they were given: from the answer, from a show, from a list, and by a filter."""

from typing import Any

import pytest

from tests.api.world import Api

TEXTS = [
    "plain",
    "%",
    "%s%%",
    ":name",
    "'",
    '"',
    "\\",
    "\\n",
    "a\nb\t",
    "\x1b\x7f",
    "\u2028",
    "😀 ß Ä",
    "null",
    "{}",
    "-- ;",
]


def nouns(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    top = api.load_balancer()
    pool, listener = api.pool(top), api.listener(top)
    return [
        ("loadbalancers", "loadbalancer", {"vip_subnet_id": "demo"}),
        ("listeners", "listener", {"loadbalancer_id": top, "protocol": "HTTP"}),
        ("pools", "pool", {"loadbalancer_id": top, "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}),
        (f"pools/{pool}/members", "member", {"address": "192.0.2.9"}),
        ("l7policies", "l7policy", {"listener_id": listener, "action": "REJECT"}),
    ]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_back(api: Api, text: str) -> None:
    for at, (path, root, wish) in enumerate(nouns(api)):
        described: dict[str, Any] = {} if root == "member" else {"description": text}
        numbered: dict[str, Any] = {"protocol_port": 1000 + at} if root in ("listener", "member") else {}
        made = api.post(path, root, **wish, **numbered, **described, name=text, tags=[text, "other"])
        given = {"name": text, "tags": sorted([text, "other"])} | described
        again = api.put(f"{path}/{made['id']}", root, name=text, tags=[text, "other"])
        (found,) = api.get(f"/v2/{path}", params={"name": text, "tags": text})[path.split("/")[-1]]
        for shown in (made, again, api.get(f"/v2/{path}/{made['id']}")[root], found):
            assert {name: shown[name] for name in given} == given


@pytest.mark.parametrize("text", [text for text in TEXTS if text.isprintable() and " " not in text])
def test_values_of_rules_come_back(api: Api, text: str) -> None:
    policy = api.post("l7policies", "l7policy", listener_id=api.listener(api.load_balancer()), action="REJECT")["id"]
    path = f"l7policies/{policy}/rules"
    rule: dict[str, Any] = {"type": "PATH", "compare_type": "EQUAL_TO", "value": text}
    made = api.post(path, "rule", **rule)
    (found,) = api.get(f"/v2/{path}", params={"value": text})["rules"]
    assert made["value"] == found["value"] == text


def test_texts_of_a_catalogue_and_of_headers_come_back(api: Api) -> None:
    text = "".join(TEXTS)
    wish: dict[str, Any] = {"name": text, "provider_name": "amphora", "flavor_data": '{"compute_flavor": "😀\'\\"%s"}'}
    made = api.post("flavorprofiles", "flavorprofile", **wish)
    assert api.get(f"/v2/flavorprofiles/{made['id']}")["flavorprofile"] == made == wish | {"id": made["id"]}
    (found,) = api.get("/v2/flavorprofiles", params={"name": text})["flavorprofiles"]
    assert found == made
