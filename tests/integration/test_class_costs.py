"""The cost of another RFM class, and of a customer who falls silent, beside the event itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.calls import Call, watched
from bench.meter import reader
from bench.units import WriteUnits
from infra.local.deployment import local_deployment
from infra.local.signing import local_secrets
from tests.conftest import MONDAY, SHORT_JOURNEY, Story
from tests.stories.shop import POLICY

VALUE = """\
[[value]]
event = "order.paid"
amount = "event.properties.total"
currency = "'USD'"

[rfm]
recency = ["30d", "90d"]
frequency = [2, 5]
monetary = [10000]
currency = "USD"
"""
CLASSES = """\
[[rfm.classes]]
class = "regular"
frequency = 2

[[rfm.classes]]
class = "new"

[slowing]
event = "order.paid"
least = 4
"""


class Costs:
    def __init__(self, story: Story, units: WriteUnits, calls: list[Call]) -> None:
        self._story, self._units, self._calls = story, units, calls

    def of_order(self, number: int, **event: Any) -> int:
        """Write units of all functions, where Mia's order arrives a day after the last one."""
        self._story.passes("1d")
        del self._calls[:]
        about = {"customer": {"user_id": "mia"}, "properties": {"total": 100}}
        self._story.happens("order.paid", f"order-{number}", **about, **event)
        return self._counted()

    def of_time(self, length: str) -> int:
        del self._calls[:]
        self._story.passes(length)
        return self._counted()

    def names(self) -> list[str]:
        return [line["arm"] for line in self._story.timeline("classified")]

    def kinds(self) -> set[str]:
        return {line["kind"] for line in self._story.timeline()}

    def _counted(self) -> int:
        own = [
            one
            for one in self._calls
            if one.service == "dynamodb" and one.function in {"process_event", "relay_effects"}
        ]
        return self._units.of(own)


@contextmanager
def costs(folder: Path, leads: str) -> Iterator[Costs]:
    """One deployment after the other: there is one table."""
    folder.mkdir()
    (folder / "policy.toml").write_text(POLICY % "")
    (folder / "leads.toml").write_text(leads)
    secrets = local_secrets({})
    with local_deployment(SHORT_JOURNEY, start=MONDAY, secrets=secrets, policy=folder / "policy.toml") as made:
        units = WriteUnits(reader(made))
        with watched(made, before=units.before, after=units.after) as calls:
            yield Costs(Story(made), units, calls)


def test_another_class_costs_two_units_at_most_and_the_same_one_nothing(tmp_path: Path) -> None:
    with costs(tmp_path / "plain", VALUE) as plain:
        without = [plain.of_order(number) for number in range(6)]
    with costs(tmp_path / "classes", VALUE + CLASSES) as classes:
        more = [classes.of_order(number) - without[number] for number in range(6)]

        assert classes.names() == ["new", "regular"]
        assert more[0] <= 2, "a class, and the timer"
        assert more[1] <= 2, "another class"
        assert more[2] == more[4] == more[5] == 0, "the same one"
        assert more[3] <= 2, "four orders are a habit: the timer is set earlier"
        assert classes.of_time("1d") <= 4, "the timer looks at what has happened since, and is set again"
        assert classes.of_time("40d") <= 3 * 4, "silent, and the grade of a class less: a wake-up each"
        assert "slowed" in classes.kinds()
