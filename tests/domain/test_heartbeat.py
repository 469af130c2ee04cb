"""A heartbeat comes out as it went in, and nothing else comes out at all."""

import hashlib
import hmac
import struct
import uuid
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from octavia.domain.heartbeat import (
    FORMAT,
    HEAD,
    MAC,
    MAX_BODY,
    BadHeartbeat,
    Heartbeat,
    ListenerReport,
    PoolReport,
    amphora_key,
    decode,
    encode,
)

MASTER = b"m" * 32
COUNTER = st.integers(0, 2**63 - 1)
ID = st.uuids().map(str)
LISTENER = st.builds(
    ListenerReport,
    status=st.sampled_from(["OPEN", "FULL"]),
    bytes_in=COUNTER,
    bytes_out=COUNTER,
    active_connections=COUNTER,
    total_connections=COUNTER,
    request_errors=COUNTER,
)
POOL = st.builds(
    PoolReport, status=st.sampled_from(["UP", "DOWN"]), members=st.dictionaries(ID, st.text(max_size=9), max_size=3)
)
BEATS = st.builds(
    Heartbeat,
    protocol=st.integers(0, 99),
    amphora_id=ID,
    boot_id=ID,
    sequence=COUNTER,
    time=st.floats(0, 2**33),
    edge=st.booleans(),
    generations=st.dictionaries(ID, COUNTER, max_size=2),
    listeners=st.dictionaries(ID, LISTENER, max_size=2),
    pools=st.dictionaries(st.text(max_size=9), POOL, max_size=2),
)


def signed(beat: Heartbeat) -> bytes:
    return encode(beat, amphora_key(MASTER, beat.amphora_id))


def plain(**fields: Any) -> Heartbeat:
    given_: dict[str, Any] = {
        "protocol": 1,
        "amphora_id": "00000000-0000-4000-8000-000000000001",
        "boot_id": "b",
        "sequence": 1,
        "time": 0.0,
        "generations": {},
        "listeners": {},
        "pools": {},
    }
    return Heartbeat(**given_ | fields)


@given(BEATS)
def test_round_trip(beat: Heartbeat) -> None:
    assert decode(signed(beat), MASTER) == beat


@given(st.binary(max_size=200))
def test_noise_is_a_bad_heartbeat(noise: bytes) -> None:
    for datagram in (noise, bytes([FORMAT]) + noise):
        with pytest.raises(BadHeartbeat):
            decode(datagram, MASTER)


@given(BEATS, st.data())
def test_a_single_changed_bit_is_seen(beat: Heartbeat, data: st.DataObject) -> None:
    datagram = bytearray(signed(beat))
    bit = data.draw(st.integers(0, len(datagram) * 8 - 1))
    datagram[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadHeartbeat):
        decode(bytes(datagram), MASTER)


@given(BEATS, st.integers(0, 400))
def test_a_shortened_or_lengthened_one_is_seen(beat: Heartbeat, length: int) -> None:
    datagram = signed(beat)
    for wrong in (datagram[: min(length, len(datagram) - 1)], datagram + b"\0" * (length + 1)):
        with pytest.raises(BadHeartbeat):
            decode(wrong, MASTER)


@given(BEATS)
def test_nobody_speaks_without_the_key(beat: Heartbeat) -> None:
    for key in (b"", MASTER, amphora_key(b"other", beat.amphora_id), amphora_key(MASTER, "somebody else")):
        with pytest.raises(BadHeartbeat, match="signature"):
            decode(encode(beat, key), MASTER)


def body(raw: bytes, amphora_id: str = plain().amphora_id) -> bytes:
    """A rightly signed datagram with any body: what a broken or hostile agent can send."""
    said = bytes([FORMAT]) + uuid.UUID(amphora_id).bytes + raw
    return said + hmac.digest(amphora_key(MASTER, amphora_id), said, hashlib.sha256)


@given(st.binary(max_size=100))
def test_a_signed_body_may_be_noise(noise: bytes) -> None:
    for raw in (noise, zlib.compress(noise)):
        with pytest.raises(BadHeartbeat):
            decode(body(raw), MASTER)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(Heartbeat.__struct_fields__), JSON))
def test_a_signed_body_may_be_any_json(said: dict[str, Any]) -> None:
    said.pop("protocol", None)
    with pytest.raises(BadHeartbeat):
        decode(body(zlib.compress(msgspec.json.encode(said))), MASTER)


def test_one_amphora_does_not_speak_for_another() -> None:
    raw = zlib.compress(msgspec.json.encode(plain(amphora_id="00000000-0000-4000-8000-000000000002")))
    with pytest.raises(BadHeartbeat, match="speaks for"):
        decode(body(raw), MASTER)


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(BadHeartbeat, match="more than"):
        decode(body(zlib.compress(b" " * (MAX_BODY + 1))), MASTER)


@pytest.mark.parametrize(
    "text", [b"\xff", b'{"x": "\xff"}', b'{"boot_id": "\xed\xa0\x80"}', b'{"boot_id": "\\ud800"}', b"\xef\xbb\xbf{}"]
)
def test_bad_text(text: bytes) -> None:
    with pytest.raises(BadHeartbeat):
        decode(body(zlib.compress(text)), MASTER)


def test_deep_nesting_and_cut_streams() -> None:
    whole = zlib.compress(msgspec.json.encode(plain()))
    nested = (zlib.compress(start + b"[" * 100_000) for start in (b"", b'{"x":', b'{"generations":'))
    for raw in (*nested, whole[:-1], whole + b"more", b""):
        with pytest.raises(BadHeartbeat):
            decode(body(raw), MASTER)


def test_numbers_out_of_range() -> None:
    good = msgspec.json.encode(plain())
    for wrong in (b"1e999", b"-1e999", b"NaN", b"1" + b"0" * 400):
        with pytest.raises(BadHeartbeat):
            decode(body(zlib.compress(good.replace(b'"time":0.0', b'"time":' + wrong))), MASTER)


def test_the_layout() -> None:
    datagram = signed(plain())
    assert datagram[0] == FORMAT
    assert datagram[1:HEAD].hex() == plain().amphora_id.replace("-", "")
    assert len(datagram[-MAC:]) == 32
    assert struct.calcsize("B16s") == HEAD
