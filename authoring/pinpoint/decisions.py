"""The steps of activities that choose a path."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from authoring.journeys.steps.wait_for import in_the_shadow
from authoring.pinpoint import expressions
from authoring.pinpoint.activities import LONGEST_ID
from authoring.pinpoint.conditions import Asked, Conditions, EventMatch
from authoring.pinpoint.model import (
    Condition,
    ConditionalSplitActivity,
    MultiConditionalSplitActivity,
    RandomSplitActivity,
)
from authoring.pinpoint.naming import Unique, slug
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.waits import Moment, moment_of

Step = dict[str, Any]
Steps = list[Step]

EVERYBODY = 100
"""Percent."""
ON_THE_WAY = ("message.sent", "message.delivered", "message.opened", "message.clicked")
"""Events of one message, in their order."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Writes the decisions of one journey; `ways` are the steps of each way out."""

    notes: Notes
    conditions: Conditions
    unique: Unique
    """For ids of steps."""

    def yes_or_no(self, id_: str, about: str, split: ConditionalSplitActivity, ways: list[Steps]) -> Steps:
        condition = split.condition or Condition()
        each = [self.conditions.asked(one, about) for one in condition.conditions]
        every = condition.operator != "ANY"
        if not each:
            self.notes.add(about, "it has no condition: all go the way of yes", "Write the condition under `if`.")
        moment = moment_of(split.evaluation_wait_time, about, self.notes)
        matches = list(dict.fromkeys(match for one in each for match in one.matches))
        yes, no = ways
        joined = expressions.all_of if every else expressions.any_of
        about_events = [one for one in each if one.matches]
        are_single = all(one.about_profile is None and len(one.matches) == 1 for one in each)
        if moment and are_single and len(matches) == 1:
            self.note_wait(about)
            return [{"id": id_, "wait_for": matches[0].written() | _timed(moment, yes, no)}]
        if moment and are_single and every and matches:
            self.note_wait(about)
            listed = [match.written() for match in matches]
            return [{"id": id_, "wait_for": {"all": listed} | _timed(moment, yes, no)}]
        if moment and matches and (not every or len(about_events) == 1):
            self.note_wait(about)
            by_event = joined(one.by_event for one in each)
            return [self.any_wait(id_, matches, moment), *_branch(id_, [(by_event, yes)], no)]
        by_history = joined(one.by_history for one in each) if each else expressions.TRUE
        self.note_history(about, matches)
        return [*self.plain_wait(id_, moment), *_branch(id_, [(by_history, yes)], no)]

    def several(self, id_: str, about: str, split: MultiConditionalSplitActivity, ways: list[Steps]) -> Steps:
        each = [self.conditions.asked(branch.condition, about) for branch in split.branches]
        *thens, otherwise = ways
        moment = moment_of(split.evaluation_wait_time, about, self.notes)
        matches = [match for one in each for match in one.matches]
        if moment and matches and _is_first_best(each):
            self.note_wait(about)
            if len(each) > 1 and in_the_shadow(matches, lambda *_: True) is None:
                listed = [match.written() | _then(then) for match, then in zip(matches, thens, strict=True)]
                return [{"id": id_, "wait_for": {"any": listed, "timeout": moment} | _else(otherwise)}]
            arms = [(one.by_event, then) for one, then in zip(each, thens, strict=True)]
            return [self.any_wait(id_, matches, moment), *_branch(id_, arms, otherwise)]
        arms = [(one.by_history, then) for one, then in zip(each, thens, strict=True)]
        if moment and matches and len(each[0].matches) == 1:
            self.note_wait(about)
            self.note_history(about, matches[1:])
            branch = _branch(self.unique(f"{id_}-else"), arms[1:], otherwise)
            return [{"id": id_, "wait_for": matches[0].written() | _timed(moment, thens[0], branch)}]
        self.note_history(about, matches)
        return [*self.plain_wait(id_, moment), *_branch(id_, arms, otherwise)]

    def any_wait(self, id_: str, matches: list[EventMatch], moment: Moment) -> Step:
        """A wait for the first of these events; a branch asks which it was."""
        whole = {match.event for match in matches if not match.where}
        each = [one for one in dict.fromkeys(matches) if not one.where or one.event not in whole]
        listed = [one.written() for one in each]
        waited = {"any": listed} if len(listed) > 1 else listed[0]
        return {"id": self.unique(f"{id_}-wait"), "wait_for": waited | {"timeout": moment}}

    def plain_wait(self, id_: str, moment: Moment | None) -> Steps:
        return [{"id": self.unique(f"{id_}-wait"), "wait": moment}] if moment else []

    def note_wait(self, about: str) -> None:
        self.notes.add(
            about,
            "it goes on when the event comes, not at the end of the wait; events before the step do not count",
            "Ask seen_since('…', enrollment.since) in a branch where those count, too.",
        )

    def note_history(self, about: str, matches: list[EventMatch]) -> None:
        if any(match.where for match in matches):
            self.notes.add(
                about,
                "of earlier events it asks for the type alone, not for their attributes or the message",
                "Use `wait_for` with `where` in the place of the branch.",
            )

    def random(self, id_: str, about: str, split: RandomSplitActivity, ways: list[Steps]) -> Steps:
        weights = [min(max(one.percentage or 0, 0), EVERYBODY) for one in split.branches]
        if len(weights) <= 1:
            return ways[0] if ways else []
        if sum(weights) != EVERYBODY:
            message = f"its percentages add up to {sum(weights)}; they are weights here"
            self.notes.add(about, message, "Compare the weights.")
        if not any(weights):
            weights = [1] * len(weights)
        names = Unique(LONGEST_ID)
        arms = [
            {"arm": names(slug(_first_name(way), f"path-{number}", LONGEST_ID)), "weight": weight} | _then(way)
            for number, (weight, way) in enumerate(zip(weights, ways, strict=True), start=1)
        ]
        return [{"id": id_, "split": {"arms": arms}}]

    def holdout(self, id_: str, about: str, percentage: int) -> Steps:
        share = min(max(percentage, 0), EVERYBODY)
        if share != percentage:
            self.notes.add(about, f"{percentage}% is no share of customers; it is {share}%", "Write the weights.")
        self.notes.add(
            about,
            "it ends the journey for its customers, and lift is not measured by it",
            f"Where it is the first step, write `holdout: {share}%` and a `goal` in its place.",
        )
        out = {"arm": "held-out", "weight": share, "then": [{"id": self.unique(f"{id_}-end"), "exit": "held-out"}]}
        return [{"id": id_, "split": {"arms": [out, {"arm": "goes-on", "weight": EVERYBODY - share}]}}]


