"""Pages of Jinja as the Python that it makes of them, which the bundle has: 5 ms of a start for each of them."""

from pathlib import Path
from types import CodeType
from typing import ClassVar

from jinja2 import BytecodeCache, Environment, FileSystemLoader, ModuleLoader, StrictUndefined
from jinja2.bccache import Bucket

HTML = "*.html"


class _InThisProcess(BytecodeCache):
    """Each page is compiled once in a process, though each deployment on a laptop has environments of its own."""

    _pages: ClassVar[dict[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._pages.get(f"{bucket.key}-{bucket.checksum}")

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._pages[f"{bucket.key}-{bucket.checksum}"] = bucket.code


def environment_of(templates: Path, compiled: Path) -> Environment:
    """Escapes all, and is strict. The compiled pages where they are; elsewhere each is compiled when first loaded."""
    return Environment(
        loader=ModuleLoader(compiled) if compiled.is_dir() else FileSystemLoader(templates),
        bytecode_cache=_InThisProcess(),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_compiled(jinja: Environment, templates: Path, folder: Path) -> None:
    """Write each template to the folder."""
    for template in templates.glob(HTML):
        python = jinja.compile(template.read_text(encoding="utf-8"), template.name, raw=True, defer_init=True)
        (folder / ModuleLoader.get_module_filename(template.name)).write_text(python, encoding="utf-8")
