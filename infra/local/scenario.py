"""Scenarios: posts and their instants, and the timeline that must result (docs/scenarios.md describes the file)."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import unified_diff
from functools import cache, partial
from heapq import heapify, heappop, heappush
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from authoring.sources.samples import posting, sample_headers
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import duration, instant_to_wire
from infra.local import reports
from infra.local.deployment import POLICY, LocalDeployment, local_deployment
from infra.local.shapes import Shape

ALWAYS_COMPARED = ("message", "suppressed", "failed", "undecided", "task")
"""Kinds of which a scenario must expect every entry: messages and tasks, sent or not."""

TOKEN = re.compile(r"\$(at|epoch_ms|epoch)(?:([+-])(\w+))?")
LONG_TEXT = re.compile(r"\$text:(\d+)")

OK, REDIRECTED, SERVER_FAILED = 200, 300, 500

JOURNEYS = Path(__file__).parents[2] / "layers" / "journeys"
OPERATOR = "arn:aws:iam::123456789012:user/ada"
FORM = {"content-type": "application/x-www-form-urlencoded"}
BUTTONS = {"unsubscribe": b"List-Unsubscribe=One-Click", "confirm": b"confirm=yes&language=en"}
"""What the button behind each link posts."""

TimelineEntry = dict[str, Any]


class InvalidScenarioError(CairnError):
    """A scenario file is invalid; the message names the fields."""


class RefusedError(CairnError):
    """A request of a scenario was refused, and the scenario did not expect that."""


class AlreadyDoneError(RefusedError):
    """An order or a click was refused as one that makes no sense (any more)."""


class TooEarlyError(RefusedError):
    """A report, click or review is about a message that has not been sent yet."""


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


class Order(BaseModel):
    """What an operator does: `do`, and the other fields as /manage takes them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    at: When
    do: Literal["pause", "resume", "stop", "start", "approve", "reject", "consent", "detach", "export", "erase"]
    step: str = ""
    """Of a review: the step whose message it is about."""


class Click(_Part):
    """The customer opens a link in the e-mail of a step and presses the button on its page."""

    at: When
    link: Literal["unsubscribe", "confirm"]
    step: str


class Scenario(_Part):
    """`starts` is the first instant of virtual time, `for` the length."""

    scenario: str
    about: str = ""
    starts: Annotated[datetime, BeforeValidator(_instant_or_offset)]
    length: Length = Field(alias="for")
    journeys: Path | None = None
    policy: Path | None = None
    """Of another business than the repository's; both are paths from the scenario's folder."""
    posts: list[Post]
    orders: list[Order] = Field(default_factory=list)
    clicks: list[Click] = Field(default_factory=list)
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


@contextmanager
def deployed(
    path: Path,
    scenario: Scenario,
    secrets: Mapping[str, str],
    *,
    journeys: Path = JOURNEYS,
    policy: Path = POLICY,
    **choices: Any,
) -> Iterator[LocalDeployment]:
    """The deployment that a scenario happens in: the one given, unless the scenario names another business."""
    own_journeys = path.parent / scenario.journeys if scenario.journeys else journeys
    own_policy = path.parent / scenario.policy if scenario.policy else policy
    with local_deployment(
        own_journeys, start=scenario.starts, secrets=secrets, policy=own_policy, **choices
    ) as deployment:
        yield deployment


def run_scenario(  # noqa: PLR0913  one argument for each choice
    path: Path,
    scenario: Scenario,
    deployment: LocalDeployment,
    secrets: Mapping[str, str],
    *,
    repeated_after: Sequence[timedelta] = (),
    watched: "Callable[[Coming], None] | None" = None,
) -> ScenarioResult:
    """Let everything happen at its instant, until the scenario's time is over.

    `repeated_after` are the pauses after which a sender repeats a request that failed, as vendors do. `watched` gets
    what is to come, and may let it happen earlier within its instant.
    Raises RefusedError for one that fails after the last of them, or that the scenario does not expect.
    """
    coming = Coming(_happenings(path, scenario, deployment, secrets), repeated_after)
    if watched is not None:
        watched(coming)
    while coming:
        deployment.advance_to(coming.next_at)
        coming.happen(deployment.now())
        deployment.settle()
    deployment.advance_to(max(scenario.starts + scenario.length, deployment.now()))
    lines = deployment.timeline()
    return ScenarioResult(scenario, lines, _difference(scenario, lines))


class Coming:
    """The happenings of a story that are still to come, in their order."""

    def __init__(
        self, happenings: Iterable[tuple[datetime, Callable[[], None]]], repeated_after: Sequence[timedelta]
    ) -> None:
        self._order = count()
        self._repeated_after = repeated_after
        self._waiting = [(at, next(self._order), happen, 0, 0) for at, happen in happenings]
        heapify(self._waiting)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def next_at(self) -> datetime:
        return self._waiting[0][0]

    def happen(self, now: datetime) -> bool:
        """Let the next thing happen, if it is due; whether it was."""
        if not self._waiting or self.next_at > now:
            return False
        at, _, happen, early, refused = heappop(self._waiting)
        try:
            happen()
        except TooEarlyError:  # who waits for a message has not been refused yet
            if early < len(self._repeated_after):
                heappush(
                    self._waiting,
                    (at + self._repeated_after[early], next(self._order), happen, early + 1, refused),
                )
            elif not self._repeated_after:
                raise
        except RefusedError as error:
            if refused and isinstance(error, AlreadyDoneError):
                return True  # the answer of the first try was lost
            if refused >= len(self._repeated_after):
                raise
            heappush(
                self._waiting,
                (at + self._repeated_after[refused], next(self._order), happen, early, refused + 1),
            )
        return True


