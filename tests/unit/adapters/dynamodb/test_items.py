"""Items are read as PynamoDB reads them."""

from typing import Any

import pytest
from pynamodb.attributes import MapAttribute
from pynamodb.models import Model

from cairn.adapters.dynamodb.items import MODELS

VALUES: dict[str, Any] = {
    "S": '{"a":[1,null,"é"]}',
    "N": "12",
    "B": b"packed",
    "SS": ["b", "a"],
    "M": {"one": {"M": {"two": {"S": "three"}}}},
}


def whole(model: type[Model]) -> dict[str, Any]:
    """An item as DynamoDB returns it, with every attribute of its model, and one that a later version has added."""
    typed = {one.attr_name: {one.attr_type: VALUES[one.attr_type]} for one in model.get_attributes().values()}
    return {**typed, "added_later": {"S": "x"}}


def as_pynamodb_reads(model: type[Model], item: dict[str, Any]) -> dict[str, Any]:
    read = model()
    read.deserialize(item)
    return {name: _plain(value) for name, value in read.attribute_values.items()}


def _plain(value: Any) -> Any:
    """A map of PynamoDB is equal to itself only."""
    return ("map", value.as_dict()) if isinstance(value, MapAttribute) else value


@pytest.mark.parametrize("model", MODELS)
def test_an_item_is_read_as_pynamodb_reads_it(model: type[Model]) -> None:
    item = whole(model)

    read = model.from_raw_data(whole(model))

    assert {name: _plain(value) for name, value in read.attribute_values.items()} == as_pynamodb_reads(model, item)
    assert set(read.attribute_values) == set(model.get_attributes())


@pytest.mark.parametrize("model", MODELS)
def test_an_item_is_written_as_pynamodb_writes_it(model: type[Model]) -> None:
    item = model.from_raw_data(whole(model))

    assert item.serialize() == Model.serialize(item)
    assert item.serialize().keys() == whole(model).keys() - {"added_later"}
    assert model("c_1", "x").serialize() == {"pk": {"S": "c_1"}, "sk": {"S": "x"}}


@pytest.mark.parametrize("model", MODELS)
def test_an_attribute_that_is_null_or_missing_is_none(model: type[Model]) -> None:
    empty = {name: {"NULL": True} for name in whole(model) if name not in {"pk", "sk"}}

    read = model.from_raw_data({"pk": {"S": "c_1"}, "sk": {"S": "x"}, **empty})

    assert read.attribute_values == {"pk": "c_1", "sk": "x"}
    assert {getattr(read, name) for name in model.get_attributes()} == {"c_1", "x", None}


@pytest.mark.parametrize("model", MODELS)
def test_no_attribute_has_a_default_since_none_is_set(model: type[Model]) -> None:
    attributes = model.get_attributes().values()

    assert [one for one in attributes if one.default is not None or one.default_for_new is not None] == []
