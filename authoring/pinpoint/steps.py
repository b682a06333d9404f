"""The steps that stand for each activity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authoring.journeys.steps.wait_for import in_the_shadow
from authoring.journeys.values import LONGEST
from authoring.pinpoint import expressions
from authoring.pinpoint.conditions import Asked, Conditions, EventMatch
from authoring.pinpoint.model import (
    Activity,
    Condition,
    ConditionalSplitActivity,
    CustomMessageActivity,
    EmailMessageActivity,
    MultiConditionalSplitActivity,
    PushMessageActivity,
    RandomSplitActivity,
    SMSMessageActivity,
    WaitTime,
)
from authoring.pinpoint.naming import CUSTOM_EVENTS, Unique, slug
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.structure import Position, Targets
from authoring.pinpoint.templates import Written
from authoring.pinpoint.times import instant_of, instant_text, length_of, written

Step = dict[str, Any]
Steps = list[Step]
Moment = str | dict[str, str]

KINDS = (
    "conditional_split",
    "multi_condition",
    "random_split",
    "holdout",
    "wait",
    "email",
    "sms",
    "push",
    "custom",
    "contact_center",
)
LONGEST_ID = 24
"""Leaves room for what a second step of the activity is called, such as `opened-or-not-asked`."""
LONGEST_TEMPLATE = 60
LONGEST_DATA = 1_000
"""Characters of a custom message's data that its event has: an event has room for 4 KB."""
EVERYBODY = 100
"""Percent."""
PURPOSES = {"TRANSACTIONAL": "transactional", "PROMOTIONAL": "marketing"}
EXIT = "completed"
ON_THE_WAY = ("message.sent", "message.delivered", "message.opened", "message.clicked")
"""Events of one message, in their order."""


def kind_of(activity: Activity) -> str:
    """The activity's kind; of several the first, and empty for none."""
    return next((kind for kind in KINDS if getattr(activity, kind) is not None), "")


def targets_of(activity: Activity) -> Targets:
    """The ways out: each the next activity, or None where the journey ends."""
    ways: list[str] = []
    if activity.conditional_split:
        ways = [activity.conditional_split.true_activity, activity.conditional_split.false_activity]
    elif activity.multi_condition:
        several = activity.multi_condition
        ways = [*(one.next_activity for one in several.branches), several.default_activity]
    elif activity.random_split:
        ways = [one.next_activity for one in activity.random_split.branches]
    elif kind := kind_of(activity):
        ways = [getattr(activity, kind).next_activity]
    return [way or None for way in ways]


def name_of(activity: Activity) -> str:
    """A name for the activity's step: its description, or its kind with its template."""
    kind = kind_of(activity)
    template = getattr(getattr(activity, kind, None), "template_name", "")
    default = slug(f"{kind} {template}", "step", LONGEST_ID)
    return slug(activity.description, default, LONGEST_ID)