def _happenings(
    path: Path, scenario: Scenario, deployment: LocalDeployment, secrets: Mapping[str, str]
) -> Iterator[tuple[datetime, Callable[[], None]]]:
    for at, post in _by_instant(scenario, scenario.posts):
        document = _body(path, post, at)
        headers = {**(sample_headers(path.parent / post.file) if post.file else {}), **post.headers}
        if post.source == reports.SOURCE:
            yield at, partial(_report, deployment, post, document)
        else:
            yield at, partial(_post, deployment, post, document, headers, secrets[post.source])
    for at, order in _by_instant(scenario, scenario.orders):
        yield at, partial(_order, deployment, order, cache(partial(_message_under_review, deployment, order.step)))
    for at, click in _by_instant(scenario, scenario.clicks):
        yield at, partial(_click, deployment, click)


def _by_instant(scenario: Scenario, parts: Sequence[Any]) -> list[tuple[datetime, Any]]:
    return sorted(((scenario.instant(one.at), one) for one in parts), key=lambda one: one[0])


def _post(
    deployment: LocalDeployment,
    post: Post,
    document: Any,
    headers: Mapping[str, str],
    secret: str,
) -> None:
    source = "" if post.source == "track" else post.source
    for _ in range(post.times):
        sent = posting(post.source, document, secret, deployment.now(), headers=headers, known=deployment.sources)
        _check(deployment, deployment.request("POST", sent.url, sent.headers, sent.body, source), post.status)


def _report(deployment: LocalDeployment, post: Post, document: Any) -> None:
    for _ in range(post.times):
        deployment.feedback(json.dumps(_fill_references(document, deployment)))


def _order(deployment: LocalDeployment, order: Order, message: Callable[[], str]) -> None:
    """`message` is the one of a review. An order that is repeated is about the same one: it has its id by then."""
    fields = order.model_dump(exclude={"at", "step"})
    route = {"approve": "reviews", "reject": "reviews"}.get(order.do, order.do)
    route = "switches" if order.do in {"pause", "resume", "stop", "start"} else route
    if route == order.do:
        del fields["do"]
    if order.step:
        fields["message"] = message()
    _manage(deployment, "POST", route, json.dumps(fields).encode())


def _message_under_review(deployment: LocalDeployment, step: str) -> str:
    waiting = _manage(deployment, "GET", "reviews", b"")["reviews"]
    message: str | None = next((one["message"] for one in waiting if one["step"] == step), None)
    if message is None:
        raise TooEarlyError(f"no message of {step} waits for a decision")
    return message


def _manage(deployment: LocalDeployment, method: str, route: str, body: bytes) -> Any:
    answer = deployment.manage(method, f"https://localhost/manage/{route}", {}, body, actor=OPERATOR)
    _check_order(deployment, answer)
    return json.loads(answer["body"])


def _click(deployment: LocalDeployment, click: Click) -> None:
    message = deployment.report_references().get(f"message:{click.step}")
    mails = [mail for mail in deployment.cloud.mails if message in {tag["Value"] for tag in mail.get("EmailTags", ())}]
    found = [
        link for mail in mails for link in re.findall(rf"https?://[^\s\"<>]+/{click.link}/[\w.%-]+", json.dumps(mail))
    ]
    if not found:
        raise TooEarlyError(f"no e-mail of {click.step} has a link to {click.link} yet")
    _check_order(deployment, deployment.visit("POST", found[0].rstrip("\\"), FORM, BUTTONS[click.link]))


def _check_order(deployment: LocalDeployment, answer: Shape) -> None:
    try:
        _check(deployment, answer)
    except RefusedError as error:
        if answer["statusCode"] < SERVER_FAILED:
            raise AlreadyDoneError(str(error)) from None
        raise


def _check(deployment: LocalDeployment, answer: Shape, expected: int | None = None) -> None:
    accepted = OK <= answer["statusCode"] < REDIRECTED
    if not accepted if expected is None else answer["statusCode"] != expected:
        at = instant_to_wire(deployment.now())
        raise RefusedError(f"post at {at}: answered {answer['statusCode']}: {answer['body']}")


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
        raise TooEarlyError(f"there is no {error} yet that a report could be about") from None


def _set(document: Any, path: list[str], value: Any) -> None:
    for name in path[:-1]:
        document = document[int(name)] if isinstance(document, list) else document.setdefault(name, {})
    if isinstance(document, list):
        document[int(path[-1])] = value
    else:
        document[path[-1]] = value


def fill_instants(value: Any, at: datetime) -> Any:
    """`$at`, `$epoch`, `$epoch_ms`, and each with an offset (`$at+48h`, `$epoch-3600`) become the post's instant.

    `$text:300000` becomes a text of so many characters.
    """
    if isinstance(value, dict):
        return {name: fill_instants(one, at) for name, one in value.items()}
    if isinstance(value, list):
        return [fill_instants(one, at) for one in value]
    if isinstance(value, str) and (long := LONG_TEXT.fullmatch(value)):
        return ("All of it, word for word. " * (int(long[1]) // 27 + 1))[: int(long[1])]
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
