"""What a deployment announces of itself to other systems, beside consent (docs/webhooks-out.md)."""

from enum import StrEnum


class AnnouncedType(StrEnum):
    TASK_OPENED = "task.opened"
    BREAKER_TRIPPED = "breaker.tripped"
    EXPERIMENT_DECIDED = "experiment.decided"
    """A person or the rule has chosen the arm that new customers get."""
