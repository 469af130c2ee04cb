"""Making documents so. The last good state is kept on disk, and is what an agent starts with."""

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from octavia.amphora import changes, haproxy, interfaces
from octavia.amphora.haproxy import HaproxyError
from octavia.amphora.identity import write
from octavia.amphora.interfaces import LinkError
from octavia.amphora.process import Haproxy, unbindable
from octavia.domain.document import Applied, Document, Seed, digest
from octavia.host.processes import Watch

LOG = logging.getLogger(__name__)
DOCUMENT = "document.json"
CANDIDATE = "candidate.cfg"
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
DRAIN = 1.0
"""Seconds between two tries to delete a server that still has connections."""


class Unfit(Exception):
    """The document cannot be put in force; what ran before runs still."""


class LoadBalancer:
    """One load balancer of this amphora: its document in force, and its HAProxy."""

    def __init__(self, folder: Path, seed: Seed, watch: Watch, changed: Callable[[], None]) -> None:
        self.folder = folder
        self.document: Document | None = None
        self.haproxy = Haproxy(folder, seed.haproxy_command, watch, self._died)
        self._seed = seed
        self._watch = watch
        self._changed = changed
        self._fault: str | None = None
        self._leaving: set[str] = set()
        self._pause = 0.0
        self._gone = False
        self._lock = threading.RLock()

    def resume(self) -> None:
        """The last good document is in force again: by adopting what runs, or by starting it."""
        with self._lock:
            self.document = kept(self.folder / DOCUMENT)
            if self.document is None:
                return
            try:
                self._ensure_interfaces(self.document)
                if not self.haproxy.adopt():
                    self.haproxy.start()
            except (HaproxyError, LinkError) as error:
                LOG.error("load balancer %s: %s", self.folder.name, error)
                self._later()

    def apply(self, document: Document) -> None:
        """The document is in force. Raises Unfit."""
        with self._lock:
            try:
                self._put_in_force(document)
            except (HaproxyError, LinkError) as error:
                self._fault = str(error)
                raise Unfit(str(error)) from error
            self.document, self._fault = document, None
            write(self.folder / DOCUMENT, msgspec.json.encode(document))
        self._changed()

    def applied(self) -> Applied | None:
        document = self.document
        if document is None:
            return None
        return Applied(
            generation=document.generation,
            digest=digest(document),
            fence=document.fence,
            fault=self._fault,
            haproxy_running=self.haproxy.running,
        )

    def remove(self) -> None:
        """Nothing of it is left, but for addresses, which the next document or the end of the amphora takes away."""
        with self._lock:
            self._gone = True
            self.haproxy.end()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _put_in_force(self, document: Document) -> None:
        before = self.document
        if before is not None and not self.haproxy.running:
            before = None
        self._ensure_interfaces(document)
        if before is None:
            self._start(document)
        elif before.config == document.config:
            return
        elif before.reload_key != document.reload_key or changes.needs_reload(before.servers, document.servers):
            self._reload(before, document)
        else:
            self._at_runtime(before, document)

    def _ensure_interfaces(self, document: Document) -> None:
        if not self._seed.shared_host:
            interfaces.ensure(document.interfaces)

    def _start(self, document: Document) -> None:
        self._write_config(document)
        try:
            self.haproxy.start()
        except HaproxyError:
            self._restore()
            raise

    def _restore(self) -> None:
        """What ran before a start that failed runs again, if anything did."""
        if self.document is not None:
            self._write_config(self.document)
            self.haproxy.start()

    def _reload(self, before: Document, document: Document) -> None:
        new = [bind for bind in document.binds if bind not in before.binds]
        write(self.folder / CANDIDATE, document.config.encode())
        against = unbindable(new) or haproxy.complaint(self._seed.haproxy_command, self.folder, CANDIDATE)
        if against:
            raise HaproxyError(against)
        self._write_config(document)
        try:
            self.haproxy.reload()
        except HaproxyError:
            self._write_config(before)
            raise
        self._leaving.clear()

    def _at_runtime(self, before: Document, document: Document) -> None:
        """The file comes first, so that a HAProxy that dies meanwhile starts with what is wished."""
        self._write_config(document)
        back = [name for name in map(changes.key, document.servers) if name in self._leaving]
        try:
            if back:
                raise HaproxyError(f"{back[0]} comes back before it has gone")
            for command in changes.commands(before.servers, document.servers, document.dynamic_cookies):
                haproxy.tell(self.haproxy.runtime, command)
        except HaproxyError as error:
            LOG.warning("load balancer %s is reloaded instead: %s", self.folder.name, error)
            self._reload(before, document)
            return
        self._leaving |= set(changes.leaving(before.servers, document.servers))
        self._drain()

    def _drain(self) -> None:
        """Servers that are to go are deleted as soon as they have no connection; until then it is tried again."""
        for name in sorted(self._leaving):
            try:
                haproxy.tell(self.haproxy.runtime, f"del server {name}")
                self._leaving.discard(name)
            except HaproxyError as error:
                LOG.debug("%s", error)
        if self._leaving:
            self._watch.later(DRAIN, self._drain_again)

    def _drain_again(self) -> None:
        with self._lock:
            if not self._gone:
                self._drain()

    def _write_config(self, document: Document) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(self.folder / haproxy.CONFIG, document.config.encode())

    def _died(self) -> None:
        """HAProxy is started again at once; with pauses where it does not live."""
        with self._lock:
            if self._gone or self.document is None or self.haproxy.running:
                return
            LOG.warning("HAProxy of load balancer %s has died; it is started again", self.folder.name)
            try:
                self.haproxy.start()
                self._pause = 0.0
            except HaproxyError as error:
                LOG.error("load balancer %s: %s", self.folder.name, error)
                self._later()
        self._changed()

    def _later(self) -> None:
        self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * self._pause))
        self._watch.later(self._pause, self._died)


def kept(path: Path) -> Document | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
