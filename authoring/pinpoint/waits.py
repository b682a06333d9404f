"""How long an activity waits."""

from datetime import timedelta

from authoring.journeys.values import LONGEST
from authoring.pinpoint import expressions
from authoring.pinpoint.model import WaitTime
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.times import instant_of, instant_text, length_of, written

Moment = str | dict[str, str]


def moment_of(time: WaitTime | None, about: str, notes: Notes) -> Moment | None:
    """How long to wait; None for not at all."""
    if time is None or not (time.wait_for or time.wait_until):
        return None
    if time.wait_for:
        length = length_of(time.wait_for)
        if length is not None and length > LONGEST:
            notes.add(about, f"{time.wait_for} is longer than ten years; it is ten", "Write a shorter wait.")
            length = LONGEST
        if length is not None:
            return written(length) if length > timedelta() else None
    instant = instant_of(time.wait_until)
    if instant is not None:
        return {"until": expressions.text(instant_text(instant))}
    message = f"{time.wait_for or time.wait_until} cannot be read, and is not waited for"
    notes.add(about, message, "Write a wait, such as 2d.")
    return None
