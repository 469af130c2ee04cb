"""A small web server that says who it is. Usage: member.py NAME ADDRESS PORT"""

import socket
import socketserver
import sys
from http.server import BaseHTTPRequestHandler


class Member(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = "nobody"

    def do_GET(self) -> None:
        body = f"{self.name} {self.path} {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Member", self.name)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing: thousands of requests come."""


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024


class Server6(Server):
    address_family = socket.AF_INET6


if __name__ == "__main__":
    Member.name = sys.argv[1]
    kind = Server6 if ":" in sys.argv[2] else Server
    kind((sys.argv[2], int(sys.argv[3])), Member).serve_forever()
