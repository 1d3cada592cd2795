"""A proxy in front of one server, which changes or loses the answers on their way back."""

import re
import socket
import threading

from .raw_http import Connection

CONNECTION_HEADERS = ("transfer-encoding", "connection", "content-length")


class Proxy:
    """Carries every request whole to `port`. `change(operation, body)` gives the body of the answer that the client gets,
    or None: then the connection closes instead, though the request has been carried out."""

    def __init__(self, port, change=lambda _, body: body):
        self.port, self.change = port, change
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = Connection("127.0.0.1", self.port)
        with client, client.makefile("rb", 65536) as file:
            while (request := _read_request(file)) is not None:
                operation, data = request
                server.send_bytes(data)
                reply = server.receive()
                body = self.change(operation, reply.body)
                if body is None:
                    return
                # A changed body has another checksum, which SDKs verify.
                dropped = CONNECTION_HEADERS + (() if body == reply.body else ("x-amz-crc32",))
                head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items() if name not in dropped)
                client.sendall(f"HTTP/1.1 {reply.status} X\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body)


def _read_request(file):
    """The operation's short name and the request's bytes; None when the client has closed."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        if not line:
            return None
        head += line
    size = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
    target = re.search(rb"x-amz-target: (\S*)", head, re.I).group(1).decode()
    return target.rsplit(".", 1)[-1], head + file.read(size)
