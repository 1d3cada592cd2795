"""The API: create, get, list, update, delete, and what is refused."""

from shared import Case, Scene, fresh, wait_until


class Api(Case):
    @classmethod
    def setUpClass(cls):
        cls.scene = Scene()

    def make(self, **more):
        return self.scene.api.create_event_source_mapping(
            **{"EventSourceArn": self.scene.arn, "FunctionName": self.scene.name, "StartingPosition": "LATEST", **more})

    def test_a_life(self):
        scene = Scene()
        made = scene.map(BatchSize=7, MaximumBatchingWindowInSeconds=1, MaximumRetryAttempts=3, MaximumRecordAgeInSeconds=3600,
                         BisectBatchOnFunctionError=True, FunctionResponseTypes=["ReportBatchItemFailures"],
                         FilterCriteria={"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]},
                         DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:failures"}})
        self.assertEqual(made["State"], "Creating")
        got = scene.get()
        self.assertEqual(got["ResponseMetadata"]["HTTPStatusCode"], 200)
        for name, value in (("State", "Enabled"), ("BatchSize", 7), ("MaximumBatchingWindowInSeconds", 1), ("MaximumRetryAttempts", 3),
                            ("MaximumRecordAgeInSeconds", 3600), ("BisectBatchOnFunctionError", True), ("ParallelizationFactor", 1),
                            ("FunctionResponseTypes", ["ReportBatchItemFailures"]), ("EventSourceArn", scene.arn),
                            ("StartingPosition", "TRIM_HORIZON"), ("LastProcessingResult", "No records processed")):
            self.assertEqual(got[name], value, name)
        self.assertTrue(got["FunctionArn"].endswith(f":function:{scene.name}"))
        self.assertEqual(got["FilterCriteria"]["Filters"][0]["Pattern"], '{"eventName":["INSERT"]}')
        updated = scene.api.update_event_source_mapping(UUID=scene.uuid, BatchSize=9, Enabled=False, MaximumRetryAttempts=-1)
        self.assertEqual((updated["BatchSize"], updated["State"]), (9, "Disabling"))
        wait_until(lambda: scene.state() == "Disabled", what="disabling")
        self.assertEqual(scene.get()["MaximumRetryAttempts"], -1)
        self.assertEqual(scene.get()["MaximumRecordAgeInSeconds"], 3600)
        scene.api.update_event_source_mapping(UUID=scene.uuid, Enabled=True)
        wait_until(lambda: scene.state() == "Enabled", what="enabling")
        self.assertEqual(scene.api.delete_event_source_mapping(UUID=scene.uuid)["State"], "Deleting")

        def gone():
            listed = scene.api.list_event_source_mappings(FunctionName=scene.name)
            return not listed["EventSourceMappings"]
        wait_until(gone, what="the deletion")
        self.refused("ResourceNotFoundException", scene.get)

    def test_lists_in_pages(self):
        scenes = [Scene() for _ in range(3)]
        for scene in scenes:
            scene.map(Enabled=False)
        api, found, marker = scenes[0].api, set(), {}
        while True:
            page = api.list_event_source_mappings(MaxItems=1, **marker)
            self.assertLessEqual(len(page["EventSourceMappings"]), 1)
            found |= {one["UUID"] for one in page["EventSourceMappings"]}
            if "NextMarker" not in page:
                break
            marker = {"Marker": page["NextMarker"]}
        self.assertLessEqual({scene.uuid for scene in scenes}, found)
        one = api.list_event_source_mappings(EventSourceArn=scenes[1].arn)["EventSourceMappings"]
        self.assertEqual([each["UUID"] for each in one], [scenes[1].uuid])

    def test_wrong_arguments(self):
        invalid = "InvalidParameterValueException"
        self.refused(invalid, self.make, EventSourceArn=self.scene.arn[:-1] + "X")
        self.refused(invalid, self.make, EventSourceArn="arn:aws:kinesis:us-east-1:000000000000:stream/x")
        self.refused(invalid, self.make, StartingPosition="AT_TIMESTAMP")
        self.refused(invalid, self.make, MaximumRecordAgeInSeconds=10)
        self.refused(invalid, self.make, FilterCriteria={"Filters": [{"Pattern": '{"a":"b"}'}]})
        self.refused("ResourceNotFoundException", self.make, FunctionName=fresh())
        self.refused("ResourceNotFoundException", self.scene.api.get_event_source_mapping, UUID="nonsense")
        for more in ({"ParallelizationFactor": 2}, {"TumblingWindowInSeconds": 5}, {"Topics": ["t"]}):
            error = self.refused("UnsupportedOperationException", self.make, **more)
            self.assertIn(next(iter(more)), str(error))

    def test_only_once(self):
        scene = Scene()
        scene.map(Enabled=False)
        error = self.refused("ResourceConflictException", scene.map)
        self.assertIn(scene.uuid, str(error))
