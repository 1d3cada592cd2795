"""The one store that the modules of a run share."""

ceph = None
