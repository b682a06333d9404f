"""Scenarios: posts and their instants, and the timeline that must result (docs/scenarios.md describes the file)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from authoring.sources.samples import posting, sample_headers
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import duration, instant_to_wire
from infra.local import reports
from infra.local.deployment import LocalDeployment

ALWAYS_COMPARED = ("message", "suppressed", "failed", "undecided", "task")
"""Kinds of which a scenario must expect every entry: messages and tasks, sent or not."""

TOKEN = re.compile(r"\$(at|epoch_ms|epoch)(?:([+-])(\w+))?")

OK, REDIRECTED = 200, 300

TimelineEntry = dict[str, Any]


class InvalidScenarioError(CairnError):
    """A scenario file is invalid; the message names the fields."""


class RefusedError(CairnError):
    """A post of a scenario was refused, and the scenario did not expect that."""


def _instant_or_offset(value: Any) -> datetime | timedelta:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return duration(str(value))
    except ValueError:
        instant = datetime.fromisoformat(str(value))
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


When = Annotated[datetime | timedelta, BeforeValidator(_instant_or_offset)]
Length = Annotated[timedelta, BeforeValidator(lambda value: duration(str(value)))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Post(_Part):
    at: When
    source: str = "track"
    event: Any = None
    file: Path | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    """The vendor's headers, in addition to those of a sample."""
    times: int = 1
    status: int | None = None
    """The expected status, where a refusal is expected; otherwise any 2xx."""


class Scenario(_Part):
    """`starts` is the first instant of virtual time, `for` the length."""

    scenario: str
    about: str = ""
    starts: Annotated[datetime, BeforeValidator(_instant_or_offset)]
    length: Length = Field(alias="for")
    posts: list[Post]
    expect: list[dict[str, Any]] = Field(default_factory=list)

    def instant(self, when: datetime | timedelta) -> datetime:
        return self.starts + when if isinstance(when, timedelta) else when


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The timeline of a scenario, compared with the expected one."""

    scenario: Scenario
    lines: list[TimelineEntry]
    difference: str
    """A unified diff from the expected to the actual timeline; empty where they agree."""


def load(path: Path) -> Scenario:
    """Read a scenario file. Raises InvalidScenarioError naming what is wrong with it."""
    try:
        return Scenario.model_validate(yaml.load(path.read_text(encoding="utf-8"), _Loader))  # noqa: S506  a safe loader
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidScenarioError(f"{path}: {problems}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidScenarioError(f"{path}: {error}") from None


def run_scenario(
    path: Path, scenario: Scenario, deployment: LocalDeployment, secrets: Mapping[str, str]
) -> ScenarioResult:
    """Post everything at its instant, until the scenario's time is over. Raises RefusedError."""
    for at, post in sorted(((scenario.instant(post.at), post) for post in scenario.posts), key=lambda one: one[0]):
        deployment.advance_to(at)
        document = _body(path, post, at)
        headers = {**(sample_headers(path.parent / post.file) if post.file else {}), **post.headers}
        for _ in range(post.times):
            if post.source == reports.SOURCE:
                deployment.feedback(json.dumps(_fill_references(document, deployment)))
                continue
            sent = posting(post.source, document, secrets[post.source], at, headers=headers)
            source = "" if post.source == "track" else post.source
            answer = deployment.request("POST", sent.url, sent.headers, sent.body, source)
            accepted = OK <= answer["statusCode"] < REDIRECTED
            if not accepted if post.status is None else answer["statusCode"] != post.status:
                raise RefusedError(f"post at {instant_to_wire(at)}: answered {answer['statusCode']}: {answer['body']}")
        deployment.settle()
    deployment.advance_to(scenario.starts + scenario.length)
    lines = deployment.timeline()
    return ScenarioResult(scenario, lines, _difference(scenario, lines))


def _body(path: Path, post: Post, at: datetime) -> Any:
    document = post.event if post.file is None else json.loads((path.parent / post.file).read_text(encoding="utf-8"))
    document = json.loads(json.dumps(document, default=str))
    for path_in_document, value in post.set.items():
        _set(document, path_in_document.split("."), json.loads(json.dumps(value, default=str)))
    return fill_instants(document, at)


