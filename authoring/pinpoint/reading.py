"""Reads Pinpoint's journeys and templates from files: each problem with its line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel

from authoring.journeys.source import Source, read_yaml
from authoring.pinpoint.model import (
    EmailTemplateResponse,
    Journey,
    PushNotificationTemplateResponse,
    SMSTemplateResponse,
)
from authoring.pinpoint.templates import Given, Template
from authoring.problems import InvalidFilesError, Loc, Problem
from authoring.shape import Notation, findings

JOURNEY_WRAPPERS = ("JourneyResponse", "WriteJourneyRequest")
LIST_WRAPPER, LIST = "JourneysResponse", "Item"
TEMPLATES: Mapping[str, tuple[str, type[Template]]] = {
    "EmailTemplateResponse": ("email", EmailTemplateResponse),
    "SMSTemplateResponse": ("sms", SMSTemplateResponse),
    "PushNotificationTemplateResponse": ("push", PushNotificationTemplateResponse),
}
"""By the key that `aws pinpoint get-…-template` puts them under."""

MODEL = "Pinpoint's API reference"
EXPECTED = {
    "string_type": ("text", "Write text in double quotes."),
    "int_type": ("a whole number", "Write a whole number, such as 3."),
    "float_type": ("a number", "Write a number, such as 3."),
    "bool_type": ("true or false", "Write true or false."),
    "list_type": ("a list", "Write it in square brackets."),
    "dict_type": ("an object", "Write it in braces."),
    "model_type": ("an object", "Write it in braces."),
    "finite_number": ("a number", "Write a number, such as 3."),
}
GET = "Write it with `aws pinpoint get-journey` or `list-journeys`."


def read_journeys(file: Path) -> list[tuple[Journey, Source, Loc]]:
    """The journeys of a file, each with its path there. Raises InvalidFilesError with every problem of the file."""
    source = _read_json(file, GET)
    found = list(_journeys(source.data, ()))
    if not found:
        _fail(source.problem((), "there is no journey in this file", GET))
    problems = [one for loc, written in found for one in _shape_problems(source, loc, written, Journey)]
    if problems:
        raise InvalidFilesError(problems)
    return [(Journey.model_validate(written), source, loc) for loc, written in found]


def read_templates(folder: Path | None) -> Given:
    """The templates of a folder's JSON files. Raises InvalidFilesError with every problem of the files."""
    given: dict[tuple[str, str], Template] = {}
    problems: list[Problem] = []
    for file in sorted(folder.glob("*.json")) if folder else ():
        try:
            for channel, template in _templates(_read_json(file, "Write it with `aws pinpoint get-email-template`.")):
                given[channel, template.template_name] = template
        except InvalidFilesError as error:
            problems += error.problems
    if problems:
        raise InvalidFilesError(problems)
    return given


def _templates(source: Source) -> Iterator[tuple[str, Template]]:
    written = source.data if isinstance(source.data, Mapping) else {}
    known = [key for key in TEMPLATES if key in written]
    if not known:
        _fail(source.problem((), f"this holds no {' nor '.join(TEMPLATES)}", "Remove the file from the folder."))
    for key in known:
        channel, model = TEMPLATES[key]
        problems = list(_shape_problems(source, (key,), written[key], model))
        if problems:
            raise InvalidFilesError(problems)
        yield channel, model.model_validate(written[key])


def _read_json(file: Path, fix: str) -> Source:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        data = _clean(json.loads(text, parse_constant=_refuse))
    except OSError as error:
        _fail(Problem(file, 1, "", "", f"it cannot be read: {error.strerror}", fix))
    except json.JSONDecodeError as error:
        _fail(Problem(file, error.lineno, "", "", f"not JSON: {error.msg}", fix))
    except (ValueError, RecursionError) as error:
        _fail(Problem(file, 1, "", "", f"not JSON: {error}", fix))
    try:
        lines = read_yaml(text, file)  # JSON is YAML, and YAML has lines
    except RecursionError:
        lines = Source(file, None, None, 1, ())
    return replace(lines, data=data, problems=())


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _clean(value: Any) -> Any:
    """The document without halves of characters, which no file can have."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    return value


def _journeys(written: Any, loc: Loc) -> Iterator[tuple[Loc, Any]]:
    """What stands for a journey, each with its path: a response, a list of them, or a request."""
    if isinstance(written, list):
        for index, one in enumerate(written):
            yield from _journeys(one, (*loc, index))
    elif isinstance(written, Mapping):
        wrapped = [key for key in (*JOURNEY_WRAPPERS, LIST_WRAPPER, LIST) if key in written]
        if wrapped:
            for key in wrapped:
                yield from _journeys(written[key], (*loc, key))
        elif "Name" in written or "Activities" in written:
            yield loc, written


def _shape_problems(source: Source, loc: Loc, written: Any, model: type[BaseModel]) -> Iterable[Problem]:
    for inner, message, fix in findings(written, model, NOTATION):
        yield source.problem((*loc, *inner), message, fix)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:60]


def _written(name: str, _example: str, _loc: Loc) -> str:
    return f'"{name}"'


def _model_at(loc: Loc, outermost: type[BaseModel]) -> type[BaseModel]:
    """The model around the last part of a path."""
    model: Any = outermost
    for part in loc[:-1]:
        field = next((one for name, one in model.model_fields.items() if part in {name, one.alias}), None)
        if field is not None:
            model = next(iter(_models(field.annotation)), model)
    return model  # type: ignore[no-any-return]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in getattr(annotation, "__args__", ()):
        yield from _models(one)


NOTATION = Notation(MODEL, EXPECTED, _shown, _written, _model_at)


def _fail(problem: Problem) -> NoReturn:
    raise InvalidFilesError([problem])
