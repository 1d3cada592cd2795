"""The usual design while its server is killed, under both profiles: the client's commands as they stand, and every version is in the
bucket; a booking whose answer was lost is counted once."""

import re
import threading
import unittest

from blackbox import suite
from blackbox.servers import Cleanup
from shared import Server, wait_until

ACCOUNTS, BOOKINGS = 4, 80
KILL_AT = (40, 120, 240)  # bookings that were acknowledged before


class Kills(unittest.TestCase):
    def play(self, *options):
        with Cleanup() as cleanup:
            server = cleanup.add(Server(cleanup, options)).start()
            status, output = server.shell("stream-function-bucket", "pawl exec -- ./setup.sh")
            self.assertEqual(status, 0, output)
            client = server.spawn("stream-function-bucket", "python3", "client.py", str(ACCOUNTS), str(BOOKINGS))
            booked = []
            reader = threading.Thread(target=self.follow, args=(client, booked), daemon=True)
            reader.start()
            for count in KILL_AT:
                wait_until(lambda: len(booked) >= count or client.poll() is not None, what=f"booking {count}")
                server.kill()
                server.start()
            self.assertEqual(client.wait(300), 0, booked[-20:])
            reader.join()
            self.assertEqual(len(booked), ACCOUNTS * BOOKINGS)
            self.check(server, booked)

    @staticmethod
    def follow(client, booked):
        for line in client.stdout:
            booked.append(line)

    def check(self, server, booked):
        newest = dict(re.findall(r"^(A\d+) is at version \d+, (-?\d+) points$", "".join(booked), re.MULTILINE))
        for item in server.rows("points"):
            self.assertEqual(item["_version"]["N"], str(BOOKINGS), "each booking counts once")
            self.assertEqual(item["points"]["N"], newest[item["hashid"]["S"]])
        wanted = {f"logs/A{number + 1:06d}-{version}.log" for number in range(ACCOUNTS) for version in range(BOOKINGS + 1)}
        status, output = server.shell("stream-function-bucket", "pawl exec -- ./check.sh 300")
        self.assertEqual(status, 0, output)
        self.assertEqual(set(server.objects("points-history", "logs/")), wanted)
        self.assertEqual(server.stop(), 0, server.log_end())
        done = server.run("verify", server.archive)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_under_pawl(self):
        self.play()

    def test_under_aws(self):
        self.play("--profile", "aws")
