"""A proxy that carries every request to the server and throws every other answer away."""

import re
import socket
import threading

from blackbox.raw_http import Connection


class LossyProxy:
    def __init__(self, port):
        self.port, self.swallowed, self.lose = port, 0, True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rb") as file:
            server = Connection("127.0.0.1", self.port)
            while True:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = file.readline()
                    if not line:
                        return
                    head += line
                size = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
                server.send_bytes(head + file.read(size))
                reply = server.receive()
                lose, self.lose = self.lose, not self.lose
                if lose:
                    self.swallowed += 1
                    return  # the connection closes; the write has happened
                names = "".join(f"{n}: {v}\r\n" for n, v in reply.headers.items() if n not in ("transfer-encoding", "connection"))
                client.sendall(f"HTTP/1.1 {reply.status} X\r\n{names}\r\n".encode() + reply.body)
