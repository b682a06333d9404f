"""The first rule for what was seen of a source: from names of fields alone, and always one that `cairn check` takes."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.mapping import problems
from authoring.sources.samples import samples
from authoring.sources.suggestion import suggestion
from cairn.adapters.sources import VENDORS, sources
from cairn.adapters.sources.fields import own_type
from cairn.domain.operations.seen import shape_of

SAMPLES = [
    path
    for vendor in sorted({one.parents[1].name for one in VENDORS.glob("*/samples/*.json")})
    for path in samples(vendor)
]
MAPPING = {"other": "body.type", "data": "object", "customer": {"email": "object.email"}}


def seen(body: Any, *, vendors_type: str = "refund.created", type_: str = "", because: str = "no_customer") -> Any:
    own = type_ or own_type("shop", vendors_type)
    shape = shape_of(body)
    return {"source": "shop", "type": own, "vendors_type": vendors_type, "counts": {because: 1}, "shape": shape}


def suggested(body: Any, **given: Any) -> Any:
    return tomllib.loads(suggestion(seen(body, **given), MAPPING))["shop"]


def test_a_type_without_a_rule_gets_one_with_its_condition_and_who_it_is_about() -> None:
    body = {
        "type": "refund.created",
        "refund": {"id": 1, "order_id": 7, "buyer": {"email": "ada@example.com", "id": 3}},
    }

    assert suggested(body)["events"] == [
        {
            "when": "body.type == 'refund.created'",
            "type": "refund.created",
            "properties": "object",
            "customer": {"email": "part.refund.buyer.email", "external_ids.shop": "part.refund.buyer.id"},
            "references": {"order": "part.refund.order_id"},
        }
    ]


def test_a_type_that_names_its_customer_needs_no_other_name() -> None:
    (rule,) = suggested({"type": "refund.created", "email": "ada@example.com"}, because="no_rule")["events"]

    assert rule.keys() == {"when", "type", "properties"}


def test_a_type_with_a_rule_gets_what_the_rule_misses_beside_what_the_mapping_has() -> None:
    body = {"receipt_email": "ada@example.com", "order": "1001"}

    assert suggested(body, vendors_type="", type_="order.refunded") == {
        "customer": {"email": "(object.email) || part.receipt_email"},
        "references": {"order": "part.order"},
    }


@pytest.mark.parametrize("side", ["merchant", "seller", "organizer", "store"])
def test_a_person_at_the_vendors_side_is_no_customer(side: str) -> None:
    (rule,) = suggested({side: {"email": "desk@example.com", "phone": "+12015550123"}})["events"]

    assert "customer" not in rule


def test_what_nobody_was_seen_with_needs_another_event_and_no_rule() -> None:
    said = suggestion(seen({}, because="unknown_reference"), MAPPING)

    assert tomllib.loads(said) == {}
    assert "came with the same id within an hour" in said


@pytest.mark.parametrize("shape", [None, "array", [], {}, {"*": "string"}])
def test_whatever_is_known_of_the_fields_it_is_toml(shape: Any) -> None:
    for type_ in ("", "*", "shop.x", "order.paid"):
        tomllib.loads(suggestion(seen({}, vendors_type="", type_=type_) | {"shape": shape, "type": type_}, MAPPING))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_the_rule_for_any_body_is_one_that_the_check_takes(path: Path, tmp_path: Path) -> None:
    vendor = path.parents[1].name
    known: Any = sources()[vendor]
    body = json.loads(path.read_text(encoding="utf-8"))
    for vendors_type in ("thing.happened", ""):
        one = seen(body, vendors_type=vendors_type, type_=own_type(vendor, vendors_type) or "")
        configuration = tmp_path / "sources.toml"
        configuration.write_text(suggestion(one | {"source": vendor}, known.mapping), encoding="utf-8")

        changed: Any = sources(configuration)[vendor]

        assert list(problems(vendor, changed.mapping)) == []
