"""Makes AWS SDKs for Python that are too old to know AWS_ENDPOINT_URL (before botocore 1.31) follow it. Pawl puts the folder of this
file into PYTHONPATH: for the functions that it starts, and for what runs under `pawl exec`. Python imports it at its start.

Nothing is imported and nothing changes until a program imports botocore.session itself; an endpoint that the program gives in
its code stays what it is."""

import os
import sys


def _endpoint_of(service):
    name = "AWS_ENDPOINT_URL_" + service.upper().replace("-", "_").replace(" ", "_")
    return os.environ.get(name) or os.environ.get("AWS_ENDPOINT_URL")


def _knows_the_variable(session):
    configprovider = sys.modules.get(session.__package__ + ".configprovider")
    return hasattr(configprovider, "ConfiguredEndpointProvider")


def _patch(session):
    if _knows_the_variable(session):
        return
    import inspect

    create = session.Session.create_client
    signature = inspect.signature(create)

    def create_client(*arguments, **named):
        given = signature.bind(*arguments, **named)
        if not given.arguments.get("endpoint_url"):
            given.arguments["endpoint_url"] = _endpoint_of(given.arguments["service_name"])
        return create(*given.args, **given.kwargs)

    session.Session.create_client = create_client


class _Finder:
    """Waits for a botocore to be imported (the aws command line may have one of its own), and patches it once it is."""

    def __init__(self):
        self._waiting = {"botocore.session", "awscli.botocore.session"}

    def find_spec(self, name, path=None, target=None):
        if name not in self._waiting:
            return None
        self._waiting.remove(name)
        import importlib.util

        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            _patch(module)

        spec.loader.exec_module = exec_module
        return spec


def _next_sitecustomize():
    """The one that this file stands before, if there is one."""
    import importlib.machinery
    import importlib.util

    own = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != own]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.environ.get("AWS_ENDPOINT_URL") or any(name.startswith("AWS_ENDPOINT_URL_") for name in os.environ):
    sys.meta_path.insert(0, _Finder())
_next_sitecustomize()
