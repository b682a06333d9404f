"""Compiled Python, shipped beside its source: without it a cold start costs 2.2 times as much."""

import os
import shutil
import subprocess
import sys
from functools import cache
from itertools import chain
from pathlib import Path

RUNTIME = (3, 13)
"""The functions' Python. Bytecode is good for exactly one minor version."""

NAME = f"python{RUNTIME[0]}.{RUNTIME[1]}"

INSTALL = f".venv/bin/uv python install {RUNTIME[0]}.{RUNTIME[1]}"
"""The command by which this machine gets that Python."""


def compile_tree(tree: Path, runtime_path: str, *files: Path) -> bool:
    """Compile a folder that is deployed at `runtime_path`, or some files of it; without a compiler, False and one line.

    `unchecked-hash`: Lambda unpacks archives with other timestamps, which would void timestamped bytecode. By one
    process: what a file shares with those that were compiled before it shows in its bytecode, so that processes which
    take turns may make other bytecode each time.
    """
    python = compiler()
    if python is None:
        return False
    mode = ("-j", "1", "--invalidation-mode", "unchecked-hash")
    paths = ("-s", str(tree), "-p", runtime_path)
    subprocess.run(  # noqa: S603 - our own tree, and an interpreter whose version was checked
        [python, "-I", "-m", "compileall", "-q", *mode, *paths, *map(str, files or [tree])], check=True
    )
    return True


@cache
def compiler() -> str | None:
    """A Python of the functions' version on this machine; without one, one message says so."""
    found = find_compiler()
    if found is None:
        sys.stderr.write(
            f"cairn: no {NAME} on this machine, so layers and functions ship without bytecode: cold starts take "
            f"2.2 x as long. Before a real deployment: {INSTALL}\n"
        )
    return found


def find_compiler() -> str | None:
    """A Python of the functions' version on this machine, or None."""
    return next((path for path in _candidates() if _is_runtime(path)), None)


def _candidates() -> chain[str]:
    """Cheapest first. A name on PATH proves nothing: it can be a shim of pyenv without a Python."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR", Path.home() / ".local/share/uv/python"))
    return chain(
        [sys.executable],
        filter(None, [shutil.which(NAME)]),
        map(str, sorted(pyenv.glob(f"*/bin/{NAME}"))),
        map(str, sorted(managed.glob(f"*/bin/{NAME}"))),
    )


def _is_runtime(python: str) -> bool:
    asked = subprocess.run(  # noqa: S603 - only asked for its version
        [python, "-I", "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return asked.returncode == 0 and asked.stdout.split() == [str(part) for part in RUNTIME]
