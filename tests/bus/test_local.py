"""The bus inside one process."""

from octavia.bus.local import LocalBus


def test_whoever_listens_hears_every_ring_from_then_on() -> None:
    bus, one, two = LocalBus(), list[str](), list[str]()
    bus.ring("nobody listens")
    bus.listen(one.append)
    bus.ring("a")
    bus.listen(two.append)
    bus.ring("b")
    assert (one, two) == (["a", "b"], ["b"])
