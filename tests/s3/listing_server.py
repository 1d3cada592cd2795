#!/usr/bin/python3
"""A bucket of any size that exists only as a rule, and is listed as fast as two processes can: listing_server.py PORT ITEMS
[LATENCY_MS].

Item number i (A0000000 to at most A9999999) has versions 0 to 4, but for every thousandth: 0, 1, 4, 5, 6. So 5 names an item, and
one hole (2-3) in a thousand items. Each page has what Amazon's has for a key: date, ETag, size, class.
"""

import os
import re
import socket
import sys
import threading
import time
from urllib.parse import unquote

PAGE = 1000
REST = ("</Key><LastModified>2026-11-22T18:00:00.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>"
        "<Size>123</Size><StorageClass>STANDARD</StorageClass></Contents>")
SOUND = "".join(f"<Contents><Key>logs/A%(i)07d-{v}.log{REST}" for v in (0, 1, 2, 3, 4))
HOLED = "".join(f"<Contents><Key>logs/A%(i)07d-{v}.log{REST}" for v in (0, 1, 4, 5, 6))
QUERY = re.compile(rb"[?&]([a-z-]+)=([^& ]*)")


def versions(item):
    return (0, 1, 4, 5, 6) if item % 1000 == 999 else (0, 1, 2, 3, 4)


def name(index):
    return f"logs/A{index // 5:07d}-{versions(index // 5)[index % 5]}.log"


def first_after(key, total):
    """How many names are not after `key`."""
    low, high = 0, total
    while low < high:
        middle = (low + high) // 2
        if name(middle) <= key:
            low = middle + 1
        else:
            high = middle
    return low


def page(query, total):
    """Whole items, but for the first: so a page is cut at items, and has up to 1,000 names."""
    asked = {k.decode(): unquote(v.decode()) for k, v in QUERY.findall(query)}
    after = asked.get("continuation-token") or asked.get("start-after", "")
    begin = first_after(after, total)
    item, parts = -(-begin // 5), []
    for index in range(begin, min(item * 5, total)):
        parts.append(f"<Contents><Key>{name(index)}{REST}")
    most = min(int(asked.get("max-keys", PAGE)), PAGE)
    end = min(item + (most - len(parts)) // 5, total // 5)
    parts += [(HOLED if i % 1000 == 999 else SOUND) % {"i": i} for i in range(item, end)]
    more = end * 5 < total
    head = f"<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>"
    if more:
        head += f"<NextContinuationToken>{name(end * 5 - 1)}</NextContinuationToken>"
    return (head + "".join(parts) + "</ListBucketResult>").encode()


def serve(connection, total, latency_s):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    pending = b""
    while True:
        while b"\r\n\r\n" not in pending:
            more = connection.recv(65536)
            if not more:
                return
            pending += more
        head, _, pending = pending.partition(b"\r\n\r\n")
        if latency_s:
            time.sleep(latency_s)
        body = page(head.split(b"\r\n", 1)[0], total)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.1)
    os._exit(0)


def main():
    port, items = int(sys.argv[1]), int(sys.argv[2])
    latency_s = float(sys.argv[3]) / 1000 if len(sys.argv) > 3 else 0.0
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    parent = os.getpid()
    if os.fork() == 0:
        threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, items * 5, latency_s), daemon=True).start()


if __name__ == "__main__":
    main()
