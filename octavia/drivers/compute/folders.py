"""What an amphora of this host is on disk: one folder each, which a restart of the control plane finds again."""

import shutil
import uuid
from pathlib import Path

import msgspec

from octavia.domain.document import Seed
from octavia.drivers.network import NetworkPort
from octavia.host import processes
from octavia.host.files import write
from octavia.host.processes import Process

LARGEST_LOG = 4 << 20


class Folders:
    """Files are whole at every moment; a folder without a seed is an amphora that was never finished."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, amphora_id: str) -> Path:
        return self._root / amphora_id

    def ids(self) -> frozenset[str]:
        if not self._root.exists():
            return frozenset()
        return frozenset(entry.name for entry in self._root.iterdir() if is_uuid(entry.name))

    def seed(self, amphora_id: str) -> Seed | None:
        try:
            return msgspec.json.decode((self.path(amphora_id) / "seed.json").read_bytes(), type=Seed)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def put_seed(self, seed: Seed) -> bool:
        """The folder holds this seed; False where it did before."""
        if self.seed(seed.amphora_id) == seed:
            return False
        folder = self.path(seed.amphora_id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(folder / "seed.json", msgspec.json.encode(seed), durable=False)
        return True

    def ports(self, amphora_id: str) -> tuple[NetworkPort, ...]:
        files = sorted((self.path(amphora_id) / "ports").glob("*.json"))
        return tuple(msgspec.json.decode(file.read_bytes(), type=NetworkPort) for file in files)

    def put_port(self, amphora_id: str, port: NetworkPort) -> None:
        folder = self.path(amphora_id) / "ports"
        folder.mkdir(mode=0o700, exist_ok=True)
        write(folder / f"{port.id}.json", msgspec.json.encode(port), durable=False)

    def remove_port(self, amphora_id: str, port_id: str) -> None:
        (self.path(amphora_id) / "ports" / f"{port_id}.json").unlink(missing_ok=True)

    def agent(self, amphora_id: str) -> Process | None:
        """The agent that was started last, if it is still alive."""
        return processes.recall(self.path(amphora_id) / "agent.json")

    def put_agent(self, amphora_id: str, process: Process) -> None:
        processes.remember(self.path(amphora_id) / "agent.json", process)

    def log(self, amphora_id: str) -> Path:
        """The agent's log, begun anew when it has grown large."""
        log = self.path(amphora_id) / "agent.log"
        if log.exists() and log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_name("agent.log.1"))
        return log

    def remove(self, amphora_id: str) -> None:
        try:
            shutil.rmtree(self.path(amphora_id))
        except FileNotFoundError:
            pass


def is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
