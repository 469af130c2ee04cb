"""A small web server in this process that answers everything with its name, on connections that are kept."""

import selectors
import socket
import threading


class Web:
    """One thread for all its connections. Requests have no body."""

    def __init__(self, name: str, address: str, port: int = 8080) -> None:
        self.address, self.port = address, port
        body = f"{name}\n".encode()
        self._answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server((address, port), backlog=1024)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with socket.socket() as bell:
            bell.connect_ex((self.address, self.port))
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()

    def _run(self) -> None:
        while not self._closed:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._serve(key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(client, selectors.EVENT_READ)

    def _serve(self, client: socket.socket) -> None:
        try:
            got = client.recv(65536)
            client.sendall(self._answer * got.count(b"\r\n\r\n"))
        except OSError:
            got = b""
        if not got:
            self._selector.unregister(client)
            client.close()
