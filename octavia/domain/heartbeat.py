"""The heartbeat: one datagram that says what an amphora sees, signed with that amphora's own key.

Layout: one byte format version, 16 bytes amphora id, zlib of the JSON body, 32 bytes HMAC-SHA256 of all before it.
"""

import hashlib
import hmac
import uuid
import zlib
from typing import Final, Literal

import msgspec
from msgspec import Struct

FORMAT: Final = 1
MAX_BODY: Final = 1 << 20
HEAD: Final = 17
MAC: Final = 32


class ListenerReport(Struct, frozen=True, kw_only=True):
    """Counters since the agent's boot (`boot_id`): they only grow, so a lost heartbeat loses nothing."""

    status: Literal["OPEN", "FULL"]
    bytes_in: int = 0
    bytes_out: int = 0
    active_connections: int = 0
    total_connections: int = 0
    request_errors: int = 0


class PoolReport(Struct, frozen=True, kw_only=True):
    """A pool as one listener sees it."""

    status: Literal["UP", "DOWN"]
    members: dict[str, str]
    """Member id to HAProxy's status: UP, UP 1/3, DOWN, DOWN 2/3, DRAIN, MAINT, no check."""


class Heartbeat(Struct, frozen=True, kw_only=True):
    """What one amphora sees at one time."""

    protocol: int
    """The agent's document protocol."""
    amphora_id: str
    boot_id: str
    """New with every start of the agent."""
    sequence: int
    """Grows with every datagram of one boot: a replay does not."""
    time: float
    """Seconds since 1970, by the amphora's clock."""
    edge: bool = False
    """Sent at once because something changed, not because it was time."""
    generations: dict[str, int]
    """Load balancer id to the generation in force."""
    listeners: dict[str, ListenerReport]
    pools: dict[str, PoolReport]
    """Pool and listener id, joined by a colon, to what that listener sees of the pool."""


class BadHeartbeat(Exception):
    """A datagram that is not to be believed, and why."""


def amphora_key(master: bytes, amphora_id: str) -> bytes:
    """The key of one amphora, derived so that no amphora can speak for another."""
    return hmac.digest(master, b"heartbeat:" + amphora_id.encode(), hashlib.sha256)


def encode(beat: Heartbeat, key: bytes) -> bytes:
    head = bytes([FORMAT]) + uuid.UUID(beat.amphora_id).bytes
    signed = head + zlib.compress(msgspec.json.encode(beat), 1)
    return signed + hmac.digest(key, signed, hashlib.sha256)


def decode(datagram: bytes, master: bytes) -> Heartbeat:
    """The heartbeat in the datagram. Raises BadHeartbeat unless it is whole, signed, and about its sender."""
    if len(datagram) < HEAD + MAC or datagram[0] != FORMAT:
        raise BadHeartbeat("not a heartbeat of this format")
    amphora_id = str(uuid.UUID(bytes=datagram[1:HEAD]))
    signed, mac = datagram[:-MAC], datagram[-MAC:]
    if not hmac.compare_digest(hmac.digest(amphora_key(master, amphora_id), signed, hashlib.sha256), mac):
        raise BadHeartbeat(f"wrong signature in the name of amphora {amphora_id}")
    beat = parsed(signed[HEAD:])
    if beat.amphora_id != amphora_id:
        raise BadHeartbeat(f"amphora {amphora_id} speaks for {beat.amphora_id}")
    return beat


def parsed(body: bytes) -> Heartbeat:
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(body, MAX_BODY)
        if inflate.unconsumed_tail:
            raise BadHeartbeat(f"a body of more than {MAX_BODY} bytes")
        if not inflate.eof or inflate.unused_data:
            raise BadHeartbeat("a body that was cut short, or has something after its end")
        return msgspec.json.decode(text, type=Heartbeat)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadHeartbeat(f"a body that cannot be read: {error}") from None
