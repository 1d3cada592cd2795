"""One kept-alive HTTP/1.1 connection that sends exactly the bytes it is told to.

The differential test needs thousands of calls a second and requests that no SDK would send, so
this goes below http.client: no header is added that the caller did not ask for.
Not thread safe: one connection a thread.
"""

import json
import socket

# Neither server checks the signature on loopback; DynamoDB Local insists that one is there.
DUMMY_AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=pawl/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host;x-amz-date;x-amz-target, Signature=0123456789abcdef"
)
TARGET_PREFIX = "DynamoDB_20120810."
STREAMS_PREFIX = "DynamoDBStreams_20120810."


class ConnectionLost(Exception):
    """The peer closed or reset before a whole answer was read; the outcome is unknown."""


class Reply:
    """Status, headers (lower-case names, last one wins) and the undecoded body."""

    __slots__ = ("status", "headers", "body")

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body) if self.body else None

    def error_type(self):
        """The exception's short name ('ValidationException'), or '' on success or a non-JSON body."""
        try:
            document = self.json()
        except ValueError:
            return ""
        name = document.get("__type", "") if isinstance(document, dict) else ""
        return name.rsplit("#", 1)[-1]

    def message(self):
        try:
            document = self.json()
        except ValueError:
            return ""
        if not isinstance(document, dict):
            return ""
        return document.get("message", document.get("Message", "")) or ""


class Connection:
    def __init__(self, host, port, timeout_s=60.0):
        self.host, self.port, self.timeout_s = host, port, timeout_s
        self.socket = None
        self.file = None

    def open(self):
        self.close()
        self.socket = socket.create_connection((self.host, self.port), self.timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb", 65536)
        return self

    def close(self):
        if self.socket is not None:
            self.file.close()
            self.socket.close()
            self.socket = None

    def send_bytes(self, data):
        if self.socket is None:
            self.open()
        self.socket.sendall(data)

    def send(self, target, body, headers=()):
        """Starts a DynamoDB call; `body` is bytes. Retries once on a connection that had gone stale."""
        head = (
            f"POST / HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {target}\r\n"
            f"Authorization: {DUMMY_AUTHORIZATION}\r\nX-Amz-Date: 20260101T000000Z\r\n"
            f"Content-Length: {len(body)}\r\n"
        )
        for name, value in headers:
            head += f"{name}: {value}\r\n"
        self.send_bytes(head.encode("latin-1") + b"\r\n" + body)

    def receive(self):
        """Reads one answer. Raises ConnectionLost if it does not come whole."""
        try:
            return self._receive()
        except (OSError, ValueError, IndexError) as error:
            self.close()
            raise ConnectionLost(str(error)) from error

    def _receive(self):
        status_line = self.file.readline()
        if not status_line:
            raise ConnectionResetError("closed before an answer")
        status = int(status_line.split(b" ", 2)[1])
        headers = {}
        while True:
            line = self.file.readline()
            if line in (b"\r\n", b"\n"):
                break
            if not line:
                raise ConnectionResetError("closed inside the headers")
            name, _, value = line.partition(b":")
            headers[name.strip().lower().decode("latin-1")] = value.strip().decode("latin-1")
        body = self._read_body(headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, headers, body)

    def _read_body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while True:
                size = int(self.file.readline().split(b";")[0], 16)
                parts.append(self._read_exactly(size))
                self.file.readline()
                if size == 0:
                    return b"".join(parts)
        if "content-length" in headers:
            return self._read_exactly(int(headers["content-length"]))
        if headers.get("connection", "").lower() == "close":
            return self.file.read()
        return b""

    def _read_exactly(self, size):
        data = self.file.read(size)
        if len(data) != size:
            raise ConnectionResetError("closed inside the body")
        return data

    def call(self, operation, body, headers=(), prefix=TARGET_PREFIX):
        """One DynamoDB call: `body` is a dict (sent as JSON), or bytes sent as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        stale = self.socket is not None
        try:
            self.send(prefix + operation, data, headers)
            return self.receive()
        except (ConnectionLost, OSError):
            if not stale:
                raise
            self.close()
        self.send(prefix + operation, data, headers)
        return self.receive()


def exchange(host, port, data, timeout_s=20.0, shut_down=False):
    """Sends bytes on a connection of its own and returns (everything that came back, whether the
    server closed). Stops at the first whole answer with a Content-Length, or at the time-out."""
    with socket.create_connection((host, port), timeout_s) as connection:
        connection.settimeout(timeout_s)
        try:
            connection.sendall(data)
            if shut_down:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before it was all sent: the answer may be there already
        received = b""
        while True:
            try:
                part = connection.recv(65536)
            except (socket.timeout, ConnectionResetError) as error:
                return received, isinstance(error, ConnectionResetError)
            if not part:
                return received, True
            received += part
            head, separator, body = received.partition(b"\r\n\r\n")
            if separator and not head.startswith(b"HTTP/1.1 100"):
                length = [h.split(b":")[1] for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")]
                if length and len(body) >= int(length[0]):
                    return received, False


def status_of(received):
    """The status code of raw bytes, or 0."""
    parts = received.split(b" ", 2)
    return int(parts[1]) if len(parts) > 1 and parts[0].startswith(b"HTTP/1.") and parts[1].isdigit() else 0
