"""Writes the module that `cairn.dataclass_code` takes the methods of dataclasses from."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path

from cairn.dataclass_code import FUNCTION, MODULE, name_of
from infra.cloud.bundle.bytecode import compile_tree, compiler
from infra.cloud.bundle.code import FUNCTIONS
from infra.cloud.bundle.modes import make_readable

NOTE = """
import dataclasses, json, sys
from importlib import import_module
texts, really = set(), exec
def note(text, names, defined):
    texts.add(text)
    really(text, names, defined)
dataclasses.exec = note
for name in json.loads(sys.argv[1]):
    import_module(name)
print(json.dumps(sorted(texts)))
"""


@cache
def add_dataclass_code(core: Path, dependencies: Path) -> None:
    """Add the module to our package's folder, once per process. Without the functions' Python, add none."""
    python = compiler()
    if python is None:
        return
    handlers = [f"{FUNCTIONS.name}.{one.parent.name}.{one.stem}" for one in sorted(FUNCTIONS.glob("*/handler.py"))]
    noted = subprocess.run(  # noqa: S603  an interpreter whose version was checked
        [python, "-B", "-c", NOTE, json.dumps(handlers)],
        env={"PYTHONPATH": os.pathsep.join(map(str, (core, dependencies, FUNCTIONS.parent)))},
        check=True,
        capture_output=True,
        text=True,
    )
    module = core / f"{MODULE}.py"
    module.write_text(_source(json.loads(noted.stdout)), encoding="utf-8")
    compile_tree(core, "/opt/python", module)
    make_readable(core)


def _source(texts: list[str]) -> str:
    return "\n\n\n".join(text.replace(FUNCTION, name_of(text), 1) for text in texts) + "\n"
