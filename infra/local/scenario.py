"""Runs scenarios: what is posted when, and the timeline that results (docs/scenarios.md describes the file)."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from heapq import heapify, heappop, heappush
from itertools import count
from pathlib import Path
from typing import Any

from authoring.defaults import default_journeys
from authoring.sources.samples import posting, sample_headers
from authoring.stories import Click, Order, Post, Scenario, check_endpoints
from authoring.stories.bodies import body_of, file_of
from authoring.stories.comparison import Comparison, compare
from authoring.stories.models import WITH_TASKS
from cairn.adapters.sources import sources
from cairn.domain.people.task import Task
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import instant_to_wire
from infra.local import reports
from infra.local.answers import answering
from infra.local.cloud import SOURCES
from infra.local.deployment import POLICY, LocalDeployment, local_deployment
from infra.local.shapes import Shape

OK, REDIRECTED, SERVER_FAILED = 200, 300, 500

JOURNEYS = default_journeys()
OPERATOR = "arn:aws:iam::123456789012:user/ada"
FORM = {"content-type": "application/x-www-form-urlencoded"}
BUTTONS = {"unsubscribe": b"List-Unsubscribe=One-Click", "confirm": b"confirm=yes&language=en"}
"""What the button behind each link posts."""

TimelineEntry = dict[str, Any]


class RefusedError(CairnError):
    """A request of a scenario was refused, and the scenario did not expect that."""


class AlreadyDoneError(RefusedError):
    """An order or a click was refused as one that makes no sense (any more)."""


class TooEarlyError(RefusedError):
    """A report, click or review is about a message that has not been sent yet."""


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The timeline of a scenario, compared with the expected one."""

    scenario: Scenario
    lines: list[TimelineEntry]
    comparison: Comparison

    @property
    def difference(self) -> str:
        return self.comparison.difference


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
    """The deployment that a scenario happens in: the one given, unless the scenario names another business.

    Raises InvalidScenarioError where the scenario answers for an endpoint that the policy does not have.

    It has no secrets of sources that post nothing here: a key pair is slow to derive.
    """
    used = {post.source for post in scenario.posts}
    unused = sources(choices.get("configuration", SOURCES)).keys() - used
    secrets = {name: one for name, one in secrets.items() if name not in unused}
    own_journeys = path.parent / scenario.journeys if scenario.journeys else journeys
    own_policy = path.parent / scenario.policy if scenario.policy else policy
    check_endpoints(path, scenario, own_policy)
    with (
        answering(scenario.answers) as endpoints,
        local_deployment(
            own_journeys,
            start=scenario.starts,
            secrets=secrets,
            policy=own_policy,
            webhook_endpoints=endpoints,
            **choices,
        ) as deployment,
    ):
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
    coming = Coming(happenings(path, scenario, deployment, secrets), repeated_after)
    if watched is not None:
        watched(coming)
    while coming:
        deployment.advance_to(coming.next_at)
        coming.happen(deployment.now())
        deployment.settle()
    deployment.advance_to(max(scenario.starts + scenario.length, deployment.now()))
    lines = deployment.timeline()
    return ScenarioResult(scenario, lines, compare(scenario, lines))


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


def happenings(
    path: Path, scenario: Scenario, deployment: LocalDeployment, secrets: Mapping[str, str]
) -> Iterator[tuple[datetime, Callable[[], None]]]:
    """What a story lets happen, and when."""
    for at, post in _by_instant(scenario, scenario.posts):
        document = body_of(path, post, at)
        file = file_of(path, post)
        headers = {**(sample_headers(file) if file else {}), **post.headers}
        if post.source == reports.SOURCE:
            happen = partial(_report, deployment, post, document)
        else:
            happen = partial(_post, deployment, post, document, headers, secrets[post.source])
        yield at, partial(_located, path, post.line, happen)
    for at, order in _by_instant(scenario, scenario.orders):
        about = cache(partial(_about, deployment, order))
        yield at, partial(_located, path, order.line, partial(_order, deployment, order, about))
    for at, click in _by_instant(scenario, scenario.clicks):
        yield at, partial(_located, path, click.line, partial(_click, deployment, click))


def _located(path: Path, line: int, happen: Callable[[], None]) -> None:
    """Let something happen; a refusal says where in the file it stands."""
    try:
        happen()
    except RefusedError as error:
        error.args = (f"{path}:{line}: {error}",)
        raise


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
        deployment.feedback(json.dumps(_fill_references(document, deployment, post.customer)))


ROUTE_OF = {
    **dict.fromkeys(("approve", "reject"), "reviews"),
    **dict.fromkeys(("pause", "resume", "stop", "start"), "switches"),
    **dict.fromkeys(("choose", "reopen"), "splits"),
    "answer": "inbox",
    **dict.fromkeys(WITH_TASKS, "tasks"),
}
"""Where /manage takes an order; others have a route of their own."""


def _order(deployment: LocalDeployment, order: Order, about: Callable[[], Any]) -> None:
    """`about` is the task, or the message of a review. An order that is repeated is about the same one."""
    fields = order.model_dump(exclude={"at", "step", "reason", "call_at"})
    route = ROUTE_OF.get(order.do, order.do)
    if route == order.do:
        del fields["do"]
    if route == "tasks":
        task: Task = about()
        fields |= {"task": task.id, "customer": task.customer} | ({"at": order.call_at} if order.call_at else {})
        if order.do in {"claim", "done"}:
            fields.setdefault("as", task.owner)
    elif order.step and route == "splits":
        fields["step"] = order.step
    elif order.step:
        fields["message"] = about()
    _manage(deployment, "POST", route, json.dumps(fields).encode())


def _about(deployment: LocalDeployment, order: Order) -> Any:
    """The task that an order is about, or the message."""
    return _open_task(deployment, order) if order.do in WITH_TASKS else _message_under_review(deployment, order.step)


def _open_task(deployment: LocalDeployment, order: Order) -> Task:
    """The task that an order of a member is about."""
    customer = str((order.model_extra or {}).get("customer", ""))
    found = [
        one
        for one in deployment.open_tasks(customer)
        if (one.step == order.step if order.step else one.reason == order.reason)
    ]
    if not found:
        raise TooEarlyError(f"no task of {order.step or order.reason} is open")
    if len({one.customer for one in found}) > 1:
        raise RefusedError(f"several customers have a task of {order.step or order.reason}: name one with `customer:`")
    return max(found, key=lambda one: one.opened_at)


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
    message = deployment.report_references(click.customer).get(f"message:{click.step}")
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


def _fill_references(document: Any, deployment: LocalDeployment, customer: str) -> Any:
    """A provider's report with the ids that it refers to."""
    try:
        return reports.fill_references(document, deployment.report_references(customer))
    except KeyError as error:
        raise TooEarlyError(f"there is no {error} yet that a report could be about") from None
