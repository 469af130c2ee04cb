"""Many members in one process, each a port of its own. Run as: python web.py ADDRESS FIRST LAST

Writes `first PORT TIME` when a port answers for the first time, and for each line `PORT` of its standard input
`last PORT TIME`: when that port answered last (0 for never). Times are monotonic seconds. Ends with its input.
"""

import asyncio
import sys
import time
from functools import partial

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


class Member(asyncio.Protocol):
    """Answers every request with the number of its port."""

    def __init__(self, port: int, last: dict[int, float]) -> None:
        self.port, self.last = port, last
        body = b"m%d\n" % port
        self.answer = ANSWER % (len(body), body)
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self.rest = (self.rest + data).split(b"\r\n\r\n")
        if not requests:
            return
        self.transport.write(self.answer * len(requests))
        if not self.last[self.port]:
            print("first", self.port, time.monotonic(), flush=True)
        self.last[self.port] = time.monotonic()


async def serve(address: str, ports: range) -> None:
    loop, last = asyncio.get_running_loop(), dict.fromkeys(ports, 0.0)
    for port in ports:
        await loop.create_server(partial(Member, port, last), address, port, backlog=4096)
    over = asyncio.Event()

    def told() -> None:
        line = sys.stdin.readline()
        if not line:
            over.set()
            return
        print("last", int(line), last[int(line)], flush=True)

    loop.add_reader(sys.stdin, told)
    print("ready", flush=True)
    await over.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3]) + 1)))
