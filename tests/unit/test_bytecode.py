"""Modules out of one file, as a deployed function imports them."""

import compileall
import importlib
import importlib.resources
import marshal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from cairn.bytecode import HEAD, OURS, use
from infra.cloud.bundle.archive import write_archive

NAMES = ("archived", "archived.inner", "archived.inner.broken")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports, and where from, is as before after it."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inner = tmp_path / "archived" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "archived" / "__init__.py").write_text("from pathlib import Path\nHERE = Path(__file__).parent\n")
    (tmp_path / "archived" / "page.html").write_text("a page")
    (inner / "__init__.py").touch()
    (inner / "broken.py").write_text("def fail():\n    raise LookupError  # this line\n")
    compileall.compile_dir(tmp_path, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_module_is_imported_without_a_look_at_its_file(packages: Path) -> None:
    write_archive(packages, OURS)
    for path in packages.rglob("__init__.*"):
        path.unlink()

    use()

    assert importlib.import_module("archived.inner").__package__ == "archived.inner"


def test_a_module_is_where_it_would_be_without_the_archive(packages: Path) -> None:
    write_archive(packages, OURS)

    use()

    archived = importlib.import_module("archived")
    assert (archived.HERE / "page.html").read_text() == "a page"
    assert archived.__path__ == [str(packages / "archived")]
    assert importlib.resources.files("archived").joinpath("page.html").read_text() == "a page"


def test_a_traceback_shows_the_line(packages: Path) -> None:
    write_archive(packages, OURS)
    use()

    try:
        importlib.import_module("archived.inner.broken").fail()
    except LookupError:
        shown = traceback.format_exc()

    assert "this line" in shown


def test_what_else_was_compiled_is_found_by_name(packages: Path) -> None:
    write_archive(packages, OURS, {"answer": marshal.dumps(42)})

    load = use()

    assert load("answer") == 42
    assert load("question") is None


def test_an_archive_of_another_python_is_passed_over(packages: Path) -> None:
    write_archive(packages, OURS, {"answer": marshal.dumps(42)})
    archive = packages / OURS
    archive.write_bytes(bytes(HEAD) + archive.read_bytes()[HEAD:])

    load = use()

    assert load("answer") is None
    assert importlib.import_module("archived").__loader__.__class__.__name__ == "SourceFileLoader"


def test_without_bytecode_there_is_no_archive(tmp_path: Path) -> None:
    write_archive(tmp_path, OURS)

    assert not (tmp_path / OURS).exists()
