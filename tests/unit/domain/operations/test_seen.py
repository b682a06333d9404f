"""The shape of a body: names and JSON types, without a value, and bounded."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.operations.seen import ANY_NAME, MAX_SHAPE, shape_of, vendors_type_of

KINDS = {"string", "number", "boolean", "null", "object", "array"}

BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["id", "email"]), inner, max_size=40),
    max_leaves=200,
)


def size(shape: Any) -> int:
    return len(json.dumps(shape, separators=(",", ":")).encode())


def test_a_shape_has_names_and_types() -> None:
    body = {
        "id": 7,
        "test": False,
        "gone": None,
        "buyer": {"email": "ada@example.com"},
        "items": [{"sku": "A-1", "price": 9.5}, {"other": 1}],
        "tags": [],
    }

    assert shape_of(body) == {
        "id": "number",
        "test": "boolean",
        "gone": "null",
        "buyer": {"email": "string"},
        "items": [{"sku": "string", "price": "number"}],
        "tags": [],
    }


@pytest.mark.parametrize(
    "name", ["ada@example.com", "+12015550123", "12015550123", "cus_8812", "Which day suits you?", "Ada Lovelace", ""]
)
def test_a_name_that_may_be_somebodys_is_not_stored(name: str) -> None:
    assert shape_of({name: {"seen": 1}}) == {ANY_NAME: {"seen": "number"}}


def test_what_lies_deepest_is_left_out_first() -> None:
    body = {"id": 1, "deep": {f"name{chr(97 + one)}{chr(97 + two)}": {"x": 1} for one in range(9) for two in range(26)}}

    shape = shape_of(body)

    assert shape["id"] == "number"
    assert shape["deep"]["…"].endswith(" more")
    assert size(shape) <= MAX_SHAPE


def test_nesting_up_to_the_limit_of_a_body_is_read() -> None:
    deep: Any = {"x": 1}
    for _ in range(100):
        deep = [{"x": deep}]

    assert size(shape_of(deep)) <= MAX_SHAPE


@given(BODIES)
def test_a_shape_is_small_and_has_no_value(body: Any) -> None:
    shape = shape_of(body)

    assert size(shape) <= MAX_SHAPE
    assert all(leaf in KINDS or leaf.endswith(" more") for leaf in leaves(shape))


def leaves(shape: Any) -> list[Any]:
    inner = list(shape.values()) if isinstance(shape, Mapping) else shape
    return [leaf for one in inner for leaf in leaves(one)] if isinstance(inner, list) else [shape]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("charge.refunded", "charge.refunded"),
        ("orders/create", "orders/create"),
        ("ada@example.com", ""),
        ("order 1001 was paid", ""),
        ("visit_20260309", ""),
        (7, ""),
        (None, ""),
    ],
)
def test_a_vendors_type_is_stored_where_it_looks_like_one(value: Any, stored: str) -> None:
    assert vendors_type_of(value) == stored
