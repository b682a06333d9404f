"""The functions of a mapping, and that nothing that a body lacks voids an expression."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.expressions import FUNCTIONS, pick

BODY: dict[str, Any] = {
    "name": "Ada King Lovelace",
    "reversed": "Lovelace, Ada King",
    "items": [{"id": "a", "sku": {"code": 1}}, {"id": "b", "sku": {"code": 2}}],
    "wanted": "b",
    "total": "19.99",
    "count": 3,
    "long": 820982911946154509,
    "answers": '{"size": "M"}',
    "tiers": {"plan": {"value": "gold"}, "since": "never"},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("first_name(name)", "Ada"),
        ("last_name(name)", "King Lovelace"),
        ("first_name(reversed)", "Ada"),
        ("last_name(reversed)", "Lovelace"),
        ("last_name('Ada')", None),
        ("first_name(' ')", None),
        ("first_with(items, 'id', wanted).sku.code", 2),
        ("first_with(items, 'sku.code', `1`).id", "a"),
        ("first_with(items, 'id', nothing)", None),
        ("multiply(total, `100`)", 1999),
        ("add(long, `1`)", 820982911946154510),
        ("subtract(total, '0.99')", 19),
        ("divide(total, count)", 19.99 / 3),
        ("divide(count, `0`)", None),
        ("add('nineteen', `1`)", None),
        ("add('9e999999', `1`)", None),
        ("minor_units(total, 'usd', `0`)", 1999),
        ("minor_units(total, 'JPY', `0`)", 20),
        ("minor_units(`500000`, 'UGX', `2`)", 5000),
        ("minor_units(`5000`, 'MGA', `0`)", 500000),
        ("minor_units(`5120`, 'KWD', `3`)", 5120),
        ("from_unix('1773064800000', 'ms')", "2026-03-09T14:00:00Z"),
        ("from_unix(`1773064800`, 's')", "2026-03-09T14:00:00Z"),
        ("from_unix(`1773064800`, 'years')", None),
        ("from_unix('99999999999999999999', 's')", "9999-12-30T00:00:00Z"),  # never
        ("from_unix('-99999999999999999999', 's')", "0001-01-02T00:00:00Z"),
        ("local_time('14/03/2026 10:00', '%d/%m/%Y %H:%M', 'America/New_York')", "2026-03-14T14:00:00Z"),
        ("local_time('2026-03-14', '%Y-%m-%d', 'Mars/Base')", None),
        ("seconds_after('2026-03-08T01:30:00-05:00', `3600`)", "2026-03-08T07:30:00Z"),
        ("seconds_after('2026-03-14T10:00:00Z', '90')", "2026-03-14T10:01:30Z"),
        ("seconds_after('soon', `60`)", None),
        ("boolean('TRUE')", True),
        ("boolean(`0`)", False),
        ("boolean('perhaps')", None),
        ("map_values(tiers, 'value')", {"plan": "gold", "since": None}),
        ("from_json(answers).size", "M"),
        ("from_json('{')", None),
        ("split('a, b,,c', ',')", ["a", "b", "c"]),
        ("replace(upper(trim(' a-b ')), '-', '_')", "A_B"),
        ("lower('ÄB')", "äb"),
    ],
)
def test_a_function_gives_what_its_page_says(expression: str, value: Any) -> None:
    assert pick(expression, BODY) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("contains(nothing, 'x') || name", BODY["name"]),
        ("starts_with(long, 'x') && 'yes' || 'no'", "no"),
        ("join('.', ['message', nothing])", "message"),
        ("[nothing.a, to_string(count)]", [None, "3"]),
        ("items[?contains(nothing, id)] || 'none'", "none"),
        ("from_items([['a', upper(nothing)], [nothing, `1`]])", {"a": None}),
        ("items({a: `1`, b: nothing})", [["a", 1], ["b", None]]),
        ("items(nothing)", None),
    ],
)
def test_what_a_body_lacks_is_null_and_the_rest_goes_on(expression: str, value: Any) -> None:
    assert pick(expression, BODY) == value


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(FUNCTIONS)), given_=st.data())
def test_a_function_never_stops_what_stands_beside_it(name: str, given_: st.DataObject) -> None:
    """Whatever is sent in place of its values."""
    signature = FUNCTIONS[name]["signature"]
    values = [given_.draw(anything) for _ in signature]
    marks = ", ".join("&@" if "expref" in rule["types"] else f"v[{number}]" for number, rule in enumerate(signature))

    found = pick(f"[{name}({marks}), 'goes on']", {"v": values})

    assert found[1] == "goes on"
    json.dumps(found)
