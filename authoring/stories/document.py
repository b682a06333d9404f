"""Reads a story file, and names every problem of it at once: file, line, and how to mend it."""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from authoring.journeys.shape import NOTATION as OF_JOURNEYS
from authoring.journeys.source import Source, read_yaml
from authoring.problems import InvalidFilesError, Loc, Problem, did_you_mean, dotted
from authoring.shape import MessageAndFix, Notation, findings
from authoring.sources.samples import samples
from authoring.stories.bodies import body_of
from authoring.stories.models import WITH_TASKS, Answer, Click, Expectation, Order, Post, Scenario
from cairn.adapters.sources import sources

PROVIDERS = "aws"
"""The source of providers' reports and of customers' answers, which take AWS's road."""

DIGITS = 7
"""The last digits of a number that are the same however it is written."""

LISTS: dict[str, type[BaseModel]] = {
    "posts": Post,
    "orders": Order,
    "clicks": Click,
    "answers": Answer,
    "expect": Expectation,
}
CANONICAL = "c_"
"""With this begin our own ids of customers, which no post names."""
LONGEST_NAME = 320
"""Characters of an e-mail address."""


class InvalidScenarioError(InvalidFilesError):
    """A story file is invalid; `problems` names all that is wrong with it."""


def load(path: Path, known: Collection[str] | None = None) -> Scenario:
    """Read a story. `known` are the sources that may post, else those that ship. Raises InvalidScenarioError."""
    source = _read(path)
    return _checked(path, source, sources() if known is None else known)


def read(path: Path, text: str, known: Collection[str]) -> Scenario:
    """Read a story of this text, which is to be at `path`. Raises InvalidScenarioError."""
    return _checked(path, _source(path, text), known)


def _checked(path: Path, source: Source, known: Collection[str]) -> Scenario:
    if source.problems:
        raise InvalidScenarioError(source.problems)
    shape = list(findings(source.data, Scenario, NOTATION))
    scenario = _without(source, {loc[:2] if loc[:1] and loc[0] in LISTS else loc[:1] for loc, *_ in shape})
    found = list(_findings(path, scenario, known)) if scenario else []
    if scenario is None or shape or found:
        raise InvalidScenarioError({source.problem(*one) for one in (*shape, *found)})
    return scenario


def _without(source: Source, broken: Collection[Loc]) -> Scenario | None:
    """The story without its broken parts, each part with its line; None if something is broken that it needs."""
    if () in broken:
        return None
    data = {name: value for name, value in source.data.items() if (name,) not in broken}
    locs = {
        name: [(name, index) for index in range(len(data.get(name) or ())) if (name, index) not in broken]
        for name in LISTS
    }
    data |= {name: [source.data[name][index] for _, index in found] for name, found in locs.items() if name in data}
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError:
        return None
    for name, found in locs.items():
        for loc, part in zip(found, getattr(scenario, name), strict=True):
            part.found_at(loc, source.line(loc))
    scenario.found_at((), source.line(("expect",)))
    return scenario


def check_endpoints(path: Path, scenario: Scenario, policy: Path) -> None:
    """Raises InvalidScenarioError where a story answers for an endpoint that its policy does not have."""
    try:
        rows = tomllib.loads(policy.read_text(encoding="utf-8")).get("subscribers", [])
        known = sorted(str(row["name"]) for row in rows)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return  # compiling the policy says what is wrong with it
    problems = [
        Problem(
            path,
            one.line,
            "",
            dotted((*one.loc, "endpoint")),
            f'{policy} has no subscriber "{one.endpoint}"',
            did_you_mean(one.endpoint, known, f'Add [[subscribers]] with name = "{one.endpoint}" there.'),
        )
        for one in scenario.answers
        if one.endpoint not in known
    ]
    if problems:
        raise InvalidScenarioError(problems)


def problems_of(path: Path, known: Collection[str] | None = None) -> list[Problem]:
    """Every problem of a story file, in order of its lines."""
    try:
        load(path, known)
    except InvalidScenarioError as error:
        return list(error.problems)
    return []


def _read(path: Path) -> Source:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return _unread(path, "this file is not UTF-8", "Save it as UTF-8.")
    except OSError as error:
        return _unread(path, f"this file cannot be read: {error.strerror}", "Name a story file.")
    return _source(path, text)


def _source(path: Path, text: str) -> Source:
    source = read_yaml(text, path, merges=True)
    if source.node is None and not source.problems:
        return _unread(path, "this file is empty", "Begin with `scenario:` and a sentence.")
    return source


def _unread(path: Path, message: str, fix: str) -> Source:
    return Source(path, None, None, 1, (Problem(path, 1, "", "", message, fix),))


Finding = tuple[Loc, str, str]


def _findings(path: Path, scenario: Scenario, known: Collection[str]) -> Iterator[Finding]:
    for key in ("journeys", "policy"):
        named = getattr(scenario, key)
        if named is not None and not (path.parent / named).exists():
            yield (key,), f"there is no {path.parent / named}", "Name it by its path from the story's folder."
    bodies: list[Any] = []
    for post in scenario.posts:
        yield from _source_findings(post, known)
        yield from _body_findings(path, scenario, post, bodies)
    yield from _instant_findings(scenario)
    yield from _answer_findings(scenario)
    yield from _order_findings(scenario)
    if len(bodies) == len(scenario.posts):
        yield from _customer_findings(scenario, bodies)


