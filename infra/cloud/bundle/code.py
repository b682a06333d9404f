"""Our own code: the core layer and the handlers, with their bytecode; copied once per process."""

import shutil
from functools import cache
from pathlib import Path

import cairn
from cairn.adapters.compiled_pages import write_compiled
from cairn.adapters.console import render as console
from cairn.adapters.pages import render as pages
from cairn.adapters.sources import MAPPING, OWN
from infra.cloud.bundle import ROOT, new_folder
from infra.cloud.bundle.bytecode import compile_tree
from infra.cloud.bundle.modes import make_readable

CORE = ROOT / "layers" / "core"
FUNCTIONS = ROOT / "functions"

SOURCES = ROOT / "sources.toml"
SOURCES_PATH = "/var/task/sources.toml"
"""The sources, deployed beside the handler of receive_webhook, with the mappings of the folder beside them."""

SHIPS = (".css", ".html", ".js", ".py", ".sql", ".svg", ".toml")
"""Code and what it reads. Nothing else in these folders ships, such as a vendor's samples and pages."""


class HandlerMissingError(Exception):
    """A function of the stack has no handler in the tree."""


@cache
def core_layer() -> Path:
    """The package `cairn`, deployed at /opt/python."""
    layer = new_folder("core")
    _copy(CORE / "python", layer / "python")
    for templates, compiled, jinja in (
        (pages.HERE, pages.COMPILED, pages.environment()),
        (console.TEMPLATES, console.COMPILED, console.environment()),
    ):
        folder = layer / "python" / compiled.relative_to(Path(cairn.__path__[0]).parent)
        folder.mkdir()
        write_compiled(jinja, templates, folder)
    compile_tree(layer / "python", "/opt/python")
    make_readable(layer)
    return layer


@cache
def function_code(name: str) -> Path:
    """One handler, deployed at /var/task."""
    if not (FUNCTIONS / name / "handler.py").is_file():
        raise HandlerMissingError(f"functions/{name}/handler.py is missing; the stack has a function of that name")
    code = new_folder(name)
    _copy(FUNCTIONS / name, code)
    compile_tree(code, "/var/task")
    if name == "receive_webhook":
        shutil.copy(SOURCES, code)
        for mapping in sorted((SOURCES.parent / OWN).glob(f"*/{MAPPING}")):
            (code / OWN / mapping.parent.name).mkdir(parents=True)
            shutil.copy(mapping, code / OWN / mapping.parent.name)
    make_readable(code)
    return code


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.suffix in SHIPS and path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