def _fill_references(document: Any, deployment: LocalDeployment) -> Any:
    """A provider's report with the ids that it refers to."""
    try:
        return reports.fill_references(document, deployment.report_references())
    except KeyError as error:
        raise RefusedError(f"there is no {error} yet that a report could be about") from None


def _set(document: Any, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        document = document[int(name)] if isinstance(document, list) else document.setdefault(name, {})
    if isinstance(document, list):
        document[int(path[-1])] = value
    else:
        document[path[-1]] = value


def fill_instants(value: Any, at: datetime) -> Any:
    """`$at`, `$epoch`, `$epoch_ms`, and each with an offset (`$at+48h`, `$epoch-3600`) become the post's instant."""
    if isinstance(value, dict):
        return {name: fill_instants(one, at) for name, one in value.items()}
    if isinstance(value, list):
        return [fill_instants(one, at) for one in value]
    match = TOKEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    kind, sign, offset = match.groups()
    length = timedelta() if not offset else timedelta(seconds=int(offset)) if offset.isdigit() else duration(offset)
    instant = at - length if sign == "-" else at + length
    seconds = int(instant.timestamp())
    return {"at": instant_to_wire(instant), "epoch": seconds, "epoch_ms": seconds * 1000}[kind]


def _difference(scenario: Scenario, lines: list[TimelineEntry]) -> str:
    """Compares every entry of the expected kinds with its expectation."""
    compared = {*ALWAYS_COMPARED, *(one["kind"] for one in scenario.expect)}
    happened = [line for line in lines if line["kind"] in compared]
    expected = [_Expectation(one, scenario) for one in scenario.expect]
    expected.sort(key=lambda one: one.at)
    pairs = _paired(expected, happened)
    if None not in pairs and len(pairs) == len(happened):
        return ""
    wanted = [_summary(line) if line else one.text() for one, line in zip(expected, pairs, strict=True)]
    got = [_summary(line) for line in happened]
    return "\n".join(unified_diff(wanted, got, "expected", "happened", lineterm="", n=1))


def _paired(expected: "list[_Expectation]", happened: list[TimelineEntry]) -> list[TimelineEntry | None]:
    """For each expectation the entry that meets it, each entry once; within one instant the order is free."""
    left = list(happened)
    pairs: list[TimelineEntry | None] = []
    for one in expected:
        match = next((line for line in left if one.matches(line)), None)
        if match is not None:
            left.remove(match)
        pairs.append(match)
    return pairs


SUMMARY_FIELDS = (
    "customer",
    "journey",
    "step",
    "channel",
    "template",
    "subject",
    "reason",
    "until",
    "outcome",
    "queue",
    "status",
)


def _summary(line: TimelineEntry) -> str:
    fields = {name: line[name] for name in SUMMARY_FIELDS if line.get(name)}
    return f"{line['at']} {line['kind']} " + " ".join(f"{name}={value}" for name, value in fields.items())


class _Expectation:
    def __init__(self, document: Mapping[str, Any], scenario: Scenario) -> None:
        fields = dict(document)
        self.at = scenario.instant(_instant_or_offset(fields.pop("at"))).astimezone(UTC)
        contains = fields.pop("contains", [])
        self.contains = contains if isinstance(contains, list) else [contains]
        self.fields = {name: str(value) for name, value in fields.items()}

    def matches(self, line: TimelineEntry) -> bool:
        text = f"{line.get('subject', '')}\n{line.get('body', '')}"
        return (
            datetime.fromisoformat(line["at"]).replace(microsecond=0) == self.at
            and all(str(line.get(name)) == value for name, value in self.fields.items())
            and all(str(part) in text for part in self.contains)
        )

    def text(self) -> str:
        named = [f"{name}={value}" for name, value in self.fields.items() if name != "kind"]
        named += [f"contains={part!r}" for part in self.contains]
        return f"{instant_to_wire(self.at)} {self.fields.get('kind')} " + " ".join(named)


class _Loader(yaml.SafeLoader):
    """YAML whose instants stay strings."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
