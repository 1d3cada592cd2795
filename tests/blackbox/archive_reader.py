"""Reads the objects that Pawl's archiver wrote, knowing only their documented format.

docs/internals/archive-format.md: one JSON document per version, anywhere below the archive
directory except `.pawl/` and `.suspect/`; names that can't be paths are under `.pawl/hashed/`.
"""

import json
import os


def read_objects(directory):
    """Every object's document, with its path under "object". A body that does not parse is an error."""
    return [read_object(directory, path) for path in object_paths(directory)]


def object_paths(directory):
    directory = os.path.abspath(directory)
    for folder, folders, files in os.walk(directory):
        if folder == directory:
            folders[:] = [name for name in folders if name not in (".pawl", ".suspect")]
        for name in files:
            yield os.path.join(folder, name)
    for folder, _, files in os.walk(os.path.join(directory, ".pawl", "hashed")):
        for name in files:
            if not name.endswith((".name", ".name.new")):  # names beside their objects, and halves of them
                yield os.path.join(folder, name)


def read_object(directory, path):
    with open(path, "rb") as file:
        body = file.read()
    try:
        document = json.loads(body)
    except ValueError as error:
        raise ValueError(f"object {path} ({len(body)} bytes) is not one JSON document: {error}") from error
    if not body.endswith(b"\n") or body.count(b"\n") != 1:
        raise ValueError(f"object {path} is not one line with its newline")
    document["object"] = os.path.relpath(path, directory)
    return document


def sealed_names(directory):
    """The names of the objects that complete ledger pages list: these are archived for ever. Objects after the last
    page are unsealed: a restart may move them aside and write them again."""
    names = set()
    for folder, _, files in os.walk(os.path.join(directory, ".pawl", "ledger")):
        for volume in files:
            with open(os.path.join(folder, volume), encoding="utf-8") as lines:
                for line in lines:
                    if not line.endswith("\n"):
                        continue  # torn by the kill
                    page = json.loads(line.split(" ", 2)[2])
                    names.update(change["object"] for change in page.get("changes", ()))
    return names


def by_table(documents):
    """table name -> its changes, each incarnation's shards in order of their sequence numbers."""
    tables = {}
    for document in documents:
        tables.setdefault(document["table"], []).append(document)
    for changes in tables.values():
        changes.sort(key=lambda d: (d["incarnation"], d["shard"], d["sequence"]))
    return tables


def as_stream(changes):
    """The same shape as execute.stream_records."""
    return [{"kind": d["kind"], "key": d["key"], "new": d["new"], "old": d["old"]} for d in changes]
