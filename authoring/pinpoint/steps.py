"""The steps that stand for the activities of a journey."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authoring.pinpoint.activities import targets_of
from authoring.pinpoint.contacts import Contacts
from authoring.pinpoint.decisions import Decisions, Steps
from authoring.pinpoint.model import Activity, WaitTime
from authoring.pinpoint.naming import Unique
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.structure import Position
from authoring.pinpoint.waits import moment_of

EXIT = "completed"


@dataclass(frozen=True, slots=True)
class StepWriter:
    """Writes the steps of one journey."""

    activities: Mapping[str, Activity]
    ids: Mapping[Position, str]
    unique: Unique
    """For further ids of steps."""
    notes: Notes
    decisions: Decisions
    contacts: Contacts

    def chain(self, positions: Sequence[Position | None]) -> Steps:
        steps: Steps = []
        for position in positions:
            if position is None:
                steps.append({"id": self.unique("end"), "exit": EXIT})
            else:
                steps += self.steps(position)
        return steps

    def steps(self, position: Position) -> Steps:
        """The steps of one activity, with those of its arms."""
        activity, id_ = self.activities[position.activity], self.ids[position]
        about = f"{position.activity} ({id_})"
        ways = [self.chain(arm) for arm in position.arms] or [[] for _ in targets_of(activity)]
        if activity.conditional_split:
            return self.decisions.yes_or_no(id_, about, activity.conditional_split, ways)
        if activity.multi_condition:
            return self.decisions.several(id_, about, activity.multi_condition, ways)
        if activity.random_split:
            return self.decisions.random(id_, about, activity.random_split, ways)
        if activity.holdout:
            return self.decisions.holdout(id_, about, activity.holdout.percentage)
        if activity.wait:
            return self.wait(id_, about, activity.wait.wait_time)
        return self.contacts.steps(id_, about, activity)

    def wait(self, id_: str, about: str, time: WaitTime | None) -> Steps:
        moment = moment_of(time, about, self.notes)
        if moment is None and (time is None or not (time.wait_for or time.wait_until)):
            self.notes.add(about, "it does not say how long to wait, and is left out", "Write a wait.")
        return [{"id": id_, "wait": moment}] if moment else []
