"""Targets of stops and pauses: their shape, and the one that was meant."""

import re
from collections.abc import Collection
from difflib import get_close_matches

from cairn.domain.operations.pauses import ALL
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import InvalidSwitchError

TARGETS = (
    ("all", re.compile(r"all")),
    (f"channel:<{', '.join(Channel)}>", re.compile(rf"channel:({'|'.join(Channel)})")),
    ("journey:<journey>", re.compile(r"journey:[a-z][a-z0-9-]{0,62}")),
    ("template:<journey>/<template>", re.compile(r"template:[a-z][a-z0-9-]{0,62}/[a-z][a-z0-9_-]{0,63}")),
    ("country:<two capital letters, such as US>", re.compile(r"country:[A-Z]{2}")),
)
"""As an error message shows them, and their shape."""

CLOSED = (ALL, *(f"channel:{channel}" for channel in Channel))
"""The targets of every deployment."""

MISTAKEN = {"country:UK": "country:GB", "country:EL": "country:GR"}
"""Codes in everyday use that are not those of ISO 3166."""

LEAST_LIKENESS = 0.5
"""Least similarity of the target that was meant (difflib): of two letters, one."""


def check_target(text: str) -> str:
    """The target in its stored form. Raises InvalidSwitchError, which names every kind of target."""
    target = text.strip()
    if any(shape.fullmatch(target) for _, shape in TARGETS):
        return target
    meant = f"; did you mean {near}?" if (near := near_target(target, CLOSED)) else ""
    raise InvalidSwitchError(f"{text!r} is no target; give {', '.join(name for name, _ in TARGETS)}{meant}")


def near_target(target: str, known: Collection[str]) -> str:
    """The known target that was probably meant; empty where none resembles it.

    One of the same kind, if it has a kind: what all targets of a kind begin with makes none of them alike.
    """
    kind, _, name = target.rpartition(":")
    if MISTAKEN.get(target) in known:
        return MISTAKEN[target]
    names = {one.rpartition(":")[2]: one for one in known if not kind or one.startswith(f"{kind}:")}
    return next((names[one] for one in get_close_matches(name, names, n=1, cutoff=LEAST_LIKENESS)), "")
