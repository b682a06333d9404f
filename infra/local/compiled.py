"""A project compiled as for a deployment, once for each content that it has in this process."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from authoring.defaults import projects_policy
from authoring.project import compile_project, compiled_files

_known: dict[str, Mapping[str, bytes]] = {}


def compiled(journeys: Path, policy: Path) -> Mapping[str, bytes]:
    """What `compile_project` writes, by the name of the file; from memory where no file that it reads has changed.

    Tests and proofs deploy the same few projects thousands of times. Raises what `compile_project` does.
    """
    own = projects_policy(policy)
    content = _digest(compiled_files(journeys, policy, own))
    if content not in _known:
        with TemporaryDirectory(prefix="cairn-") as target:
            compile_project(journeys, policy, own, Path(target))
            _known[content] = {file.name: file.read_bytes() for file in Path(target).iterdir()}
    return _known[content]


def _digest(files: tuple[Path, ...]) -> str:
    """Of the names and contents of all files, and of all below folders; the same wherever they lie."""
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.name}\0".encode())
        for each in sorted(file.rglob("*")) if file.is_dir() else [file]:
            if each.is_file():
                found.update(f"{each.relative_to(file)}\0{each.stat().st_size}\0".encode())
                found.update(each.read_bytes())
    return found.hexdigest()
