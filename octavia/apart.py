"""The API apart from the controller: `octavia api`, and the WSGI entry for a server of one's own."""

import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from octavia import main, places
from octavia.drivers.compute.process import lowest_port
from octavia.drivers.network import NetworkDriver
from octavia.drivers.network.local import Local
from octavia.drivers.network.noop import Noop
from octavia.places import Place
from octavia.settings import Settings
from octavia.store.addresses import Addresses
from octavia.store.engine import Database

Wsgi = Callable[..., Any]


def api(config_files: Sequence[Path], state_path: Path | None, *, bind_host: str | None, bind_port: int | None) -> int:
    """The API alone, in workers of this process, until SIGTERM or Ctrl-C. A controller elsewhere has the same database:
    it finds within about a second what was asked for here."""
    settings = places.settings(config_files, state_path, bind_host=bind_host, bind_port=bind_port)
    places.log_to_stderr(debug=settings.debug)
    with places.beside(settings.state_path):
        listener = places.api_socket(settings)
        url = places.url_of(listener)
        check(settings)
        # Loaded once, before the fork, so that the workers share what it takes in memory.
        from octavia.api.workers import Workers

        count = settings.api_settings.api_workers or os.cpu_count() or 1
        print(f"api: {count} workers of {settings.api_settings.api_threads} threads", flush=True)
        Workers(
            lambda: alone(settings)[0],
            listener,
            workers=count,
            threads=settings.api_settings.api_threads,
            ready=lambda: print(f"ready: {url}", flush=True),
        ).run()
    return 0


def check(settings: Settings) -> None:
    """What would end each worker ends the parent, before it has forked any. The schema is this code's afterwards."""
    main.fronted(settings)
    main.choices(settings)
    main.opened(settings).close()


def alone(settings: Settings) -> tuple[Wsgi, Database]:
    """The API over the database and nothing else: no privileges are needed, and no program of an amphora's."""
    before = main.fronted(settings)
    place = places.elsewhere(settings)
    database = main.opened(settings, migrated=True)
    low = lowest_port() if place.compute == "process" else 1
    below = main.Below(addressing(settings, place, database), low)
    return before.over(main.services(settings, database, lambda _: None, below)), database


def addressing(settings: Settings, place: Place, database: Database) -> NetworkDriver:
    """Gives out addresses and makes no links: the controller does that, when an amphora needs them."""
    if settings.controller_worker.network_driver == "noop":
        return Noop(remembers=False)
    return Local(place.subnets(settings), Addresses(database), bridged=False)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """The WSGI entry for gunicorn or uWSGI (`octavia.apart:application`): the API alone, with the configuration files
    that OCTAVIA_CONFIG_FILES names, separated by colons.
    """
    with LOCK:
        app, _ = from_environment()
    return app(environ, start_response)


LOCK = threading.Lock()


@cache
def from_environment() -> tuple[Wsgi, Database]:
    """Made at the first request, so that a server that forks workers has forked them by then."""
    files = [Path(name) for name in os.environ.get("OCTAVIA_CONFIG_FILES", "").split(":") if name]
    settings = places.settings(files, None)
    check(settings)
    return alone(settings)
