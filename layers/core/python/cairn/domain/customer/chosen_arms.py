"""The arms that weights do not decide: a chosen one for new customers, and for others the one that they had."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from cairn.domain.effects import Fact
from cairn.domain.journey.arms import NO_ARMS, Arms
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.split import Split

SplitKey = tuple[str, str]
"""The step of a split, and its salt: with another salt it is another test."""

Chosen = Callable[[str], Mapping[SplitKey, str]]
"""The chosen arms of a journey's splits, by its name. Asked only about journeys that choose winners."""

Entered = Mapping[str, datetime]


def nothing_chosen(_journey: str) -> Mapping[SplitKey, str]:
    return {}


def arms_for(journey: Journey, entered: Entered, chosen: Chosen) -> Arms:
    """The arms of a customer with these entries, as far as weights do not decide them."""
    if not journey.measured:
        return NO_ARMS
    winners = chosen(journey.name)
    had = {split.id: _had(journey.name, split, entered) for split in journey.measured}
    return Arms(
        had={step: arm for step, arm in had.items() if arm},
        chosen={one.id: winners[one.id, one.salt] for one in journey.measured if (one.id, one.salt) in winners},
    )


def newly_assigned(journey: Journey, facts: Iterable[Fact], entered: Entered, now: datetime) -> dict[str, datetime]:
    """What to remember of the arms that a customer has just got for the first time, among the customer's entries.

    Nothing where the customer cannot come to the split again.
    """
    if not journey.measured or journey.entry.is_once:
        return {}
    splits = {split.id: split for split in journey.measured}
    got = {fact.step: fact.detail["arm"] for fact in facts if fact.kind == "split" and fact.step in splits}
    return {
        f"{_prefix(journey.name, splits[step])}{arm}:": now
        for step, arm in got.items()
        if _had(journey.name, splits[step], entered) != arm
    }


def _prefix(journey: str, split: Split) -> str:
    """It ends like an entry without a key, so that it stays in the customer's state."""
    return f"{journey}:arm:{split.id}:{split.salt}:"


def _had(journey: str, split: Split, entered: Entered) -> str:
    """The arm that the customer got first, of those that still are; of two merged customers, the older one's."""
    prefix = _prefix(journey, split)
    names = [name for name in entered if name.startswith(prefix)]
    arms = (name[len(prefix) : -1] for name in sorted(names, key=lambda name: (entered[name], name)))
    return next((arm for arm in arms if split.arm(arm)), "")
