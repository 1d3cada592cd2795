"""The store misbehaves as FACTS.md says that stores do; see scripted_store.py."""

import time
import unittest

from blackbox import servers, suite
from blackbox.client_case import wait_until
from bucket_scene import BucketScene
from scripted_store import ScriptedStore


class Scripted(unittest.TestCase):
    def store(self, seed=1):
        context = suite.current()
        return context.cleanup.add(ScriptedStore(servers.free_port(context.ports + 90), seed))

    def test_every_kind_of_bad_answer(self):
        store = self.store(seed=7)
        scene = BucketScene(store.url)
        scene.create("users")
        store.rules.slow_down = store.rules.error_applied = store.rules.error_not_applied = 30
        store.rules.lost_answer = store.rules.conflict = 30
        for number in range(300):
            scene.count("users", f"A{number % 30:06}")
        scene.caught_up(300)
        statuses = {status for (method, status) in store.answers if method == "PUT"}
        self.assertLessEqual({200, 409, 412, 500, 503}, statuses)
        store.rules.slow_down = store.rules.error_applied = store.rules.error_not_applied = 0
        store.rules.lost_answer = store.rules.conflict = 0
        scene.stop_clean(self, 300)

    def test_an_outage_that_says_slow_down(self):
        store = self.store()
        scene = BucketScene(store.url)
        scene.create("users")
        scene.count("users", "A")
        scene.caught_up(1)
        store.rules.slow_down = 1000
        for _ in range(100):
            scene.count("users", "A")
        before = store.answers.get(("PUT", 503), 0)
        time.sleep(5)
        asked = store.answers.get(("PUT", 503), 0) - before
        self.assertLess(asked, 400, "a store that asks for fewer requests gets fewer")
        store.rules.slow_down = 0
        scene.caught_up(101)
        scene.stop_clean(self, 101)

    def test_many_at_once_where_each_takes_long(self):
        store = self.store()
        scene = BucketScene(store.url)
        scene.create("users")
        store.rules.latency_s = 1
        for number in range(400):
            scene.count("users", f"A{number:06}")
        wait_until(lambda: store.most_at_once >= 10, what="ten at once")
        store.rules.latency_s = 0
        scene.caught_up(400)
        scene.stop_clean(self, 400)
