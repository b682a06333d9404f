"""An import that is killed three times finishes when it is started again, and is exact. Real processes, real kills."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest

CAIRN = [sys.executable, "-c", "from cli.main import app; app()"]
ROWS = 1_500
KILLED_AFTER = (2, 5, 9)
"""Batches that are done when the process is killed."""

PATIENCE = 120
"""Seconds, on a machine that does much else."""


@pytest.fixture
def environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CAIRN_"))}
    return inherited | {"LOGNAME": "ada", "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
def url(environment: dict[str, str]) -> Iterator[str]:
    serve = [*CAIRN, "serve", "--port", "0"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=environment) as server:  # noqa: S603  our own
        assert server.stdout is not None
        greeting = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", greeting)
        assert found is not None, greeting
        yield found[0]
        server.terminate()


def write_list(path: Path) -> None:
    rows = [f"u-{number},u{number}@example.com,Ada{number}" for number in range(ROWS)]
    rows[700] = "u-700,nobody,Eve"
    path.write_text("\n".join(["user_id,email,attributes.first_name", *rows]) + "\n")
    os.utime(path, (1_767_225_600, 1_767_225_600))


def started(folder: Path, url: str, environment: dict[str, str]) -> "subprocess.Popen[str]":
    words = [*CAIRN, "import", "customers", "list.csv", "--name", "spring", "--why", "the move", "--to", url]
    return subprocess.Popen(words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)  # noqa: S603


def batches_done(state: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT COUNT(*) FROM batches").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def kill_after(batches: int, process: "subprocess.Popen[str]", state: Path) -> None:
    until = time.monotonic() + PATIENCE
    while batches_done(state) < batches:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def timeline(url: str) -> Sequence[dict[str, str]]:
    with urlopen(f"{url}/_timeline", timeout=60) as answer:  # noqa: S310  our own server
        return [json.loads(line) for line in answer.read().splitlines()]


def test_an_import_that_is_killed_three_times_writes_each_row_once(
    tmp_path: Path, url: str, environment: dict[str, str]
) -> None:
    write_list(tmp_path / "list.csv")
    state = tmp_path / ".cairn" / "imports" / "spring.sqlite"

    for batches in KILLED_AFTER:
        kill_after(batches, started(tmp_path, url, environment), state)
    last = started(tmp_path, url, environment)
    output, _ = last.communicate(timeout=PATIENCE)

    assert last.returncode == 1, output
    numbers = {
        name: int(number.replace(",", "")) for number, name in re.findall(r"([\d,]+) (\w+)$", output, re.MULTILINE)
    }
    assert numbers["created"] + numbers.get("repeated", 0) == ROWS - 1
    assert numbers["refused"] == 1
    assert "the move" not in output
    lines = Counter(line["customer"] for line in timeline(url) if line["kind"] == "event")
    assert len(lines) == ROWS - 1
    assert set(lines.values()) == {1}
    with (tmp_path / "list.csv.refused.csv").open() as report:
        assert [line.split(",")[0] for line in report] == ["line", "702"]

    again = started(tmp_path, url, environment)
    repeated, _ = again.communicate(timeout=PATIENCE)
    assert repeated == output
