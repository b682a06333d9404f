"""The models have each member of the service's own model, and no other."""

from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import pytest

from authoring.pinpoint import model
from tests.unit.authoring.pinpoint.documents import shapes

if TYPE_CHECKING:
    from pydantic import BaseModel

RENAMED = {"JourneyResponse": "Journey"}
ROOTS = ("JourneyResponse", "EmailTemplateResponse", "SMSTemplateResponse", "PushNotificationTemplateResponse")
NOT_OF_REQUESTS = {"JourneyResponse": {"ApplicationId", "Id"}}
"""Members that every answer of the service has, and a WriteJourneyRequest has not."""
PYTHON_TYPES: dict[str, set[Any]] = {
    "string": {str},
    "boolean": {bool},
    "integer": {int},
    "double": {float},
    "timestamp": {str, float},
}


def structures() -> list[str]:
    found: list[str] = []
    ahead = list(ROOTS)
    while ahead:
        name = ahead.pop()
        shape = shapes()[name]
        if name in found:
            continue
        if shape["type"] == "structure":
            found.append(name)
        ahead += [one["shape"] for one in (shape.get("members") or {}).values()]
        ahead += [shape[key]["shape"] for key in ("member", "key", "value") if key in shape]
    return sorted(found)


@pytest.mark.parametrize("name", structures())
def test_a_shape_has_the_members_of_the_service(name: str) -> None:
    ours: type[BaseModel] = getattr(model, RENAMED.get(name, name))
    theirs = shapes()[name]

    names = {_name(field, key): field for key, field in ours.model_fields.items()}

    assert names.keys() == theirs["members"].keys()
    required = {key for key, field in names.items() if field.is_required()}
    assert required == set(theirs.get("required", ())) - NOT_OF_REQUESTS.get(name, set())
    for key, member in theirs["members"].items():
        assert _types(names[key].annotation) == _types_of(member["shape"])


def _name(field: Any, key: str) -> str:
    choices = getattr(field.validation_alias, "choices", None)
    return str(choices[0] if choices else field.alias or key)


def _types(annotation: Any) -> set[Any]:
    """The innermost types of an annotation; of a closed list its values."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType, list, dict}:
        return set().union(*(_types(one) for one in get_args(annotation) if one is not type(None)))
    if origin is Annotated:
        return _types(get_args(annotation)[0])
    if origin is Literal:
        return set(get_args(annotation))
    return {annotation}


def _types_of(name: str) -> set[Any]:
    shape = shapes()[name]
    match shape["type"]:
        case "structure":
            return {getattr(model, RENAMED.get(name, name))}
        case "list":
            return _types_of(shape["member"]["shape"])
        case "map":
            return _types_of(shape["key"]["shape"]) | _types_of(shape["value"]["shape"])
        case kind:
            return set(shape.get("enum", ())) or PYTHON_TYPES[kind]
