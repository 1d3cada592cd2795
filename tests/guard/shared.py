"""The table engine and the store that the tests of a run share."""

ceph = None
dynamodb = None
