"""Writes the file of bytecode of a layer, from which `cairn.bytecode` imports."""

import json
from collections.abc import Mapping
from pathlib import Path

from cairn.bytecode import HEAD
from infra.cloud.bundle.modes import FILE

BEFORE_CODE = 16
"""Bytes of a .pyc file before its bytecode: the version, flags, and the hash of the source (PEP 552)."""

PACKAGE = "__init__"


def write_archive(packages: Path, name: str, more: Mapping[str, bytes] | None = None) -> None:
    """Archive all compiled modules below the folder, and more bytecode by name; where none is compiled, nothing.

    The modules stay as they are beside it, for whatever imports without the archive.
    """
    compiled = {_module(path, packages): path for path in sorted(packages.rglob("__pycache__/*.pyc"))}
    if not compiled:
        return
    version = next(iter(compiled.values())).read_bytes()[:HEAD]
    index, parts = dict[str, tuple[int, int, bool]](), list[bytes]()
    at = 0
    codes = {module: path.read_bytes()[BEFORE_CODE:] for module, path in compiled.items()}
    for module, code in {**codes, **(more or {})}.items():
        index[module] = (at, len(code), module in compiled and _stem(compiled[module]) == PACKAGE)
        parts.append(code)
        at += len(code)
    head = json.dumps(index, separators=(",", ":")).encode()
    archive = packages / name
    archive.write_bytes(b"".join([version, len(head).to_bytes(HEAD, "little"), head, *parts]))
    archive.chmod(FILE)


def _module(compiled: Path, packages: Path) -> str:
    folder = compiled.parent.parent.relative_to(packages)
    stem = _stem(compiled)
    return ".".join(folder.parts if stem == PACKAGE else (*folder.parts, stem))


def _stem(compiled: Path) -> str:
    return compiled.name.split(".")[0]
