"""The agent: what a controller can ask for over HTTPS, and what holds it together."""

import logging
import re
import resource
import threading
from collections.abc import Iterable
from pathlib import Path

import msgspec

from octavia.amphora import haproxy
from octavia.amphora.apply import LoadBalancer
from octavia.amphora.haproxy import HaproxyError, Unfit
from octavia.amphora.heartbeat import Sender
from octavia.amphora.identity import Identity
from octavia.amphora.interfaces import LinkError, Links, when_changed
from octavia.amphora.observe import Observer
from octavia.domain.document import PROTOCOL, AgentState, Document, Fence, Limits, Seed
from octavia.host.files import write
from octavia.host.processes import Watch
from octavia.host.server import Answer, DocumentServer, Refused, Request
from octavia.host.tls import is_controller

LOG = logging.getLogger(__name__)
LOAD_BALANCERS = Path("lb")
FENCE = Path("fence.json")
ADDRESSES = Path("addresses.json")
ONE = re.compile(r"/v1/loadbalancers/([0-9a-f-]{36})")


class Agent:
    """Everything that one amphora's agent does. Its folder is the current one."""

    def __init__(self, seed: Seed) -> None:
        self._seed = seed
        self._identity = Identity(seed)
        self._watch = Watch("haproxy")
        self._links = None if seed.shared_host else Links(ADDRESSES, self._watch.later)
        self._lock = threading.Lock()
        self._load_balancers: dict[str, LoadBalancer] = {}
        self._fence = seen_fence()
        self._version = haproxy.version(seed.haproxy_command)
        self._limits = Limits(nofile=raised_limit())
        self._sender = Sender(seed)
        self._observer = Observer(lambda: tuple(self._load_balancers.values()), self._sender.show)
        self._server = DocumentServer(seed.listen, self._identity.context(), is_controller, self.handle)

    def run(self) -> None:
        """Serves until stop(); what was in force before is in force at once, whoever may be listening."""
        self._resume()
        if self._links is not None:
            threading.Thread(target=when_changed, args=(self._repair,), name="links", daemon=True).start()
        self._sender.start()
        self._observer.start()
        self._server.serve_forever()

    def stop(self) -> None:
        """The agent ends when the change that it is at is made; HAProxy goes on."""
        with self._lock:
            self._watch.close()
            self._server.shutdown()
            self._server.server_close()
        self._observer.stop()
        self._sender.stop()

    def handle(self, request: Request) -> Answer:
        """The answer to one request. Raises Refused."""
        if request.verb == "GET" and request.path == "/v1/state":
            return Answer(200, self.state())
        if request.verb == "PUT" and request.path == "/v1/certificate":
            return self._put_certificate(request.body)
        if found := ONE.fullmatch(request.path):
            if request.verb == "PUT":
                return self._put(found.group(1), request.body)
            if request.verb == "DELETE":
                return self._delete(found.group(1), request.query)
        raise Refused(404, f"There is no {request.verb} {request.path} here.")

    def state(self) -> AgentState:
        applied = {key: each.applied() for key, each in tuple(self._load_balancers.items())}
        return AgentState(
            protocol=PROTOCOL,
            amphora_id=self._seed.amphora_id,
            boot_id=self._sender.boot_id,
            haproxy_version=self._version,
            limits=self._limits,
            certificate_request=self._identity.certificate_request,
            certificate_proof=self._identity.certificate_proof,
            load_balancers={key: said for key, said in applied.items() if said is not None},
        )

    def _resume(self) -> None:
        """All wishes are known before the first is fulfilled: they share links."""
        for folder in kept_folders():
            self._load_balancers[folder.name] = self._made(folder)
            self._load_balancers[folder.name].recall()
        for name, load_balancer in tuple(self._load_balancers.items()):
            if load_balancer.is_empty:
                self._drop(name)
            elif load_balancer.resume():
                self._observer.adopted(name)

    def _repair(self) -> None:
        with self._lock:
            try:
                if self._links is not None:
                    self._links.repair()
            except LinkError as error:
                LOG.warning("the links are not as wished: %s", error)

    def _put_certificate(self, body: bytes) -> Answer:
        try:
            self._server.context = self._identity.accept(body.decode())
        except (OSError, ValueError) as error:
            raise Refused(400, f"This certificate does not fit the amphora's key: {error}") from None
        return Answer(200, {})

    def _put(self, load_balancer_id: str, body: bytes) -> Answer:
        document = understood(load_balancer_id, body)
        with self._lock:
            self._obey(document.fence)
            known = self._load_balancers.get(load_balancer_id)
            load_balancer = known or self._made(LOAD_BALANCERS / load_balancer_id)
            self._load_balancers[load_balancer_id] = load_balancer
            try:
                load_balancer.apply(document)
            except (HaproxyError, LinkError) as error:
                if known is None:
                    self._drop(load_balancer_id)
                raise Refused(400 if isinstance(error, Unfit) else 503, str(error)) from None
        return Answer(200, self.state())

    def _drop(self, load_balancer_id: str) -> None:
        """Nothing of it is left."""
        load_balancer = self._load_balancers.get(load_balancer_id)
        if load_balancer is not None:
            load_balancer.remove()
            del self._load_balancers[load_balancer_id]

    def _delete(self, load_balancer_id: str, query: dict[str, str]) -> Answer:
        try:
            fence = Fence(int(query["epoch"]), int(query["token"]))
        except (KeyError, ValueError):
            raise Refused(400, "epoch and token must say who is speaking.") from None
        with self._lock:
            self._obey(fence)
            self._drop(load_balancer_id)
        self._observer.ring()
        return Answer(200, self.state())

    def _obey(self, fence: Fence) -> None:
        """From now on this fence is the lowest that counts. Raises Refused for one that is lower than the last."""
        if fence < self._fence:
            raise Refused(409, f"{fence} is older than {self._fence}, which has spoken already.")
        if fence != self._fence:
            write(FENCE, msgspec.json.encode(fence))
            self._fence = fence

    def _made(self, folder: Path) -> LoadBalancer:
        return LoadBalancer(folder, self._seed.haproxy_command, self._links, self._watch, self._observer.ring)


def understood(load_balancer_id: str, body: bytes) -> Document:
    """Raises Refused for what is no document of this protocol."""
    try:
        spoken = msgspec.json.decode(body, type=Version).protocol
        if spoken != PROTOCOL:
            raise Refused(400, f"The document speaks protocol {spoken}; this agent speaks {PROTOCOL}.")
        document = msgspec.json.decode(body, type=Document)
    except msgspec.DecodeError as error:
        raise Refused(400, f"This is no document of protocol {PROTOCOL}: {error}") from None
    if document.load_balancer_id != load_balancer_id:
        raise Refused(400, "The document is of another load balancer.")
    return document


class Version(msgspec.Struct, frozen=True):
    """The part of a document that every version has."""

    protocol: int


def kept_folders() -> Iterable[Path]:
    return sorted(LOAD_BALANCERS.iterdir()) if LOAD_BALANCERS.exists() else ()


def seen_fence() -> Fence:
    try:
        return msgspec.json.decode(FENCE.read_bytes(), type=Fence)
    except (FileNotFoundError, msgspec.DecodeError):
        return Fence(0, 0)


def raised_limit() -> int:
    """The hard limit of descriptors, which is the soft one too from now on, for us and for HAProxy."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
