"""What a profile may say: a JSON object of known keys with fitting values, and a sentence for anything else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octavia.domain.capabilities import CAPABILITIES, values
from octavia.domain.catalogue import AvailabilityZoneProfile, FlavorProfile
from octavia.domain.refusal import Invalid, NotOffered, Refusal
from tests.builders import NOW


def flavor(text: str) -> FlavorProfile:
    return FlavorProfile(id="i", name="n", provider_name="amphora", flavor_data=text, created_at=NOW)


def zone(text: str) -> AvailabilityZoneProfile:
    return AvailabilityZoneProfile(
        id="i", name="n", provider_name="amphora", availability_zone_data=text, created_at=NOW
    )


GOOD: list[dict[str, Any]] = [
    {},
    {"loadbalancer_topology": "SINGLE"},
    {"loadbalancer_topology": "ACTIVE_STANDBY", "sriov_vip": True, "allow_member_sriov": False},
    {"compute_flavor": "m1", "amp_image_tag": "t" * 255},
]


@pytest.mark.parametrize("data", GOOD)
def test_what_fits_is_taken(data: dict[str, Any]) -> None:
    assert values(flavor(json.dumps(data))) == data


def test_a_zone_has_words_of_its_own() -> None:
    data = {"compute_zone": "a", "volume_zone": "b", "management_network": "c", "valid_vip_networks": ["d", "e"]}
    assert values(zone(json.dumps(data))) == data
    with pytest.raises(NotOffered, match="availability_zone_data option 'compute_flavor'"):
        values(zone('{"compute_flavor": "x"}'))


BAD: list[tuple[type[Refusal], str]] = [
    (Invalid, ""),
    (Invalid, "{"),
    (Invalid, "[]"),
    (Invalid, "null"),
    (Invalid, '"SINGLE"'),
    (Invalid, "[" * 2000),
    (Invalid, "\ud800"),
    (Invalid, '{"loadbalancer_topology": "BOTH"}'),
    (Invalid, '{"loadbalancer_topology": ["SINGLE"]}'),
    (Invalid, '{"loadbalancer_topology": {}}'),
    (Invalid, '{"loadbalancer_topology": null}'),
    (Invalid, '{"sriov_vip": "true"}'),
    (Invalid, '{"sriov_vip": 1}'),
    (Invalid, '{"compute_flavor": ""}'),
    (Invalid, '{"compute_flavor": 7}'),
    (NotOffered, '{"colour": "red"}'),
    (NotOffered, '{"": 1}'),
    (NotOffered, json.dumps({"x" * 4000: 1})),
]


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_what_does_not_fit_is_said(kind: type[Refusal], text: str) -> None:
    with pytest.raises(kind) as caught:
        values(flavor(text))
    assert caught.value.sentence.endswith(".")
    assert len(caught.value.sentence) < 600


@given(st.sampled_from([flavor, zone]), st.data())
def test_any_text_is_taken_or_refused(made: Any, data: st.DataObject) -> None:
    known = [capability.name for row in CAPABILITIES.values() for capability in row]
    anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4)
    objects = st.dictionaries(st.sampled_from(known) | st.text(max_size=5), anything, max_size=3).map(json.dumps)
    text = data.draw(objects | st.text(max_size=20))
    try:
        assert values(made(text)) == json.loads(text)
    except (Invalid, NotOffered) as refusal:
        assert refusal.sentence.endswith(".")  # noqa: PT017
