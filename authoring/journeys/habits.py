"""Habits of other languages, and what a journey writes instead of their keys."""

from collections.abc import Mapping

IN_ORDER = "Steps follow one another: put what is to follow into `then` or `else`, or end with `exit`."

INSTEAD_OF_KEYS: Mapping[str, str] = {
    "goto": IN_ORDER,
    "go_to": IN_ORDER,
    "jump": IN_ORDER,
    "next": IN_ORDER,
    "version": "Leave it out: the version is the hash of the journey's content.",
}

IN_TEMPLATES = frozenset({"subject", "preview", "title", "body", "text", "message"})

OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "name": ("journey", "arm", "id"),
    "trigger": ("entry",),
    "on": ("entry", "event"),
    "start": ("entry",),
    "if": ("where", "branch"),
    "when": ("where", "if", "branch"),
    "condition": ("where", "if", "branch"),
    "filter": ("where",),
    "switch": ("branch",),
    "delay": ("wait",),
    "sleep": ("wait",),
    "pause": ("wait",),
    "email": ("send",),
    "sms": ("send",),
    "message": ("send",),
    "experiment": ("split",),
    "loop": ("repeat",),
    "while": ("repeat",),
    "end": ("exit",),
    "stop": ("exit",),
    "within": ("timeout",),
    "do": ("then",),
}
"""Of keys: the ones that are meant, where there is such a key."""


def of_key(name: str, known: Mapping[str, str]) -> str:
    """What to write instead of a key that there is not; empty where no habit is known."""
    if name in IN_TEMPLATES and "template" in known:
        return "Write it in the template's file."
    meant = next((one for one in OTHER_NAMES.get(name, ()) if one in known), "")
    return INSTEAD_OF_KEYS.get(name, "") or (f"Write {meant}." if meant else "")
