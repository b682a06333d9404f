"""An import of many rows into the local deployment: rows a second, and memory that does not grow with them.

Two processes, as people run them: `cairn serve`, and `cairn import` beside it. Linux says how much memory each has, and
what it used of a core: on a machine that does much else, that is the better measure.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CAIRN = [sys.executable, "-c", "from cli.main import app; app()"]
ROWS = 100_000
LIMIT_SECONDS = 600
SAMPLE_SECONDS = 2.0

WARM = 0.3
"""The part of the samples after which memory is compared with the end: by then everything is loaded."""

MAY_GROW = 1.25

WITH_PHONE = 10_000
"""Rows that have a number: there are no more numbers of one area that nobody has."""

HEADER = ["user_id", "email", "phone", "attributes.first_name", "attributes.city", "attributes.plan", "tags", "at"]


def write_list(path: Path, rows: int) -> None:
    """Three names, three attributes and two tags each; one row of a thousand is refused."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(rows):
            email = f"customer-{number}@example.com" if number % 1000 else "nobody"
            phone = f"+1212{5_550_000 + number}" if number < WITH_PHONE else ""
            plan = ("gold", "silver", "none")[number % 3]
            writer.writerow([f"u-{number}", email, phone, "Ada", "Albany", plan, "vip,spring", "2025-01-01"])


def memory_of(pid: int) -> int:
    """Megabytes that a process has now; 0 where it has ended."""
    try:
        found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) // 1024 if found else 0


def core_seconds_of(pid: int) -> float:
    """Seconds of a core that a process has used; 0 where it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    serve = [*CAIRN, "serve", "--port", "0"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, env=environment) as server:  # noqa: S603  our own
        try:
            assert server.stdout is not None  # noqa: S101  for the types
            found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
            if found is None:
                raise SystemExit("cairn serve did not start")
            yield found[0], server.pid
        finally:
            server.terminate()


def grew(samples: Sequence[int]) -> float:
    """How much more memory a process has at the end than when it was warm."""
    whole = [one for one in samples if one]
    return max(whole[int(len(whole) * WARM) :]) / max(whole[: int(len(whole) * WARM) + 1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = parser.parse_args().rows
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CAIRN_"))}
    environment |= {"LOGNAME": "prove", "PYTHONPATH": os.pathsep.join(sys.path)}
    memory: dict[str, list[int]] = {"cairn import": [], "cairn serve": []}
    with tempfile.TemporaryDirectory(prefix="cairn-import-") as name, serving(environment) as (url, server):
        folder = Path(name)
        write_list(folder / "list.csv", rows)
        command = [*CAIRN, "import", "customers", "list.csv", "--why", "a measurement", "--to", url]
        started, before = time.monotonic(), core_seconds_of(server)
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603
            while running.poll() is None:
                memory["cairn import"].append(memory_of(running.pid))
                memory["cairn serve"].append(memory_of(server))
                time.sleep(SAMPLE_SECONDS)
            output, _ = running.communicate()
        seconds, busy = time.monotonic() - started, core_seconds_of(server) - before
    print(output.strip())
    print(f"{rows:,} rows in {seconds:,.0f} s: {rows / seconds:,.0f} rows/s, on {os.cpu_count()} cores")
    print(f"cairn serve: {busy:,.0f} s of a core, {busy / seconds:.0%} of the time")
    for process, samples in memory.items():
        print(f"{process}: at most {max(samples)} MB, {grew(samples):.2f} times what it had when it was warm")
    flat = all(grew(samples) <= MAY_GROW for samples in memory.values())
    in_time = seconds <= LIMIT_SECONDS * rows / ROWS + SAMPLE_SECONDS
    print(f"memory {'is flat' if flat else 'grew'}; {'within' if in_time else 'above'} the time for 100,000 rows")
    return 0 if flat and in_time else 1


if __name__ == "__main__":
    raise SystemExit(main())
