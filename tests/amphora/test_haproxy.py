"""What HAProxy says, as it says it."""

import socket
import threading
from pathlib import Path

import pytest

from octavia.amphora import haproxy, watch
from octavia.amphora.haproxy import HaproxyError
from octavia.amphora.process import unbindable

HEAD = "#<PID>          <type>          <reloads>       <uptime>        <version>      "
PROC = f"""{HEAD}
100             master          {{master}}   0d00h00m25s     2.6.12-1+deb12u4
# workers
{{workers}}# old workers
98              worker          3               0d00h01m25s     2.6.12-1+deb12u4
# programs

"""
STAT = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight\n"


def test_the_worker_that_takes_connections() -> None:
    row = "99              worker          0               0d00h00m25s     2.6.12-1+deb12u4\n"
    seen = haproxy.parsed_workers(PROC.format(master="2 [failed: 0]", workers=row))
    assert (seen.failed, seen.current) == (0, (99,))


def test_a_failed_reload_is_counted() -> None:
    assert haproxy.parsed_workers(PROC.format(master="3 [failed: 2]", workers="")).failed == 2
    assert haproxy.parsed_workers(PROC.format(master="3", workers="")).current == ()
    assert haproxy.parsed_workers("").current == ()


def test_statistics() -> None:
    line = 'f,FRONTEND,,,3,9,100,55,10,20,0,0,7,,,,,OPEN,,a,"b, c"\n'
    (row,) = haproxy.parsed_statistics(STAT + line + "half,a,line\n")
    assert row == {
        "pxname": "f",
        "svname": "FRONTEND",
        "scur": "3",
        "slim": "100",
        "stot": "55",
        "bin": "10",
        "bout": "20",
        "ereq": "7",
        "status": "OPEN",
    }


@pytest.mark.parametrize("text", ["", "# pxname,svname", "Permission denied"])
def test_what_are_no_statistics(text: str) -> None:
    with pytest.raises(HaproxyError):
        list(haproxy.parsed_statistics(text))


def test_alerts_are_told_without_decoration() -> None:
    log = (
        "[NOTICE]   (1) : haproxy version is 2.6.12\n"
        "[ALERT]    (1) : config : parsing [haproxy.cfg:3] : unknown keyword 'x'\n"
        "[ALERT]    (1) : config : Fatal errors found in configuration.\n"
    )
    assert haproxy.alerts(log).startswith("config : parsing [haproxy.cfg:3] : unknown keyword 'x'; config : Fatal")
    assert haproxy.alerts("Segmentation fault\n") == "Segmentation fault"
    assert haproxy.alerts("") == "HAProxy gave no reason."


def test_a_missing_binary_is_said(tmp_path: Path) -> None:
    assert haproxy.version("/nowhere/haproxy") == ""
    assert "/nowhere/haproxy cannot be run" in (haproxy.objection("/nowhere/haproxy", tmp_path, "x.cfg") or "")


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HaproxyError, match="does not answer"):
        haproxy.ask(Path("master.sock"), "show proc")


def test_many_commands_are_told_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX) as master:
        master.bind("master.sock")
        master.listen()
        thread = threading.Thread(target=answer, args=(master, heard, ["\n\n", "\nNew server registered.\n", "No!\n"]))
        thread.start()
        with pytest.raises(HaproxyError, match="No!"):
            haproxy.tell(Path("master.sock"), 5, [f"command {number}" for number in range(3 * haproxy.BATCH)])
        thread.join()
    assert [line.count("@!5 command") for line in heard] == [haproxy.BATCH] * 3
    assert heard[0].startswith("@!5 command 0;@!5 command 1;")


def answer(master: socket.socket, heard: list[str], answers: list[str]) -> None:
    for text in answers:
        channel, _ = master.accept()
        with channel, channel.makefile() as incoming:
            heard.append(incoming.readline())
            channel.sendall(text.encode())


def test_binds_are_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1 port {port} cannot be bound" in (unbindable([("127.0.0.1", port)]) or "")
    assert unbindable([("127.0.0.1", port)]) is None
    assert "192.0.2.254" in (unbindable([("192.0.2.254", 80)]) or "")


def test_pauses_grow_with_short_lives_and_are_forgotten_after_a_long_one() -> None:
    pause, waited = 0.0, []
    for _ in range(8):
        now, pause = watch.pauses(pause, lived=0.1)
        waited.append(now)
    assert waited == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert watch.pauses(pause, lived=60.0) == (0.0, 0.0)