def _is_first_best(each: Sequence[Asked]) -> bool:
    """Whether the first event that comes may decide: each asks for one, and none is on the way to an earlier one.

    An e-mail is opened before it is clicked, so a wait for either would always end as opened.
    """
    if any(one.about_profile is not None or len(one.matches) != 1 for one in each):
        return False
    on_the_way = [ON_THE_WAY.index(one.matches[0].event) for one in each if one.matches[0].event in ON_THE_WAY]
    return on_the_way == sorted(on_the_way)


def _first_name(steps: Steps) -> str:
    return str(steps[0]["id"]) if steps else ""


def _then(steps: Steps) -> dict[str, Steps]:
    return {"then": steps} if steps else {}


def _else(steps: Steps) -> dict[str, Steps]:
    return {"else": steps} if steps else {}


def _timed(moment: Moment, yes: Steps, no: Steps) -> dict[str, Any]:
    return {"timeout": moment, **_then(yes), **_else(no)}


def _branch(id_: str, arms: Sequence[tuple[str, Steps]], otherwise: Steps) -> Steps:
    each: list[dict[str, Any]] = [{"if": condition, "then": steps} for condition, steps in arms]
    if not each:
        return otherwise
    return [{"id": id_, "branch": [*each, *([{"else": otherwise}] if otherwise else [])]}]
