"""What the machine lets us do, found by trying."""

import os
import uuid
from pathlib import Path

import pytest

from octavia.host import privileges, processes
from tests.host import needs


def test_the_probe_says_what_is_and_why_not_more() -> None:
    found = privileges.probe()
    assert len(found.reasons) == {"root": 0, "user-namespaces": 1, "none": 2}[found.kind]
    assert all(reason.endswith(".") for reason in found.reasons)


def test_what_cannot_be_tried_is_refused_with_a_reason() -> None:
    assert "nonexistent" in str(privileges.refusal(["/nonexistent"]))
    assert privileges.refusal(["false"]) == "exit status 1"
    assert "--help" in str(privileges.refusal(["unshare", "--invalid"]))


@needs.unprivileged
def test_an_unprivileged_user_is_told_what_is_left() -> None:
    done = needs.run_unprivileged("from octavia.host.privileges import probe; print(probe())")
    assert "kind='user-namespaces'" in done.stdout
    assert "Operation not permitted" in done.stdout
    assert "cgroups=()" in done.stdout


limits = pytest.mark.skipif(
    not all(map(privileges.writable, ("memory", "pids"))), reason="cgroup v1 is not there, or not ours to write"
)


@limits
def test_limits_hold_for_what_is_started_later(tmp_path: Path) -> None:
    name = str(uuid.uuid4())
    process = processes.spawn(["sleep", "100"], cwd=tmp_path, log=tmp_path / "log")
    try:
        privileges.limit(name, process.pid, memory=64 << 20, pids=50)
        group = privileges.CGROUPS / "memory" / privileges.PARENT / name
        assert (group / "memory.limit_in_bytes").read_text().strip() == str(64 << 20)
        assert str(process.pid) in (group / "cgroup.procs").read_text().split()
        assert f"/{privileges.PARENT}/{name}" in Path(f"/proc/{process.pid}/cgroup").read_text()
    finally:
        processes.end(process, grace=1)
        privileges.unlimit(name)
    assert not group.exists()
    privileges.unlimit(name)
    privileges.unlimit_all()


def test_a_folder_alone_limits_nothing(tmp_path: Path) -> None:
    assert not privileges.can_make_group(tmp_path / "none")
    assert privileges.can_make_group(tmp_path)
    assert os.listdir(tmp_path) == []
