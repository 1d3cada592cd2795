#!/usr/bin/env python3
"""Plants one violation at a time in a small tree and sees that the layering check names it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import check

LAYERS = """base::
port:base:
item:base:
archive:base,port,item:fault
fault:base,port:
audit:base,port:
adapter:base,port:
server:archive,adapter:
"""
GOOD = {
    "base/digest.h": "#include <string>\n",
    "base/digest.cc": '#include "base/digest.h"\n#include <openssl/evp.h>\n',
    "port/clock.h": '#include "base/digest.h"\n',
    "item/key.h": '#include "base/digest.h"\n',
    "fault/plan.h": '#include "port/clock.h"\n',
    "archive/archiver.h": '#include "item/key.h"\n// asio::steady_timer is banned here\n',
    "archive/archiver_test.cc": '#include "archive/archiver.h"\n#include "fault/plan.h"\n#include <thread>\n',
    "audit/verify.h": '#include "port/clock.h"\n',
    "adapter/store.cc": '#include <rocksdb/db.h>\nauto t = std::chrono::steady_clock::now();\n',
    "server/main.cc": '#include "item/key.h"\n#include "adapter/store.cc"\n',
}
# What is planted: name, file, text (None: the layers file gets the text), a part of the one complaint.
PLANTED = (
    ("undeclared folder", "item/key.h", '#include "port/clock.h"\n', "item does not declare port"),
    ("test dependency in a source", "archive/archiver.h", '#include "fault/plan.h"\n', "archive does not declare fault"),
    ("indirect include upwards", "base/digest.h", '#include "adapter/store.cc"\n', "base does not declare adapter"),
    ("verifier sees the writer", "audit/verify.h", '#include "archive/archiver.h"\n', "audit does not declare archive"),
    ("verifier declared on the writer", None, "audit:base,port,archive:", "shares archive, item with the writers"),
    ("cycle", None, "base:port:", "depends on itself"),
    ("unknown dependency", None, "item:base,nowhere:", "nowhere, which is not a folder"),
    ("stray file", "loose.h", "", "not in a folder"),
    ("undeclared source folder", "extra/a.h", "", "not in a folder"),
    ("include not rooted", "archive/archiver.h", '#include "archiver.h"\n', "not a file below src/"),
    ("angle brackets for one's own", "archive/archiver.h", "#include <item/key.h>\n", "with quotes"),
    ("rocksdb in a stage", "archive/archiver.h", "#include <rocksdb/db.h>\n", "RocksDB is not seen in archive"),
    ("openssl beside the digest", "base/digest.h", "#include <openssl/evp.h>\n", "OpenSSL is not seen in base"),
    ("beast in a stage", "archive/archiver.h", "#include <boost/beast/http.hpp>\n", "Boost.Beast is not seen"),
    ("timer header", "archive/archiver.h", "#include <boost/asio/steady_timer.hpp>\n", "Asio timers and sockets"),
    ("socket header", "archive/archiver.h", "#include <sys/socket.h>\n", "sockets is not seen in archive"),
    ("thread in a stage", "archive/archiver.h", "#include <thread>\n", "a stage gets <thread> through a port"),
    ("timer by name", "archive/archiver.h", "asio::steady_timer t;\n", "steady_timer in archive"),
    ("timer in a stage's test", "archive/archiver_test.cc", "asio::steady_timer t;\n", "steady_timer in archive"),
    ("wall clock in a stage", "item/key.h", "auto t = std::chrono::system_clock::now();\n", "system_clock::now in item"),
)


def with_layer(text: str) -> str:
    name = text.split(":", 1)[0]
    return "\n".join(text if line.startswith(name + ":") else line for line in LAYERS.splitlines())


def complaints(planted_file: str | None, text: str) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        source_dir = Path(directory)
        for name, body in GOOD.items():
            path = source_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
        layers = LAYERS
        if planted_file is None:
            layers = with_layer(text)
        else:
            path = source_dir / planted_file
            path.parent.mkdir(exist_ok=True)
            path.write_text(text if text.startswith("#") else GOOD.get(planted_file, "") + text)
        return check.check(source_dir, layers)[1]


def main() -> int:
    failed = []
    if found := complaints("base/digest.h", GOOD["base/digest.h"]):
        failed.append(f"the good tree: {found}")
    for name, planted_file, text, expected in PLANTED:
        found = complaints(planted_file, text)
        if not any(expected in complaint for complaint in found):
            failed.append(f"{name}: expected \"{expected}\", found {found}")
    for line in failed:
        print(line)
    print(f"{1 + len(PLANTED) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
