"""Documents of Amazon Pinpoint, generated from the service's own model."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import botocore
from hypothesis import strategies as st

MODEL = Path(botocore.__file__).parent / "data" / "pinpoint" / "2016-12-01" / "service-2.json.gz"

ACTIVITIES = ("a", "b", "c", "d", "e", "f")
TEXTS = st.one_of(
    st.sampled_from(
        [
            "",
            "P2D",
            "PT30M",
            "2026-03-01T09:00:00Z",
            "2026-03-01",
            "09:00",
            "17:30",
            "UTC+05:30",
            "UTC-03",
            "GREATER_THAN",
            "_email.open",
            "_email.click",
            "_SMS.SUCCESS",
            "PurchaseMade",
            "plan's `name`",
            "{{Attributes.plan}}",
            "{{#if User.UserAttributes.x}}a{{else}}b{{/if}}",
        ]
    ),
    st.text(max_size=12),
)
NUMBERS = st.one_of(st.integers(-5, 120), st.integers(-(10**12), 10**12))
SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "timestamp": TEXTS,
    "boolean": st.booleans(),
    "integer": NUMBERS,
    "double": st.floats(allow_nan=False, allow_infinity=False),
}
ALWAYS = ("Activities", "StartActivity", "TrueActivity", "FalseActivity", "NextActivity", "Conditions", "EventType")
"""Members that are always there, so that journeys are long."""
NEXT = ("NextActivity", "TrueActivity", "FalseActivity", "DefaultActivity")


@cache
def shapes() -> dict[str, Any]:
    return dict(json.loads(gzip.decompress(MODEL.read_bytes()))["shapes"])


@cache
def documents(shape: str, *, forward_of: int = -1) -> st.SearchStrategy[Any]:
    """Small documents of a shape. `forward_of` is the activity's position: it leads to later ones alone."""
    described = shapes()[shape]
    match described["type"]:
        case "string":
            return st.sampled_from(described["enum"]) if "enum" in described else TEXTS
        case "list":
            return st.lists(documents(described["member"]["shape"], forward_of=forward_of), max_size=3)
        case "map":
            return _maps(shape, forward_of)
        case "structure":
            return _structures(shape, forward_of)
        case simple:
            return SIMPLE[simple]


def _maps(shape: str, forward_of: int) -> st.SearchStrategy[Any]:
    if shape == "MapOfActivity":
        each = {name: documents("Activity", forward_of=number) for number, name in enumerate(ACTIVITIES)}
        return st.fixed_dictionaries(each)
    keys, values = (documents(shapes()[shape][one]["shape"], forward_of=forward_of) for one in ("key", "value"))
    return st.dictionaries(keys, values, max_size=2)


def _structures(shape: str, forward_of: int) -> st.SearchStrategy[Any]:
    members = shapes()[shape]["members"]
    required = {*shapes()[shape].get("required", ()), *ALWAYS}
    each = {name: _member(name, one["shape"], forward_of) for name, one in members.items()}
    if shape == "Activity":
        description = {"Description": each.pop("Description")}
        one_kind = st.one_of(*(st.fixed_dictionaries({kind: one}, optional=description) for kind, one in each.items()))
        return st.one_of(one_kind, one_kind, st.fixed_dictionaries({}, optional=each))
    return st.fixed_dictionaries(
        {name: one for name, one in each.items() if name in required},
        optional={name: one for name, one in each.items() if name not in required},
    )


def _member(name: str, shape: str, forward_of: int) -> st.SearchStrategy[Any]:
    if name == "StartActivity":
        return st.sampled_from(ACTIVITIES[:1] * 5 + ("nowhere",))
    if name in NEXT:
        return st.sampled_from([*ACTIVITIES[forward_of + 1 :], "nowhere"])
    if name == "MessageActivity":
        return st.sampled_from(ACTIVITIES)
    return documents(shape, forward_of=forward_of)


JOURNEYS = documents("WriteJourneyRequest")