def _source_findings(post: Post, known: Collection[str]) -> Iterator[Finding]:
    if post.source != PROVIDERS and post.source not in known:
        yield (*post.loc, "source"), f'there is no source "{post.source}"', _near(post.source, [*known, PROVIDERS])
    if post.customer and post.source != PROVIDERS:
        fix = f"Leave it out, or write `source: {PROVIDERS}`: any other body says itself who it is about."
        yield (*post.loc, "customer"), "only a provider's report is about a customer's message", fix


def _body_findings(path: Path, scenario: Scenario, post: Post, bodies: list[Any]) -> Iterator[Finding]:
    """The problems of the body of a post; without one, it is added to `bodies`."""
    if (bodies_given := [post.event is not None, post.file is not None, bool(post.sample)].count(True)) != 1:
        message = "this post has two bodies" if bodies_given else "this post has no body"
        fix = "Write `event:` with the body, `file:` with its path from the story's folder, or `sample:` with its name."
        yield post.loc, message, fix
        return
    try:
        bodies.append(body_of(path, post, scenario.instant(post.at)))
    except OSError as error:
        if post.sample:
            known = [one.stem for one in samples(post.source)]
            fix = did_you_mean(post.sample, known, f"It has {', '.join(known) or 'none'}.")
            yield (*post.loc, "sample"), f'{post.source} has no sample "{post.sample}"', fix
            return
        fix = "Name a JSON file by its path from the story's folder."
        yield (*post.loc, "file"), f"{path.parent / (post.file or '')} cannot be read: {error.strerror}", fix
    except ValueError as error:
        yield post.loc, f"its body cannot be made: {error}", "Mend the JSON of its file, or the offset in `$at+…`."
    except (LookupError, TypeError, AttributeError):
        fix = "Name keys, and positions of a list from 0, with a dot between them."
        yield (*post.loc, "set"), "a path leads nowhere in the body", fix


def _instant_findings(scenario: Scenario) -> Iterator[Finding]:
    happenings: list[Post | Order | Click] = [*scenario.posts, *scenario.orders, *scenario.clicks]
    for part in happenings:
        if scenario.instant(part.at) < scenario.starts:
            yield (*part.loc, "at"), "this is before the story begins", "Write a later instant, or begin earlier."
    end = max([scenario.ends, *(scenario.instant(part.at) for part in happenings)])
    for expected in scenario.expect:
        if scenario.instant(expected.at) > end:
            message = "this is after the end of the story"
            yield (*expected.loc, "at"), message, "Make `for` longer, or write an earlier instant."


def _order_findings(scenario: Scenario) -> Iterator[Finding]:
    for one in scenario.orders:
        if one.do in WITH_TASKS and not (one.step or one.reason):
            fix = "Write `step:` with the step that asked for it, or `reason:` with the task's reason."
            yield one.loc, f"`do: {one.do}` names no task", fix
        for name in WITH_TASKS.get(one.do, ()):
            if not (one.model_extra or {}).get(name):
                yield one.loc, f"`do: {one.do}` has no `{name}`", f"Add `{name}:`, as `cairn task {one.do}` takes it."
        if one.call_at and one.do != "done":
            yield (*one.loc, "call_at"), "only an outcome says when the customer is called", "Write `do: done`."


def _answer_findings(scenario: Scenario) -> Iterator[Finding]:
    for one in scenario.answers:
        if one.fails and one.model_fields_set & {"status", "body"}:
            yield (*one.loc, "fails"), "it fails, and it answers", "Leave out `fails`, or `status` and `body`."


def _customer_findings(scenario: Scenario, bodies: list[Any]) -> Iterator[Finding]:
    """Customers that no post names. Names are compared as loosely as sources write them."""
    texts = {text for body in bodies for text in _texts(body)}
    compared = {text.casefold() for text in texts}
    numbers = {digits[-DIGITS:] for text in texts if len(digits := _digits(text)) >= DIGITS}
    with_tasks = (one for one in scenario.orders if one.do in WITH_TASKS)
    for part in (*scenario.posts, *with_tasks, *scenario.clicks, *scenario.expect):
        customer = str(getattr(part, "customer", None) or "")
        known = not customer or customer.casefold() in compared or customer.startswith(CANONICAL)
        if not known and not (customer[1:].isdigit() and _digits(customer)[-DIGITS:] in numbers):
            names = {text for text in texts if 0 < len(text) <= LONGEST_NAME and not text.isspace()}
            fix = did_you_mean(customer, sorted(names), "Name one by the user id, address or number of its post.")
            yield (*part.loc, "customer"), f'no post names a customer "{customer}"', fix


def _texts(body: Any) -> Iterator[str]:
    if isinstance(body, dict):
        for one in body.values():
            yield from _texts(one)
    elif isinstance(body, list):
        for one in body:
            yield from _texts(one)
    elif body is not None:
        yield str(body)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _near(name: str, names: Iterable[str]) -> str:
    return did_you_mean(name, there := sorted(set(names)), f"Known: {', '.join(there)}.")


def _special(detail: ErrorDetails, _keys: Mapping[str, str]) -> MessageAndFix | None:
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        expected = detail["ctx"]["expected"]
        close = get_close_matches(detail["input"], expected.replace("'", "").replace(" or ", ", ").split(", "), n=1)
        if close:
            return f'"{detail["input"]}" is not one of {expected}', f"Did you mean {close[0]}?"
    return None


def _model_at(loc: Loc, outermost: type[BaseModel]) -> type[BaseModel]:
    return LISTS.get(str(loc[0]), outermost) if len(loc) > 1 else outermost


NOTATION = Notation(
    "docs/scenarios.md",
    {**OF_JOURNEYS.expected, "path_type": ("a path", "Write a path from the story's folder, such as {example}.")},
    OF_JOURNEYS.shown,
    OF_JOURNEYS.written,
    _model_at,
    _special,
)
