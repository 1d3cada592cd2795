"""A disk that has less free than the clients' reserve: what the server writes itself goes on, so that what is held comes free."""

import os

from shared import BUCKET, Case, Scene, wait_until


class Room(Case):
    def test_below_the_clients_reserve_the_ledger_goes_on(self):
        scene = Scene(maps=False, stream=False)
        scene.put("A", 0)
        scene.settle()
        scene.s3.put_object(Bucket=BUCKET, Key="theirs", Body=b"1")
        for version in range(1, 5):
            scene.put("A", version)
        about = os.statvfs(os.path.dirname(scene.pawl.config))
        free = about.f_bavail * about.f_frsize
        # Half as much is free as clients must leave, and twice what Pawl must.
        scene.start_with(scene.config.replace("[server]\n", f"[server]\nreserve_bytes = {2 * free}\n"))
        self.refuses(lambda: scene.ddb.put_item(TableName="users", Item={"id": {"S": "B"}}))
        self.refuses(lambda: scene.s3.put_object(Bucket=BUCKET, Key="theirs", Body=b"2"))
        self.refuses(lambda: scene.s3.delete_object(Bucket=BUCKET, Key="theirs"))
        status = scene.settle()
        self.assertEqual((status["entered"], status["lag"]), (5, 0), status)
        scene.start_with(scene.config)
        scene.s3.delete_object(Bucket=BUCKET, Key="theirs")
        wait_until(lambda: (scene.expectation() or {}).get("kept_entered") == 1, what="what was deleted is entered")
        self.check_sound(scene, foreign=0, repaired=5)

    def refuses(self, call):
        with self.assertRaises(Exception) as caught:
            call()
        self.assertRegex(str(caught.exception), "SlowDown|reserve|full")
