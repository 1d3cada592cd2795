"""Keys and attributes that try to leave the archive, or to land on another's object."""

import os
import time

from blackbox import archive_reader, suite
from target import HostileCase, connection, create_table

KEYS = ["../../../../tmp/pawl-escaped", "..", ".", "./x", "/etc/passwd", "a/../b", "a", "a/b", "a/b/c", "a%2Fb", "a%2fb", "%2F", "%", "%00", "%25",
        "\u0000", "a\u0000b", "\n", "\r\n", "\t", " ", "  ", "a ", " a", "\u007f", "\u202e", "日本", "e\u0301", "\u00e9", "😀" * 10, "~", "a~1", "a~",
        "~1", "a.removed-1", ".pawl", ".suspect", ".pawl/tip", "CON", "nul", "-", "--help", "*", "?", "{table}", "{", "}", "$(id)", "`id`", ";", "|", "\\",
        "\\..\\", "A", "a-0", "a-1", "a-0.json", "a.json", "x" * 199, "x" * 200, "x" * 201, "x" * 255, "x" * 256, "x" * 1024, "x" * 2048, "/" * 2048,
        "é" * 1024, "é" * 99 + "a", "\u0001" * 70, "." * 300, "~" * 300, "x" * 120 + "y" * 100, "x" * 120 + "z" * 100]


def snapshot(directory):
    """Every path of a directory's siblings that the server could have touched by mistake."""
    return sorted(os.path.join(f, n) for f, d, names in os.walk(directory) for n in d + names)


class HostileKeys(HostileCase):
    def put_get(self, table, key, **attributes):
        lead = connection()
        item = {"hashid": {"S": key}, **attributes}
        reply = lead.call("PutItem", {"TableName": table, "Item": item})
        self.assertEqual(reply.status, 200, f"{key[:60]!r}: {reply.body[:200]!r}")
        self.assertEqual(lead.call("GetItem", {"TableName": table, "Key": {"hashid": {"S": key}}}).json()["Item"], item)

    def archived(self, table, count):
        """The table's objects once there are `count` of them."""
        deadline = time.monotonic() + 180
        while True:
            found = archive_reader.by_table(archive_reader.read_objects(suite.current().pawl.archive)).get(table, [])
            if len(found) >= count or time.monotonic() > deadline:
                self.assertEqual(len(found), count, f"objects of table {table}")
                return found
            time.sleep(0.2)

    def test_every_key_gets_its_own_object_inside_the_archive(self):
        pawl = suite.current().require_pawl()
        outside = os.path.dirname(pawl.data)
        before = [p for p in snapshot(outside) if not p.startswith(pawl.data)] + sorted(os.listdir("/tmp/..")) + [os.path.exists("/tmp/pawl-escaped")]
        for table in ("defaultnames", "plain", "counted", "nested"):
            create_table(connection(), table, "hashid")
            for key in KEYS:
                self.put_get(table, key)
                self.put_get(table, key, _version={"N": "1"})
        for table in ("defaultnames", "plain", "counted", "nested"):
            found = self.archived(table, 2 * len(KEYS))
            self.assertEqual(len({d["object"] for d in found}), 2 * len(KEYS))
            self.assertEqual({(d["key"]["hashid"]["S"], d["version"]) for d in found}, {(k, v) for k in KEYS for v in (0, 1)})
        after = [p for p in snapshot(outside) if not p.startswith(pawl.data)] + sorted(os.listdir("/tmp/..")) + [os.path.exists("/tmp/pawl-escaped")]
        self.assertEqual(before, after, "something was written outside of the data directory")

    def test_names_that_another_s_name_escapes_to(self):
        """With names from attributes, two items can ask for the same name: each version keeps an object of its own."""
        suite.current().require_pawl()
        table = "counted"
        lead = connection()
        if lead.call("DescribeTable", {"TableName": table}).status != 200:
            create_table(lead, table, "hashid")
            base = 0
        else:
            base = len(archive_reader.by_table(archive_reader.read_objects(suite.current().pawl.archive)).get(table, []))
        pairs = [("p", {"S": "1-0"}), ("p-1", {"N": "0"}), ("q~1", {"N": "0"}), ("q%7E1", {"N": "0"}), ("r", {"S": "~0"}), ("r", {"S": "%7E0"}),
                 ("s", {"N": "1"}), ("s", {"N": "1"}), ("s", {"S": "1"}), ("t", {"B": "YQ=="}), ("t", {"S": "YQ"}), ("u", {"S": "0.removed-1"}),
                 ("v/1", {"N": "1"}), ("v%2F1", {"N": "1"})]
        for number, (key, version) in enumerate(pairs):
            self.put_get(table, key, _version=version, number={"N": str(number)})
        found = self.archived(table, base + len(pairs))
        mine = [d for d in found if "number" in (d["new"] or {})]
        self.assertEqual(sorted(int(d["new"]["number"]["N"]) for d in mine), list(range(len(pairs))))
        self.assertEqual(len({d["object"] for d in found}), base + len(pairs))

    def test_file_beside_directory_across_tables(self):
        """`logs` of one table is a directory of another's names."""
        suite.current().require_pawl()
        lead = connection()
        for table in ("plain", "counted", "nested"):
            if lead.call("DescribeTable", {"TableName": table}).status != 200:
                create_table(lead, table, "hashid")
        archive = suite.current().pawl.archive
        base = {t: len(d) for t, d in archive_reader.by_table(archive_reader.read_objects(archive)).items()}
        for table, key in (("plain", "logs"), ("plain", "box"), ("nested", "box"), ("nested", "cup"), ("plain", "cup")):
            self.put_get(table, key)
        self.archived("plain", base.get("plain", 0) + 3)
        self.archived("nested", base.get("nested", 0) + 2)
