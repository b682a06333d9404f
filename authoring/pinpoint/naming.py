"""Names of Cairn for what Pinpoint's users named freely."""

import re

CUSTOM_EVENTS = "pinpoint_custom."
"""The first word of the events that stand for custom activities: nothing that is imported begins by them."""

STANDARD_EVENTS = {
    "_email.send": "message.sent",
    "_email.delivered": "message.delivered",
    "_email.open": "message.opened",
    "_email.click": "message.clicked",
    "_email.hardbounce": "message.bounced",
    "_email.softbounce": "message.bounced",
    "_email.complaint": "message.complained",
    "_email.rejected": "message.failed",
    "_email.rendering_failure": "message.failed",
    "_SMS.SUCCESS": "message.delivered",
    "_SMS.FAILURE": "message.failed",
    "_SMS.OPTOUT": "message.stopped",
    "_campaign.send": "message.sent",
    "_journey.send": "message.sent",
    "_campaign.opened_notification": "message.opened",
    "_campaign.received_foreground": "message.delivered",
    "_campaign.received_background": "message.delivered",
}
"""Pinpoint's own events about messages, as the developer guide lists them (Streaming Amazon Pinpoint events)."""


def words_of(text: str) -> list[str]:
    """The words of a name, in lower case, without letters that names here cannot have."""
    return re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower())


def slug(text: str, default: str, longest: int, joint: str = "-") -> str:
    """A name of lower-case letters and digits that begins with a letter: as many whole words as there is room for."""
    words = words_of(text)
    if words and not words[0][0].isalpha():
        words = [*words_of(default), *words]
    while len(words) > 1 and len(joint.join(words)) > longest:
        words.pop()
    return joint.join(words)[:longest] or default


def event_type(name: str) -> str:
    """The type of an event of Pinpoint: `_email.open` is `message.opened`, and `AddToCart` is `app.add_to_cart`.

    None becomes an event of the shipped sources, whose properties are others.
    """
    if name in STANDARD_EVENTS:
        return STANDARD_EVENTS[name]
    return f"app.{slug(name, 'event', 100, '_')}"


class Unique:
    """Gives each name once: a second `wait` is `wait-2`."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.taken: set[str] = set()

    def __call__(self, name: str) -> str:
        number, unique = 1, name[: self.longest].rstrip("-_")
        while unique in self.taken:
            number += 1
            ending = f"-{number}"
            unique = name[: self.longest - len(ending)].rstrip("-_") + ending
        self.taken.add(unique)
        return unique