@dataclass
class StepWriter:
    """Writes the steps of one journey."""

    activities: Mapping[str, Activity]
    notes: Notes
    conditions: Conditions
    templates: Written
    calendars: Mapping[str, str]
    """By channel, of those that have one."""
    ids: Mapping[Position, str]
    unique: Unique
    """For ids of steps."""
    template_names: dict[str, str]
    """By their names in Pinpoint."""
    unique_template: Unique

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
            return self.yes_or_no(id_, about, activity.conditional_split, ways)
        if activity.multi_condition:
            return self.several(id_, about, activity.multi_condition, ways)
        if activity.random_split:
            return self.random(id_, about, activity.random_split, ways)
        if activity.holdout:
            return self.holdout(id_, about, activity.holdout.percentage)
        if activity.wait:
            return self.wait(id_, about, activity.wait.wait_time)
        return self.contact(id_, about, activity)

    def contact(self, id_: str, about: str, activity: Activity) -> Steps:
        """A message, or a call."""
        if activity.email:
            return self.email(id_, about, activity.email)
        if activity.sms:
            return self.sms(id_, about, activity.sms)
        if activity.push:
            return self.push(id_, about, activity.push)
        if activity.custom:
            return self.custom(id_, about, activity.custom)
        if activity.contact_center:
            return self.contact_center(id_, about, activity.description)
        self.notes.add(about, "an activity of no kind", "Write what should happen.")
        return []

    # decisions

    def yes_or_no(self, id_: str, about: str, split: ConditionalSplitActivity, ways: list[Steps]) -> Steps:
        condition = split.condition or Condition()
        each = [self.conditions.asked(one, about) for one in condition.conditions]
        every = condition.operator != "ANY"
        if not each:
            self.notes.add(about, "it has no condition: all go the way of yes", "Write the condition under `if`.")
        moment = self.moment(split.evaluation_wait_time, about)
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
        moment = self.moment(split.evaluation_wait_time, about)
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

    def wait(self, id_: str, about: str, time: WaitTime | None) -> Steps:
        moment = self.moment(time, about)
        if moment is None and (time is None or not (time.wait_for or time.wait_until)):
            self.notes.add(about, "it does not say how long to wait, and is left out", "Write a wait.")
        return [{"id": id_, "wait": moment}] if moment else []

    def moment(self, time: WaitTime | None, about: str) -> Moment | None:
        """How long to wait; None for not at all."""
        if time is None or not (time.wait_for or time.wait_until):
            return None
        if time.wait_for:
            length = length_of(time.wait_for)
            if length is not None and length > LONGEST:
                self.notes.add(about, f"{time.wait_for} is longer than ten years; it is ten", "Write a shorter wait.")
                length = LONGEST
            if length is not None:
                return written(length) if length > timedelta() else None
        instant = instant_of(time.wait_until)
        if instant is not None:
            return {"until": expressions.text(instant_text(instant))}
        message = f"{time.wait_for or time.wait_until} cannot be read, and is not waited for"
        self.notes.add(about, message, "Write a wait, such as 2d.")
        return None

    # messages and people

    def email(self, id_: str, about: str, message: EmailMessageActivity) -> Steps:
        if message.message_config and message.message_config.from_address:
            self.notes.add(about, "the sender's address is the deployment's, not the journey's", "See cdk.json.")
        self.notes.add(
            "EMAIL and PUSH",
            "Pinpoint does not say what they are for, so they are marketing",
            "Write `purpose: transactional` where the customer has asked for the message.",
        )
        return self.send(id_, "email", message, "marketing")

    def push(self, id_: str, about: str, message: PushMessageActivity) -> Steps:
        if message.message_config and message.message_config.time_to_live:
            seconds = message.message_config.time_to_live
            fix = "Write `useful_for` for how long Cairn may defer it."
            self.notes.add(about, f"the push service keeps it as it does by default, not {seconds} seconds", fix)
        return self.send(id_, "push", message, "marketing")

    def sms(self, id_: str, about: str, message: SMSMessageActivity) -> Steps:
        config = message.message_config
        if config and (config.sender_id or config.origination_number):
            sender = config.sender_id or config.origination_number
            self.notes.add(about, f"the sender {sender} is the deployment's, not the journey's", "See cdk.json.")
        if config and config.entity_id:
            self.notes.add(about, f"India's entity is {config.entity_id}", "Write it as `dlt_entity` in policy.toml.")
        if config is None or config.message_type is None:
            self.notes.add(about, "it has no message type, so it is marketing", "Write `purpose: transactional`.")
        purpose = PURPOSES[(config.message_type if config else None) or "PROMOTIONAL"]
        return self.send(id_, "sms", message, purpose, config.template_id if config else "")

    def send(
        self,
        id_: str,
        channel: str,
        message: EmailMessageActivity | SMSMessageActivity | PushMessageActivity,
        purpose: str,
        dlt_template: str = "",
    ) -> Steps:
        named = message.template_name or id_
        if named not in self.template_names:
            self.template_names[named] = self.unique_template(slug(named, "message", LONGEST_TEMPLATE))
        template = self.template_names[named]
        self.templates.write(template, channel, message.template_name, message.template_version, dlt_template)
        send = {"channel": channel, "template": template, "purpose": purpose}
        return [*self.opening(id_, channel), {"id": id_, "send": send}]

    def opening(self, id_: str, channel: str) -> Steps:
        """A wait for the channel's open hours."""
        if channel not in self.calendars:
            return []
        return [{"id": self.unique(f"{id_}-open"), "wait": {"open": self.calendars[channel]}}]

    def custom(self, id_: str, about: str, message: CustomMessageActivity) -> Steps:
        event = f"{CUSTOM_EVENTS}{slug(message.template_name or id_, 'message', 50, '_')}"
        called = message.delivery_uri or "a Lambda function or webhook"
        self.notes.add(
            about,
            f"{called} is not called: the step emits the event {event}",
            "Write a `webhook` step in its place, to an endpoint of policy.toml, or start a journey by the event.",
        )
        data = message.message_config.data if message.message_config else ""
        if len(data) > LONGEST_DATA:
            self.notes.add(about, "its data is too long for an event, and left out", "Write what matters of it.")
        properties = {"template": message.template_name, "data": data if len(data) <= LONGEST_DATA else ""}
        each = {name: expressions.text(value) for name, value in properties.items() if value}
        emit: dict[str, Any] = {"event": event} | ({"properties": each} if each else {})
        return [*self.opening(id_, "custom"), {"id": id_, "emit": emit}]

    def contact_center(self, id_: str, about: str, description: str) -> Steps:
        self.notes.add(
            about, "Amazon Connect does not dial: people find a task", "Say who works on the queue contact-center."
        )
        plain = " ".join(description.replace("{", "").split())
        task = {"queue": "contact-center", "title": plain or "Call the customer", "context": {"phone": "profile.phone"}}
        return [*self.opening(id_, "voice"), {"id": id_, "task": task}]


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
