"""`pawl verify` names every kind of damage to a copy of an archive, and the original stays clean."""

import os
import shutil

from blackbox import archive_reader, suite
from scene import Scene, SceneCase


class Damage(SceneCase):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()
        cls.scene.create("users")
        for number in range(20):
            cls.scene.put("users", f"A{number:02}", _version={"N": "0"})
            cls.scene.count("users", f"A{number:02}")
        cls.scene.objects("users", 40)
        assert cls.scene.pawl.stop() == 0

    def copy(self):
        target = os.path.join(suite.current().cleanup.directory(), "copy")
        shutil.copytree(self.scene.pawl.archive, target)
        return target

    def pages(self, copy):
        """A shard chain's first volume that has pages."""
        folder = os.path.join(copy, ".pawl", "ledger")
        return [os.path.join(folder, chain, "00000000.pages") for chain in sorted(os.listdir(folder)) if chain != "root"]

    def damaged(self, copy, *words, deep=False):
        status, _, text = self.scene.verify(*(["--deep"] if deep else []), archive=copy)
        self.assertEqual(status, 1, text)
        for word in words:
            self.assertIn(word, text)

    def test_a_good_copy_is_good_anywhere(self):
        for deep in ([], ["--deep"]):
            status, report, text = self.scene.verify(*deep, archive=self.copy())
            self.assertEqual(status, 0, text)
            self.assertEqual(report["versions"], 40)

    def test_a_missing_object(self):
        copy = self.copy()
        os.unlink(os.path.join(copy, "logs", "A07-1.log"))
        self.damaged(copy, "A07", "users")

    def test_an_altered_object_of_the_same_size(self):
        copy = self.copy()
        path = os.path.join(copy, "logs", "A07-1.log")
        with open(path, "rb") as file:
            body = file.read()
        with open(path, "wb") as file:
            file.write(body.replace(b'"N":"1"', b'"N":"2"'))
        self.damaged(copy, "A07", deep=True)

    def test_an_object_cut_short(self):
        copy = self.copy()
        with open(os.path.join(copy, "logs", "A07-1.log"), "r+b") as file:
            file.truncate(10)
        self.damaged(copy, "A07")

    def test_two_objects_swapped(self):
        copy = self.copy()
        a, b = (os.path.join(copy, "logs", name) for name in ("A07-0.log", "A08-0.log"))
        os.rename(a, a + ".x"), os.rename(b, a), os.rename(a + ".x", b)
        self.damaged(copy, "A07", "A08", deep=True)

    def test_an_object_that_nobody_wrote(self):
        copy = self.copy()
        shutil.copy(os.path.join(copy, "logs", "A07-1.log"), os.path.join(copy, "logs", "A07-9.log"))
        self.damaged(copy, "A07-9")

    def test_every_byte_of_a_ledger_page_counts(self):
        original = self.pages(self.copy())[0]
        with open(original, "rb") as file:
            size = len(file.read())
        for at in range(0, size, max(1, size // 25)):
            copy = self.copy()
            with open(self.pages(copy)[0], "r+b") as file:
                file.seek(at)
                byte = file.read(1)
                file.seek(at)
                file.write(bytes([byte[0] ^ 1]))
            with self.subTest(at):
                self.damaged(copy)

    def test_a_page_removed_from_the_end(self):
        copy = self.copy()
        for path in self.pages(copy):
            with open(path, "rb") as file:
                lines = file.readlines()
            with open(path, "wb") as file:
                file.writelines(lines[:-1])
        self.damaged(copy)

    def test_a_chain_removed(self):
        copy = self.copy()
        shutil.rmtree(os.path.dirname(self.pages(copy)[0]))
        self.damaged(copy)

    def test_no_archive_at_all(self):
        for path in (os.path.join(self.scene.directory, "nothing"), "/dev/null", "/etc"):
            status, _, text = self.scene.verify(archive=path)
            self.assertEqual(status, 2, text)

    def test_a_head_kept_elsewhere(self):
        _, report, text = self.scene.verify()
        head = report["head"]["digest"] if isinstance(report["head"], dict) else report["head"]
        self.assertEqual(self.scene.verify("--head", head)[0], 0, text)
        self.assertEqual(self.scene.verify("--head", "0" * 64)[0], 1)
        self.assertEqual(self.scene.verify("--head", "junk")[0], 2)

    def test_verify_does_not_write(self):
        copy = self.copy()
        before = {p: os.stat(p).st_mtime_ns for p in archive_reader.object_paths(copy)}
        self.scene.verify("--deep", archive=copy)
        self.assertEqual(before, {p: os.stat(p).st_mtime_ns for p in archive_reader.object_paths(copy)})
