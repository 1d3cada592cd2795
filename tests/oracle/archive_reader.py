"""Reads the objects that Pawl's archiver wrote, knowing only their documented format.

docs/internals/archive-format.md: one JSON document per version, anywhere below the archive
directory except `.pawl/`.
"""

import json
import os


def read_objects(directory):
    """Every object's document, with its path under "object". A body that does not parse is an error."""
    documents = []
    for folder, folders, files in os.walk(directory):
        if folder == str(directory):
            folders[:] = [name for name in folders if name != ".pawl"]
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                body = file.read()
            try:
                document = json.loads(body)
            except ValueError as error:
                raise ValueError(f"object {path} ({len(body)} bytes) is not one JSON document: {error}") from error
            document["object"] = os.path.relpath(path, directory)
            documents.append(document)
    return documents


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
