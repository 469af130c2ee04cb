"""A small web server that answers with its name. Run as: python web.py NAME ADDRESS PORT"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = b""
    # One packet for each answer: a head of its own would wait for the other side's delayed ACK.
    wbufsize = -1

    def do_GET(self) -> None:
        self.send_response_only(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(self.name)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(self.name)
        self.wfile.flush()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """The tour prints who answered; nobody reads a log of each request."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def main() -> None:
    Handler.name = sys.argv[1].encode() + b"\n"
    Server((sys.argv[2], int(sys.argv[3])), Handler).serve_forever()


if __name__ == "__main__":
    main()
