"""The queue: each id once, at its earliest time, never by two threads at once."""

from hypothesis import given
from hypothesis import strategies as st

from octavia.controller.queue import Queue

KEYS = st.sampled_from("abc")
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), KEYS, st.integers(0, 10)),
        st.tuples(st.just("next"), st.just(""), st.just(0)),
        st.tuples(st.just("free"), KEYS, st.just(0)),
        st.tuples(st.just("later"), st.just(""), st.integers(1, 3)),
    ),
    max_size=40,
)


@given(OPERATIONS)
def test_what_is_due_and_not_busy_comes_out_earliest_first(script: list[tuple[str, str, int]]) -> None:
    queue, due, busy, now = Queue(), dict[str, float](), set[str](), 0.0
    for verb, key, number in script:
        if verb == "add":
            queue.add(key, float(number))
            due[key] = min(due.get(key, float("inf")), float(number))
        elif verb == "free":
            queue.free(key)
            busy.discard(key)
        elif verb == "later":
            now += number
        else:
            ready = {at: other for other, at in due.items() if at <= now and other not in busy}
            taken = queue.poll(now)
            if not ready:
                assert taken is None
                continue
            assert taken is not None
            assert due.pop(taken) == min(ready)
            busy.add(taken)


def test_a_ring_during_a_visit_is_served_after_it() -> None:
    queue = Queue()
    queue.add("a", 0)
    assert queue.next(lambda: 1.0) == "a"
    queue.add("a", 0)
    assert queue.poll(1.0) is None
    queue.free("a")
    assert queue.next(lambda: 1.0) == "a"


def test_a_closed_queue_gives_nothing_out() -> None:
    queue = Queue()
    queue.add("a", 0)
    queue.close()
    assert queue.next(lambda: 1.0) is None
