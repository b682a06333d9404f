"""Bytecode out of one file for each layer. Without it, a cold start looks for 600 modules in folders and opens each.

The bundle has the file beside the modules that it is made of (infra/cloud/bundle/archive). On a laptop there is none,
and one of another version of Python is passed over: Python then imports as ever.
"""

import json
import marshal
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER
from types import CodeType, ModuleType
from typing import Any

OURS, DEPENDENCIES = "cairn.bytecode", "dependencies.bytecode"
"""The files' names. Lambda unpacks all layers into one folder."""

HEAD = len(MAGIC_NUMBER)
"""Bytes of the head of a file: the version of the bytecode, and as many for the size of the index. The index follows, a
JSON object of name: [offset, size, whether it is a package], and then the bytecode.
"""


class Archive:
    """Finds modules, as an entry of `sys.meta_path`. The file stays open."""

    def __init__(self, path: str) -> None:
        """Raises OSError where there is no such file, ValueError where it is of another version of Python."""
        self.path = path
        self._folder = path.rpartition("/")[0]
        self._file = os.open(path, os.O_RDONLY)
        if os.pread(self._file, HEAD, 0) != MAGIC_NUMBER:
            os.close(self._file)
            raise ValueError(f"{path} is of another version of Python")
        size = int.from_bytes(os.pread(self._file, HEAD, HEAD), "little")
        self._start = 2 * HEAD + size
        self._index: dict[str, tuple[int, int, bool]] = json.loads(os.pread(self._file, size, 2 * HEAD))

    def load(self, name: str) -> Any:
        """What the file has by that name: the code of a module, or what was compiled beside them. None without."""
        found = self._index.get(name)
        if found is None:
            return None
        return marshal.loads(os.pread(self._file, found[1], self._start + found[0]))  # noqa: S302  as Python a .pyc

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Where the module would be without the archive, so that it finds its data there, and tracebacks its source."""
        found = self._index.get(fullname)
        if found is None:
            return None
        folder = f"{self._folder}/{fullname.replace('.', '/')}"
        origin = f"{folder}/__init__.py" if found[2] else f"{folder}.py"
        spec = ModuleSpec(fullname, _Loader(fullname, origin, self), origin=origin, is_package=found[2])
        spec.has_location, spec.cached = True, self.path
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(folder)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, archive: Archive) -> None:
        super().__init__(fullname, path)
        self._archive = archive

    def get_code(self, fullname: str) -> CodeType | None:
        code: CodeType | None = self._archive.load(fullname)
        return code


def use() -> Callable[[str], Any]:
    """Import from the archives on the path from now on. Returns what loads anything else from them, by name."""
    archives = []
    for path in (f"{folder}/{name}" for folder in sys.path for name in (OURS, DEPENDENCIES)):
        with suppress(OSError, ValueError):
            archives.append(Archive(path))
    at = sys.meta_path.index(PathFinder)
    sys.meta_path[at:at] = archives
    return lambda name: next((found for one in archives if (found := one.load(name))), None)
