"""docs/proof.md, from a full run."""

import subprocess
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from prove.mutations import Caught
from prove.stories import all_stories
from prove.table import KINDS, Row, Table
from prove.verdict import Outcome

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "proof.md"

HEAD = """# Proof

`make prove` runs every story of `events/scenarios` again under every fault of [the fault model](faults.md), and
compares how it ends: what people got, what the timeline says, what the table holds, who waits for what. This page is
written by it.

{summary}

{when}

## What is compared

* **One fault at one call**: the story must end as it does without. Every call, and every fault that makes a difference
  for it. (A webhook that is refused comes again, perhaps after the next one: then as below. A person who presses a
  button and gets no answer presses it again: then as where it is pressed twice. A switch that is read as of before
  counts within a minute: then as below, too. Of the runs of `sweep` that find nothing, the first alone, and the first
  that asks how old work is: each other one equals one of these.)
* **A service out of order or throttling** for 30 seconds, 20 minutes, an hour and a day (SQS for 22 hours: the
  table's stream, which has what no queue takes, stores it for 24), from its first and from its middle call on: every
  accepted event is in the timeline, nothing is sent twice, nothing without consent or in quiet hours, nobody is stuck,
  nothing is in a dead-letter queue. (A delay may change what is right: a timeout may win over a reply.)
* **Many faults at once**, chosen by a seed, with late and repeated deliveries, several shards and slow providers: the
  same.
* **The declared window**: SES, SNS and End User Messaging take no idempotency key. Where a process dies or an answer
  is lost between the claim and the record of a message, a transactional message is sent at least once, a marketing
  message at most once, and its status says `undecided`. Nobody presses a button in a message that was not sent: then
  the story must end as where nobody does.

A case that fails prints one line, such as `make prove ONE='payment-paid-at-once.yaml#12:DIES_AFTER'`, which runs that
case alone.

"""


def write(table: Table, caught: Sequence[Caught], moment: datetime) -> None:
    rows = table.rows(caught)
    summary = _markdown(["", ""], rows)
    version = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607  whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    when = f"Run on {moment:%d %B %Y}, version {version or 'unknown'}."
    if any(row.runs["faults"] + row.runs["outages"] < row.possible for row in table.stories.values()):
        when += " This was a part, chosen by chance; the table says how much of it all."
    for path in all_stories():
        table.stories.setdefault(path.name, Row())
    parts = [HEAD.format(summary=summary, when=when), "\n".join(_faults(table)), "\n".join(_stories(table))]
    PAGE.write_text("\n".join([*parts, "\n".join(_mutations(caught))]), encoding="utf-8")


def _faults(table: Table) -> Iterator[str]:
    outcomes = [one for one in Outcome if any(one in counts for counts in table.faults.values())]
    yield "## By fault\n"
    yield _markdown(
        ["fault", "runs", *outcomes],
        [(name, counts.total(), *(counts[one] for one in outcomes)) for name, counts in sorted(table.faults.items())],
    )
    yield ""


def _stories(table: Table) -> Iterator[str]:
    yield "## By story\n"
    yield _markdown(
        ["story", "calls", *KINDS, "as promised", "declared window", "failed"],
        [(story.removesuffix(".yaml"), row.calls, *_counts(row)) for story, row in sorted(table.stories.items())],
    )
    yield ""


def _counts(row: Row) -> list[int]:
    good = row.outcomes[Outcome.SAME] + row.outcomes[Outcome.INVARIANTS]
    failed = sum(count for outcome, count in row.outcomes.items() if not outcome.good)
    return [*(row.runs[kind] for kind in KINDS), good, row.outcomes[Outcome.WINDOW], failed]


def _mutations(caught: Sequence[Caught]) -> Iterator[str]:
    yield "## Each guard is needed\n"
    yield "One guard at a time is removed at run time, and a story is run again. This then fails:\n"
    yield _markdown(
        ["guard", "without it", "story and attack", "what fails"],
        [
            (
                one.mutation.name,
                one.mutation.removes,
                f"`{one.mutation.story}#{one.attack}`",
                one.words.replace("|", "/"),
            )
            for one in caught
        ],
    )
    yield ""


def _markdown(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(map(str, head)) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])
