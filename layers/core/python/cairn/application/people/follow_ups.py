"""What follows from a change of a task, as effects that are written with it and carried out by relay_effects."""

from collections.abc import Sequence
from datetime import datetime

from cairn.domain.effects import Effect, EmitEvent, NotifyMember, WakeTask
from cairn.domain.identity.trust import PEOPLE_SOURCE
from cairn.domain.people.life import Changed, timers_of


def follow_ups(changed: Changed, now: datetime) -> Sequence[Effect]:
    """Their ids have the number of the change, which `changed.task.version` is one short of; timers, their own."""
    task, number = changed.task, changed.task.version + 1
    timers = timers_of(task) if changed.sets_timers else ()
    return (
        *(WakeTask(f"{task.id}-{task.sequence}w{nth}", task.id, task.sequence, at) for nth, at in enumerate(timers)),
        *(NotifyMember(f"{task.id}-{number}n{who}", kind, who, task.id, now) for kind, who in changed.notifies),
        *(
            EmitEvent(
                f"{task.id}-{number}e{nth}",
                "",
                type_,
                properties,
                source=PEOPLE_SOURCE,
                attributes={} if nth else changed.attributes,
            )
            for nth, (type_, properties) in enumerate(changed.events)
        ),
    )
