"""Making documents so. The last good one is kept on disk, and is what an agent starts with."""

import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from octavia.amphora import changes, haproxy
from octavia.amphora.haproxy import HaproxyError, Unfit
from octavia.amphora.interfaces import LinkError, Links
from octavia.amphora.process import Haproxy, unbindable
from octavia.amphora.watch import Keeper
from octavia.domain.document import Applied, Document, digest
from octavia.host.files import write
from octavia.host.processes import Watch

LOG = logging.getLogger(__name__)
DOCUMENT = "document.json"
CANDIDATE = "candidate.cfg"
RESUME = 1.0
"""Seconds until a change that an earlier agent was at is looked at again, where HAProxy did not answer."""
DRAIN = 1.0
"""Seconds between two tries to delete a server that still has connections."""


class LoadBalancer:
    """One load balancer of this amphora: its document in force, and its HAProxy."""

    def __init__(
        self, folder: Path, command: str, links: Links | None, watch: Watch, changed: Callable[[], None]
    ) -> None:
        self.folder = folder
        self.document: Document | None = None
        self.is_monitored = False
        """Whether HAProxy may find out by itself that a member is down."""
        self.haproxy = Haproxy(folder, command)
        self._command = command
        self._links = links
        self._watch = watch
        self._changed = changed
        self._keeper = Keeper(watch, self._revive)
        self._fault: str | None = None
        self._applied: Applied | None = None
        self._leaving: set[str] = set()
        self._unsure = False
        """Whether nobody can say what HAProxy holds: until the outcome of a change is known, or when it never came."""
        self._drain_due = False
        self._gone = False
        self._lock = threading.RLock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever put in force. What an agent of another version has put is only not understood."""
        return self.document is None and not (self.folder / DOCUMENT).exists()

    def recall(self) -> None:
        """The last good document is known, to the links too; nothing is changed."""
        document = kept(self.folder / DOCUMENT)
        if document is not None:
            self._accept(document)
        if self._links is not None:
            self._links.expect(self.folder.name, document.interfaces if document else None)

    def resume(self) -> bool:
        """The last good document is in force again, and kept so. Whether a HAProxy was found that runs already."""
        with self._lock:
            document = self.document
            if document is not None:
                self._resume_links(document)
            adopted = self.haproxy.adopt(self._keeper)
            if not adopted:
                self.haproxy.end_leftovers()
                self._revive()
            elif document is not None:
                self._resume_change(document)
            return adopted

    def apply(self, document: Document) -> None:
        """The document is in force. Raises HaproxyError or LinkError; then what ran before runs still."""
        with self._lock:
            before = self.document
            try:
                self._prepare(document)
                self._put_in_force(document)
                self._persist(document)
            except (HaproxyError, LinkError) as error:
                self._fault = str(error)
                self._keep(before, error)
                raise
            self._accept(document)
            self._settle(document)
        self._changed()

    def applied(self) -> Applied | None:
        """What is in force; None before the first document is."""
        found = self._applied
        if found is None:
            return None
        return msgspec.structs.replace(found, fault=self._fault, haproxy_running=self.haproxy.running)

    def wake(self) -> None:
        """A HAProxy that is there and has not answered for long is replaced, unless it is being changed just now."""
        if self._lock.acquire(blocking=False):
            try:
                if self.haproxy.running and not self._gone:
                    LOG.error("HAProxy of load balancer %s does not answer any more; it is killed", self.folder.name)
                    self.haproxy.kill()
            finally:
                self._lock.release()

    def remove(self) -> None:
        """Nothing of it is left."""
        with self._lock:
            self._gone = True
            self._keeper.let_go()
            # First: an agent that dies now leaves what the next one takes for never finished, and removes.
            (self.folder / DOCUMENT).unlink(missing_ok=True)
            self.haproxy.end()
            self._settle(None)
            if self.folder.exists():
                shutil.rmtree(self.folder)

    def _persist(self, document: Document) -> None:
        """The next agent starts with it. Raises HaproxyError: what HAProxy has taken already counts for nothing."""
        try:
            write(self.folder / DOCUMENT, msgspec.json.encode(document))
        except OSError as error:
            self._unsure = True
            raise HaproxyError(f"The document cannot be kept: {error}") from error

    def _accept(self, document: Document) -> None:
        self.document, self._fault = document, None
        self.is_monitored = any("check" in server.options for server in document.servers)
        self._applied = Applied(generation=document.generation, digest=digest(document), fence=document.fence)

    def _keep(self, before: Document | None, error: Exception) -> None:
        """What was in force is in force, where HAProxy has taken a part of what failed too."""
        if before is not None:
            self._write_config(before)
            if self._unsure and self.haproxy.running and isinstance(error, Unfit):
                self._go_back(before)
        self._settle(before)

    def _settle(self, document: Document | None) -> None:
        if self._links is not None:
            self._links.settle(self.folder.name, document.interfaces if document else ())

    def _prepare(self, document: Document) -> None:
        if self._links is not None:
            self._links.prepare(self.folder.name, document.interfaces)

    def _resume_links(self, document: Document) -> None:
        try:
            self._prepare(document)
            self._settle(document)
        except LinkError as error:
            LOG.error("load balancer %s: %s", self.folder.name, error)

    def _resume_change(self, document: Document) -> None:
        """What an agent that died was at is taken back or brought to its end: the file is changed before HAProxy."""
        try:
            if text_of(self.folder / haproxy.CONFIG) != document.config:
                self._unsure = True
                self._reload(document)
            wanted = frozenset(map(changes.key, document.servers))
            self._leaving = set(self.haproxy.servers() - wanted)
        except HaproxyError as error:
            LOG.error("load balancer %s: %s", self.folder.name, error)
            self._fault = str(error)
            if not isinstance(error, Unfit):
                self._watch.later(RESUME, lambda: self._resume_again(document))
        self._drain()

    def _resume_again(self, document: Document) -> None:
        """A HAProxy that was only slow has had its time."""
        with self._lock:
            if self.document is document and self.haproxy.running and not self._gone:
                self._fault = None
                self._resume_change(document)

    def _put_in_force(self, document: Document) -> None:
        before = self.document
        if not self.haproxy.running:
            self._start(document)
        elif before is None or self._unsure or reloads(before, document):
            self._reload(document)
        elif before.config != document.config:
            self._at_runtime(before, document)

    def _start(self, document: Document) -> None:
        self._write_config(document)
        try:
            self.haproxy.start(self._keeper, document.binds)
        except HaproxyError:
            if self.document is not None:
                self._revive()
            raise
        self._unsure = False

    def _reload(self, document: Document) -> None:
        """Whatever HAProxy holds, it holds this document afterwards; nothing is lost on the way."""
        write(self.folder / CANDIDATE, document.config.encode(), durable=False)
        held = self.document.binds if self.document else document.binds
        new = [bind for bind in document.binds if bind not in held]
        if against := unbindable(new) or haproxy.objection(self._command, self.folder, CANDIDATE):
            raise Unfit(against)
        self._write_config(document)
        before, self._unsure = self._unsure, True
        try:
            self.haproxy.reload()
        except Unfit:
            self._unsure = before
            raise
        self._unsure = False
        self._leaving.clear()

    def _go_back(self, document: Document) -> None:
        """HAProxy is led back to the document in force."""
        try:
            self._reload(document)
        except HaproxyError as error:
            LOG.error("load balancer %s: %s", self.folder.name, error)

    def _at_runtime(self, before: Document, document: Document) -> None:
        """The file comes first, so that a HAProxy that dies meanwhile starts with what is wished."""
        self._write_config(document)
        self._drain()
        self._unsure = True
        try:
            if back := self._leaving.intersection(map(changes.key, document.servers)):
                raise HaproxyError(f"{min(back)} comes back before it has gone")
            for commands in changes.commands(before.servers, document.servers, document.dynamic_cookies):
                self.haproxy.tell(commands)
        except HaproxyError as error:
            LOG.warning("load balancer %s is reloaded instead: %s", self.folder.name, error)
            self._reload(document)
            return
        self._unsure = False
        self._leaving |= set(changes.leaving(before.servers, document.servers))
        self._drain()

    def _drain(self) -> None:
        """Servers that are to go are deleted as soon as they have no connection; until then it is tried again."""
        for name in sorted(self._leaving):
            try:
                self.haproxy.tell([f"del server {name}"])
                self._leaving.discard(name)
            except HaproxyError as error:
                LOG.debug("%s: %s", name, error)
        if self._leaving and not self._drain_due:
            self._drain_due = True
            self._watch.later(DRAIN, self._drain_again)

    def _drain_again(self) -> None:
        with self._lock:
            self._drain_due = False
            if not self._gone:
                self._drain()

    def _write_config(self, document: Document) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(self.folder / haproxy.CONFIG, document.config.encode(), durable=False)

    def _revive(self) -> None:
        """HAProxy runs with the document in force; where it cannot, it is tried again later."""
        with self._lock:
            if self._gone or self.is_empty or self.haproxy.running:
                return
            LOG.warning("HAProxy of load balancer %s is started", self.folder.name)
            self._leaving.clear()
            try:
                if self.document is not None:
                    self._write_config(self.document)
                self.haproxy.start(self._keeper, self.document.binds if self.document else ())
                self._unsure = False
            except (HaproxyError, OSError) as error:
                LOG.error("load balancer %s: %s", self.folder.name, error)
                self._keeper.retry()
        self._changed()


def reloads(before: Document, document: Document) -> bool:
    """Whether HAProxy learns the difference from its file alone."""
    return before.reload_key != document.reload_key or changes.needs_reload(before.servers, document.servers)


def text_of(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def kept(path: Path) -> Document | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Document)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
