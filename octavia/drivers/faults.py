"""How a port says that it could not make something true, and how tests make the in-memory adapters say so."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
ANY = "*"
Effect = Callable[[], Any]


class PortFault(Exception):
    """It did not work this time; trying again later may help. Carries one sentence for operators."""


class Refused(PortFault):
    """It will not work until the wish, or the set-up, is another one."""


class Crash(BaseException):
    """Our process died here, as a test plays it: no `except Exception` survives it."""


class Faults:
    """What shall go wrong with the in-memory adapters. They may share one: verbs bear the port's name
    (`compute.ensure`, `network.remove_port`, `agent.state`); ANY is whatever is called next.

    Each order is for `times` calls, after `skip` calls that are let through. The oldest order that fits rules.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Order] = []

    def fail(self, verb: str, times: int = 1, *, skip: int = 0, fault: Exception | None = None) -> None:
        """The call raises, and has changed nothing."""

        def play(called: str, effect: Effect) -> Any:
            raise fault or PortFault(f"{called} fails, as it was told to.")

        self._order(Order(verb, times, skip, play))

    def hang(self, verb: str, times: int = 1, *, skip: int = 0) -> threading.Event:
        """The call does not begin until the event is set."""
        release = threading.Event()

        def play(called: str, effect: Effect) -> Any:
            release.wait()
            return effect()

        self._order(Order(verb, times, skip, play))
        return release

    def lie(self, verb: str, answer: Any, times: int = 1, *, skip: int = 0) -> None:
        """The call returns this, and has changed nothing."""
        self._order(Order(verb, times, skip, lambda called, effect: answer))

    def crash_before(self, verb: str, *, skip: int = 0) -> None:
        """Our process dies before anything has changed."""

        def play(called: str, effect: Effect) -> Any:
            raise Crash(f"before {called}")

        self._order(Order(verb, 1, skip, play))

    def crash_after(self, verb: str, *, skip: int = 0) -> None:
        """Our process dies when the change is made, before anybody has learnt of it."""

        def play(called: str, effect: Effect) -> Any:
            effect()
            raise Crash(f"after {called}")

        self._order(Order(verb, 1, skip, play))

    @property
    def pending(self) -> bool:
        """Whether something that was ordered has not happened yet."""
        with self._lock:
            return bool(self._orders)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._orders.clear()

    def around(self, verb: str, effect: Callable[[], T]) -> T:
        """What the call of this verb comes to: its effect, unless there is an order for it."""
        order = self._next(verb)
        return effect() if order is None else order.play(verb, effect)

    def _order(self, order: "Order") -> None:
        with self._lock:
            self._orders.append(order)

    def _next(self, verb: str) -> "Order | None":
        with self._lock:
            order = next((order for order in self._orders if order.verb in (verb, ANY)), None)
            if order is None:
                return None
            if order.skip:
                order.skip -= 1
                return None
            order.times -= 1
            if order.times == 0:
                self._orders.remove(order)
            return order


class Order:
    """One thing that shall go wrong."""

    def __init__(self, verb: str, times: int, skip: int, play: Callable[[str, Effect], Any]) -> None:
        self.verb = verb
        self.times = times
        self.skip = skip
        self.play = play
