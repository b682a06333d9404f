"""The kinds of activities, and where each leads."""

from authoring.pinpoint.model import Activity
from authoring.pinpoint.naming import slug
from authoring.pinpoint.structure import Targets

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
