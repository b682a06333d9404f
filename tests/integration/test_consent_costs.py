"""What an event costs that repeats consents: a system sends the whole customer with each event."""

from collections.abc import Iterator
from typing import Any

import pytest

from bench.calls import Call, watched
from bench.meter import reader
from bench.units import WriteUnits
from tests.conftest import Begins, Story
from tests.stories.shop import CONSENTED


class Costs:
    def __init__(self, story: Story, units: WriteUnits, calls: list[Call]) -> None:
        self._story, self._units, self._calls = story, units, calls

    def of(self, name: str, **event: Any) -> dict[str, int]:
        """Write units by function, where Mia's event arrives."""
        del self._calls[:]
        self._story.happens("page.seen", name, customer={"user_id": "mia"}, **event)
        own = [call for call in self._calls if call.service == "dynamodb"]
        return {
            function: self._units.of([one for one in own if one.function == function])
            for function in ("process_event", "relay_effects")
        }


@pytest.fixture
def costs(a_story: Begins) -> Iterator[Costs]:
    story = a_story()
    units = WriteUnits(reader(story.deployment))
    with watched(story.deployment, before=units.before, after=units.after) as calls:
        yield Costs(story, units, calls)


def test_a_consent_that_is_repeated_writes_no_record_and_another_wording_does(costs: Costs) -> None:
    given = costs.of("first", consent=CONSENTED)
    plain = costs.of("without")
    repeated = costs.of("again", consent=CONSENTED)
    other = costs.of("reworded", consent=[{**CONSENTED[0], "wording": "Yes"}, *CONSENTED[1:]])

    assert given["relay_effects"] >= len(CONSENTED)
    assert repeated["relay_effects"] == plain["relay_effects"] == 0
    assert repeated["process_event"] <= plain["process_event"] + 4, "the instants of now"
    assert other["relay_effects"] == 1
