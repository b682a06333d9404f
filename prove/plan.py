"""Chooses what is run: everything, or as much as a time allows, other parts each time."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

from prove.attacks import Attack, outages, seeds, single_faults
from prove.stories import OtherwiseError, Reference, attacked, reference
from prove.verdict import Verdict

CHUNK = 120
"""Attacks for which a story is told once; it makes the parts small enough to share among processors."""
SHARES = {"faults": 0.6, "outages": 0.2, "seeds": 0.2}
"""Of a bounded run."""
SECONDS_A_STORY = 12
"""The least time that is worth it: a story is told twice before the first fault."""
OVERTIME = 1.3
"""How much longer than planned a part may take."""

Result = tuple[Attack, Verdict]


@dataclass(frozen=True, slots=True)
class Part:
    """Some attacks on one story; with `seconds`, a sample that takes about so long."""

    story: Path
    attacks: tuple[Attack, ...] = ()
    seconds: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a part."""

    story: str
    calls: tuple[str, ...]
    """Every call of the story without faults, in words."""
    possible: int
    """How many attacks the story has, without seeds."""
    results: tuple[Result, ...]
    problem: str = ""


def everything(stories: Sequence[Path], seed_count: int) -> Iterator[Told]:
    """Every attack on every story, and so many seeds over all of them."""
    each = -(-seed_count // max(1, len(stories)))
    with _pool() as pool:
        first = pool.imap_unordered(_all_attacks, [(story, each) for story in stories])
        parts = [part for several in first for part in several]
        yield from pool.imap_unordered(_tell, parts)


def sample(stories: Sequence[Path], seconds: float, seed: int) -> Iterator[Told]:
    """As much as the time allows of some of the stories; another seed explores other parts."""
    deadline = time.monotonic() + seconds
    left = list(stories)
    Random(f"stories/{seed}").shuffle(left)  # noqa: S311  a choice that can be made again
    workers = _processors()
    left = left[: max(workers, int(seconds * workers / SECONDS_A_STORY))]
    share = seconds * workers / max(1, len(left))
    with _pool() as pool:
        for told in pool.imap_unordered(
            _tell_until, [(Part(story, seconds=share, seed=seed), deadline) for story in left]
        ):
            if told is not None:
                yield told


def _all_attacks(asked: tuple[Path, int]) -> list[Part]:
    story, seed_count = asked
    told = reference(story)
    several = [*single_faults(told.calls), *outages(told.calls), *seeds(0, seed_count)]
    return [Part(story, tuple(several[first : first + CHUNK])) for first in range(0, len(several), CHUNK)]


def _tell_until(asked: tuple[Part, float]) -> Told | None:
    part, deadline = asked
    return None if time.monotonic() > deadline else _tell(part)


def _tell(part: Part) -> Told:
    began = time.monotonic()
    try:
        told = reference(part.story)
    except Exception as error:  # noqa: BLE001  of one story; the others go on
        return Told(part.story.name, (), 0, (), f"{type(error).__name__}: {error}")
    took = time.monotonic() - began
    possible = [*single_faults(told.calls), *outages(told.calls)]
    chosen: Iterable[Attack] = part.attacks
    ends = float("inf")
    if part.seconds:
        chosen = _chosen(part, told, possible, took)
        ends = began + part.seconds * OVERTIME
    results, problem = (), ""
    try:
        results = tuple(attacked(told, chosen, more=lambda: time.monotonic() < ends))
    except OtherwiseError as error:
        problem = str(error)
    return Told(part.story.name, tuple(map(str, told.calls)), len(possible), results, problem)


def _chosen(part: Part, told: Reference, possible: Sequence[Attack], took: float) -> list[Attack]:
    """So many that they take the part's time: a fork takes about a third of the time of a telling."""
    random = Random(f"{part.story.name}/{part.seed}")  # noqa: S311  a choice that can be made again
    count = max(5, int((part.seconds - 2 * took) / max(took / 3, 0.05)))
    by_kind = {
        "faults": [one for one in possible if one.kind == "faults"],
        "outages": [one for one in possible if one.kind == "outages"],
        "seeds": list(seeds(part.seed % 1_000_000 * 1000, max(1, int(count * SHARES["seeds"])))),
    }
    found: list[Attack] = []
    for kind, several in by_kind.items():
        found += random.sample(several, min(len(several), max(1, round(count * SHARES[kind]))))
    return sorted(found) if told.calls else []


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _pool():  # type: ignore[no-untyped-def]  # noqa: ANN202  its type has no public name
    return get_context("fork").Pool(_processors())
