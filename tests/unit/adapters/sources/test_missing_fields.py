"""A field that a vendor leaves out takes with it what is read from it, and nothing else."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from authoring.sources.samples import fetched_beside, sample_headers
from cairn.adapters.sources import sources
from cairn.domain.event import Event, event_to_wire
from tests.unit.adapters.sources.conftest import posted

OTHER_VALUES: dict[type, list[Any]] = {
    str: ["zz", "2026-11-30T08:00:00Z", "+12015550199", "other@example.org"],
    int: [7, 1773064801],
    float: [7.5],
    bool: [],
    list: [[]],
    dict: [{}],
}
"""What stands in for a field, to see what depends on it."""

ABOUT_THE_EVENT = ("id", "type", "occurred_at")
MADE_OF_ALL = {"id"}
"""May be a hash of the whole body, which is another one then."""

SAY_WHAT_IT_IS = {
    "calendly": {"old_invitee"},
    "hubspot": {"propertyName"},
    "paypal": {"failed_payments_count"},
    "shopify": {
        *("id", "token", "shop_domain", "financial_status", "line_items", "verified_email", "abandoned_checkout_url"),
        *("orders_to_redact", "data_request", "evidence_due_by", "idempotency_key", "numberOfOrders", "tax_exemptions"),
    },
    "square": {"canceled_date"},
    "stripe": {"previous_attributes"},
    "whatsapp": {"group_id", "id", "type"},
    "woocommerce": {
        *("billing_period", "order_key", "is_paying_customer"),
        *("date_created_gmt", "date_paid_gmt", "date_completed_gmt", "refunds"),
    },
}
"""By vendor, the fields that are there in every body of a kind, so that their presence alone says which it is."""

Path_ = tuple[str | int, ...]

KNOWN = sources()


def test_a_field_that_is_missing_takes_along_what_is_read_from_it_and_nothing_else(sample: Path) -> None:
    """A value that another content of the field does not change stays when the field is missing."""
    document = json.loads(sample.read_text(encoding="utf-8"))
    vendor, headers = sample.parents[1].name, sample_headers(sample)

    def parts_of(changed: Any) -> dict[str, Any]:
        made = posted(vendor, changed, headers=headers, known=KNOWN)
        return parts(replace(made, fetch=fetched_beside(sample)).read().events)

    assert_each_stands_alone(document, parts_of, SAY_WHAT_IT_IS.get(vendor, set()), f"{vendor}/{sample.stem}")


def test_so_does_a_field_of_what_is_fetched(take: Any) -> None:
    lead = take("facebook-leads/leadgen")
    document = lead.fetch("https://graph.facebook.com/v25.0/1234567890123456789")

    assert_each_stands_alone(
        document, lambda changed: parts(replace(lead, fetch=lambda _: changed).read().events), {"name"}, "a lead"
    )


def assert_each_stands_alone(
    document: Any, parts_of: Callable[[Any], dict[str, Any]], say_what_it_is: set[str], where: str
) -> None:
    whole = parts_of(document)
    for path, value in fields_of(document):
        if (isinstance(value, dict | list) and not value) or set(path) & say_what_it_is:
            continue
        left = parts_of(without(document, path))
        lost = {name for name in whole if left.get(name) != whole[name]}
        others = others_than(value) if lost else []
        for other in others:
            changed = parts_of(with_value(document, path, other))
            lost = (
                set() if names_nobody(whole, changed) else {name for name in lost if changed.get(name) == whole[name]}
            )
            if not lost:
                break  # nothing is lost that no other content changes
        assert not (lost and others), f"without {'.'.join(map(str, path))}, {where} loses {sorted(lost)}"


def names_nobody(whole: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether the field decides who the customer is, or whether there is an event at all."""
    who = {name for name in whole if ".customer" in name or ".references" in name or name.endswith(".type")}
    return any(other.get(name) != whole[name] for name in who)


def parts(events: tuple[Event, ...]) -> dict[str, Any]:
    """Every value of every event, by its path."""
    found: dict[str, Any] = {}
    for number, event in enumerate(events):
        wire = event_to_wire(event)
        found |= {f"{number}.{name}": wire[name] for name in ABOUT_THE_EVENT if name not in MADE_OF_ALL}
        if not wire["customer"]:  # its references say who it is about
            found |= {f"{number}.customer.by.{kind}": ids for kind, ids in wire.get("references", {}).items()}
        for name in ("customer", "properties", "attributes"):
            found |= {f"{number}.{name}.{field}": value for field, value in wire[name].items() if value is not None}
        found |= {
            f"{number}.consent.{one['channel']}.{field}": value
            for one in wire["consent"]
            for field, value in one.items()
        }
    return found


def fields_of(document: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in items:
        yield (*path, name), value
        yield from fields_of(value, (*path, name))


def others_than(value: Any) -> list[Any]:
    return [one for one in OTHER_VALUES.get(type(value), []) if one != value]


def with_value(document: Any, path: Path_, value: Any) -> Any:
    changed = copy.deepcopy(document)
    _holder(changed, path)[path[-1]] = value
    return changed


def without(document: Any, path: Path_) -> Any:
    changed = copy.deepcopy(document)
    del _holder(changed, path)[path[-1]]
    return changed


def _holder(document: Any, path: Path_) -> Any:
    for name in path[:-1]:
        document = document[name]
    return document
