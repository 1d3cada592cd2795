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
ITEMS = PAGE // 5  # of a whole page
REST = ("</Key><LastModified>2026-11-22T18:00:00.000Z</LastModified><ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>"
        "<Size>123</Size><StorageClass>STANDARD</StorageClass></Contents>")
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


def contents(begin, end):
    return "".join(f"<Contents><Key>{name(index)}{REST}" for index in range(begin, end)).encode()


# Whole pages of the first thousand items: those of every other thousand differ in four digits only.
BLOCKS = [contents(first * 5, (first + ITEMS) * 5).replace(b"/A0000", b"/A@@@@") for first in range(0, 1000, ITEMS)]


def page(query, total):
    """Ends where a whole page would, so that the next can be a whole one."""
    asked = {k.decode(): unquote(v.decode()) for k, v in QUERY.findall(query)}
    begin = first_after(asked.get("continuation-token") or asked.get("start-after", ""), total)
    end = min(begin - begin % PAGE + PAGE, total, begin + int(asked.get("max-keys", PAGE)))
    if begin % PAGE == 0 and end - begin == PAGE:
        thousand, block = divmod(begin // 5, 1000)
        body = BLOCKS[block // ITEMS].replace(b"@@@@", b"%04d" % thousand)
    else:
        body = contents(begin, end)
    head = f"<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>{str(end < total).lower()}</IsTruncated>"
    if end < total:
        head += f"<NextContinuationToken>{name(end - 1)}</NextContinuationToken>"
    return head.encode() + body + b"</ListBucketResult>"


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
