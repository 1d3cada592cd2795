"""What an archive must look like after crashes, from its objects alone (and the acknowledgements)."""

import hashlib
import os

from blackbox import archive_reader


class ArchiveWatch:
    """Looks at an archive while its server is dead: every object is whole, and none ever changes."""

    def __init__(self, directory):
        self.directory, self.digests, self.documents = directory, {}, {}

    def look(self, again=False):
        """Reads objects that are new since the last look (or all of them). Returns problems as texts."""
        problems, present = [], set()
        for path in archive_reader.object_paths(self.directory):
            present.add(path)
            if path in self.digests and not again:
                continue
            try:
                document = archive_reader.read_object(self.directory, path)
            except ValueError as error:
                problems.append(str(error))
                continue
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            if self.digests.setdefault(path, digest) != digest:
                problems.append(f"object {path} has other content than before")
            self.documents[path] = document
        gone = set(self.digests) - present
        if gone:
            sealed = archive_reader.sealed_names(self.directory)
            lost = [path for path in gone if again or os.path.relpath(path, self.directory) in sealed]
            problems += [f"object {path} was there and is gone" for path in sorted(lost)[:5]]
        return problems

    def changes(self, table):
        """key text -> its changes in order of their versions."""
        keys = {}
        for document in self.documents.values():
            if document["table"] == table:
                keys.setdefault(document["key"]["id"]["S"], []).append(document)
        for changes in keys.values():
            changes.sort(key=lambda d: d["version"])
        return keys

    def chain_problems(self, tables):
        """Versions are dense from 0, and each change starts from the image that the one before left."""
        problems = []
        for table in tables:
            for key, changes in self.changes(table).items():
                if [d["version"] for d in changes] != list(range(len(changes))):
                    problems.append(f"{table} {key}: versions {[d['version'] for d in changes][:20]}… are not dense")
                    continue
                for before, after in zip(changes, changes[1:]):
                    if before["new"] != after["old"]:
                        problems.append(f"{table} {key}: version {after['version']} does not start from version {before['version']}")
                        break
        return problems

    def counter_problems(self, tables):
        """A counter's values are 1, 2, 3, … : a repeated addition would be a step without an acknowledgement."""
        problems = []
        for table in tables:
            for key, changes in self.changes(table).items():
                values = [int(d["new"]["_version"]["N"]) for d in changes]
                if values != list(range(1, len(values) + 1)):
                    problems.append(f"{table} {key}: counted {values[:30]}…")
        return problems
