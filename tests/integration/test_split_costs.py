"""What a split with a winner, and a cap on entries, cost beside what the journey costs anyway."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.calls import Call, watched
from bench.meter import reader
from bench.units import WriteUnits
from tests.conftest import Begins, Story

JOURNEY = """
journey: {name}
entry: {{event: {name}.wanted{entry}}}
goal: {{event: {name}.paid, within: 30d}}
steps:{first}
  - id: which
    split:
      {winner}
      arms:
        - arm: gift
          weight: 1
          then: [{{id: gift-wait, wait: 3d}}]
        - arm: nothing
          weight: 1
          then: [{{id: other-wait, wait: 3d}}]
"""
PLAIN = {"winner": "salt: s", "entry": "", "first": ""}
LATE = PLAIN | {"winner": "winner: person", "first": "\n  - {id: an-hour, wait: 1h}"}
JOURNEYS = {
    "plain": PLAIN,
    "counted": PLAIN | {"winner": "winner: person"},
    "again": PLAIN | {"winner": "winner: person", "entry": ", again: when-ended"},
    "once": LATE,
    "more": LATE | {"entry": ", again: when-ended"},
    "capped": PLAIN | {"entry": ", at_most: 500 per day"},
}


class Costs:
    def __init__(self, story: Story, units: WriteUnits, calls: list[Call]) -> None:
        self._story, self._units, self._calls = story, units, calls

    def of(self, name: str, what: str = "wanted") -> dict[str, tuple[int, int]]:
        """Calls and write units of process_event and of relay_effects, where an event of a known customer arrives."""
        for number in (1, 2):  # the first one fills the functions' caches
            who: Any = {"user_id": f"{name}-{number}"}
            if what == "wanted":
                self._story.happens("page.seen", f"page-{name}-{number}", customer=who)
            del self._calls[:]
            self._story.happens(f"{name}.{what}", f"{what}-{name}-{number}", customer=who)
        return self._counted()

    def of_wake_up(self, name: str) -> dict[str, tuple[int, int]]:
        """Of the wake-ups of two customers."""
        self.of(name)
        del self._calls[:]
        self._story.passes("1h")
        return self._counted()

    def _counted(self) -> dict[str, tuple[int, int]]:
        found = {}
        for function in ("process_event", "relay_effects"):
            own = [call for call in self._calls if call.function == function and not _now_and_then(call)]
            found[function] = (len(own), self._units.of(own))
        return found


def _now_and_then(call: Call) -> bool:
    key = call.arguments.get("Key", call.arguments.get("Item", {})).get("pk", {}).get("S", "")
    return call.service != "dynamodb" or key == "settings" or key.startswith("journey#")


@pytest.fixture
def costs(a_story: Begins, tmp_path: Path) -> Iterator[Costs]:
    for name, parts in JOURNEYS.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "journey.yaml").write_text(JOURNEY.format(name=name, **parts), encoding="utf-8")
    story = a_story(tmp_path)
    units = WriteUnits(reader(story.deployment))
    with watched(story.deployment, before=units.before, after=units.after) as calls:
        yield Costs(story, units, calls)


def test_a_winner_costs_the_decision_nothing_and_its_counts_four_units_each(costs: Costs) -> None:
    plain, counted, again = (costs.of(name) for name in ("plain", "counted", "again"))
    bought, measured = costs.of("plain", "paid"), costs.of("counted", "paid")

    assert counted["process_event"] == again["process_event"] == plain["process_event"]
    assert plain["process_event"] <= (2, 8)
    for one, other in ((counted, plain), (again, plain), (measured, bought)):
        calls, units = other["relay_effects"]
        assert one["relay_effects"] == (calls + 1, units + 4)
    assert measured["process_event"] == bought["process_event"]


def test_a_wake_up_that_leads_to_a_split_writes_the_head_too_where_a_customer_may_come_again(costs: Costs) -> None:
    once, again = costs.of_wake_up("once"), costs.of_wake_up("more")

    assert once["process_event"] == (2 * 2, 2 * 3)
    assert again["process_event"] == (2 * 2, 2 * 6)
    assert again["relay_effects"] == once["relay_effects"]


def test_a_cap_costs_no_call_and_two_units(costs: Costs) -> None:
    plain, capped = costs.of("plain"), costs.of("capped")

    assert capped["relay_effects"] == plain["relay_effects"]
    calls, units = plain["process_event"]
    assert capped["process_event"] == (calls, units + 2)
