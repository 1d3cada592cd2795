"""An S3 store that does what a test tells it to. Each rule cites docs of the service by FACTS.md, section S3.

In memory, path-style, unsigned requests taken as they come: what is tested is what Pawl does with the answers.
"""

import hashlib
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Rules:
    """How often, of 1,000 puts, something else happens than what was asked for. All 0: a sound store."""

    slow_down = 0  # "503 SlowDown while it scales": not applied
    error_applied = 0  # "A 500 on PUT is ambiguous: a later GET may show … the new object"
    error_not_applied = 0  # … "the old"
    lost_answer = 0  # applied, and the connection is closed: "a lost response plus the SDK's own retry gives 412"
    conflict = 0  # "409 on a conflicting write in flight (retry; 409 does not mean that it exists)"
    latency_s = 0.0  # of every request
    expire_keys = ()  # access key ids whose session has expired


class ScriptedStore:
    def __init__(self, port, seed=1):
        self.rules, self.random = Rules(), random.Random(seed)
        self.objects, self.lock = {}, threading.Lock()
        self.answers = {}  # how many of each status, by method
        self.most_at_once = self.now_at_once = 0
        store = self

        class Handler(_Handler):
            pass

        Handler.store = store
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def drawn(self, per_mille):
        with self.lock:
            return self.random.randrange(1000) < per_mille


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer is one write

    def log_message(self, *_):
        pass

    def _answer(self, status, body=b"", headers=()):
        with self.store.lock:
            key = (self.command, status)
            self.store.answers[key] = self.store.answers.get(key, 0) + 1
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _error(self, status, code):
        self._answer(status, f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as told</Message></Error>".encode())

    def _key(self):
        parts = urlsplit(self.path)
        return unquote(parts.path).split("/", 2)[2] if parts.path.count("/") > 1 else "", parse_qs(parts.query)

    def do_PUT(self):
        self._counted(self._put)

    def do_GET(self):
        self._counted(self._get)

    def _counted(self, work):
        store = self.store
        with store.lock:
            store.now_at_once += 1
            store.most_at_once = max(store.most_at_once, store.now_at_once)
        try:
            time.sleep(store.rules.latency_s)
            work()
        finally:
            with store.lock:
                store.now_at_once -= 1

    def _put(self):
        store, rules = self.store, self.store.rules
        key, _ = self._key()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if any(f"Credential={k}/" in self.headers.get("Authorization", "") for k in rules.expire_keys):
            return self._error(400, "ExpiredToken")
        # "Checksum header sent": the body must be what was signed.
        if self.headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            return self._error(400, "XAmzContentSHA256Mismatch")
        if store.drawn(rules.slow_down):
            return self._error(503, "SlowDown")
        if store.drawn(rules.error_not_applied):
            return self._error(500, "InternalError")
        if store.drawn(rules.conflict):
            return self._error(409, "ConditionalRequestConflict")
        with store.lock:  # "A PUT is atomic per key"
            old = store.objects.get(key)
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            refused = (self.headers.get("If-None-Match") == "*" and old is not None) or (
                "If-Match" in self.headers and (old is None or old[1] != self.headers["If-Match"]))
            if not refused:
                store.objects[key] = (body, etag)
        if refused:
            return self._error(412, "PreconditionFailed")
        if store.drawn(rules.error_applied):
            return self._error(500, "InternalError")
        if store.drawn(rules.lost_answer):
            self.close_connection = True
            self.connection.shutdown(2)
            return None
        return self._answer(200, headers=[("ETag", etag)])

    def _get(self):
        key, query = self._key()
        if "list-type" in query:
            return self._list(query)
        with self.store.lock:
            found = self.store.objects.get(key)
        if found is None:
            return self._error(404, "NoSuchKey")
        body, etag = found
        span = self.headers.get("Range")
        if span and body:
            first, last = (int(n) for n in span.removeprefix("bytes=").split("-"))
            if first >= len(body):
                return self._error(416, "InvalidRange")
            return self._answer(206, body[first:last + 1], [("ETag", etag)])
        return self._answer(200, body, [("ETag", etag)])

    def _list(self, query):
        prefix = query.get("prefix", [""])[0]
        after = query.get("continuation-token", query.get("start-after", [""]))[0]
        most, delimiter = int(query.get("max-keys", ["1000"])[0]), query.get("delimiter", [""])[0]
        with self.store.lock:
            keys = sorted(k for k in self.store.objects if k.startswith(prefix) and k > after)
            sizes = {k: len(self.store.objects[k][0]) for k in keys}
        contents, folders, last = [], [], None
        for key in keys:
            if len(contents) + len(folders) == most:
                break
            last = key
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut < 0:
                contents.append(f"<Contents><Key>{escape(key)}</Key><Size>{sizes[key]}</Size></Contents>")
            elif (folder := key[:cut + 1]) not in folders:
                folders.append(folder)
        more = last is not None and last != keys[-1]
        self._answer(200, ("<?xml version=\"1.0\"?><ListBucketResult>" + f"<IsTruncated>{str(more).lower()}</IsTruncated>"
                           + (f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if more else "") + "".join(contents)
                           + "".join(f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in folders)
                           + "</ListBucketResult>").encode())
