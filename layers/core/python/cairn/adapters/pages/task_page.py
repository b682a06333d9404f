"""The page of one task behind a member's personal link: read, call, walk the script, record the outcome.

Only a POST changes anything. While a script is walked nothing is stored: the form carries what was said so far, and the
walk is computed anew from it, so that no line can be left out by going around the page.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.adapters.documents.scripts import Scripts
from cairn.adapters.pages.forms import POST, Form, form_of
from cairn.adapters.pages.plain import label, plain, sentence
from cairn.adapters.pages.problems import refusal
from cairn.adapters.pages.render import Page, Pages
from cairn.adapters.pages.task_links import SignedTaskLinks
from cairn.adapters.pages.texts import texts_for
from cairn.adapters.templates.script_texts import ScriptTexts
from cairn.application.people.serve_task import ServeTask, TaskSeen
from cairn.application.people.work_on_tasks import TaskResult, evaluator
from cairn.domain.explain.next_action import next_action
from cairn.domain.people.life import LONGEST_NOTE
from cairn.domain.people.script import (
    NO,
    YES,
    AnswerKind,
    Given,
    Script,
    ScriptLine,
    Walked,
    walk,
)
from cairn.domain.people.task import IN_WORDS, TaskStatus
from cairn.domain.policy import Policy
from cairn.domain.profile.attributes import PHONE
from cairn.domain.shared.errors import (
    CairnError,
    ConflictError,
    InvalidAnswerError,
    InvalidRequestError,
    LineSkippedError,
    MalformedBodyError,
    TaskClosedError,
    TaskOwnedError,
    UnknownLineError,
    UnknownTaskError,
)
from cairn.domain.shared.instants import zone_named

SHOWN_ON_THE_PAGE = (
    *(InvalidAnswerError, InvalidRequestError, LineSkippedError, UnknownLineError),
    *(TaskClosedError, TaskOwnedError, ConflictError),
)
"""What the member can mend, or should know: the page says it, and shows the task as it is now."""

MOST_GIVEN = 200
"""Entries of a walk that a form may carry."""

INPUTS = {
    AnswerKind.TEXT: ("text", ""),
    AnswerKind.NUMBER: ("number", 'step="any" inputmode="decimal"'),
    AnswerKind.SCALE: ("number", 'min="0" max="10" step="1" inputmode="numeric"'),
    AnswerKind.DATE: ("date", ""),
}


@dataclass(frozen=True, slots=True)
class TaskVisit:
    """A request to a task's link."""

    token: str
    method: str
    content_type: str = ""
    body: bytes = b""
    accept_language: str = ""


@dataclass(frozen=True, slots=True)
class TaskPage:
    links: SignedTaskLinks
    serve: ServeTask
    scripts: Scripts
    policy: Policy
    pages: Pages

    def __call__(self, visit: TaskVisit, now: datetime) -> Page:
        """The answer. Raises a CairnError where nothing was done and nothing can be shown."""
        form = form_of(visit.content_type, visit.body) if visit.method == POST else {}
        link = self.links.read(visit.token, now)
        given, problem, saved = _given(form), "", ""
        seen = self.serve.look(link.customer, link.task, link.member)
        if visit.method == POST:
            try:
                given, saved = self._do(seen, form, given, now)
            except SHOWN_ON_THE_PAGE as error:
                problem = _sentence(error)
        if saved or problem:  # it may be another one now
            seen = self.serve.look(link.customer, link.task, link.member)
        if seen is None:
            return self.pages.problem(texts_for(visit.accept_language), "invalid", 404)
        view = _View(self, seen, given if not saved else (), now)
        return self.pages.task(view.all(form), problem=problem, saved=saved)

    def refuse(self, visit: TaskVisit, error: CairnError) -> tuple[str, Page]:
        """The reason in one word, and the page that says what to do."""
        return refusal(self.pages, visit.accept_language, error)

    def _do(
        self, seen: TaskSeen | None, form: Form, given: tuple[Given, ...], now: datetime
    ) -> tuple[tuple[Given, ...], str]:
        """All that was said so far, after the form; and in words, what is stored now."""
        do = _one(form, "do")
        if do == "claim":
            seen = _there(seen)
            self.serve.claim(seen.task, seen.member, now)
            return given, "You have this task now."
        if do == "back":
            return given[:-1], ""
        if do == "done":
            return given, self._done(_there(seen), form, given, now)
        if _one(form, "line"):
            entry = Given(_one(form, "line"), _one(form, "answer"), _one(form, "concern"))
            seen = _there(seen)
            script = self.scripts.get(seen.task.script) if seen.is_theirs else None
            if script is None:
                raise UnknownLineError("this task has no script any more; record its outcome below")
            walk(script, (*given, entry), evaluator(seen.customer, now, seen.task.time_zone))
            return (*given, entry), ""
        raise MalformedBodyError("only the page's own buttons change anything")

    def _done(self, seen: TaskSeen, form: Form, given: Sequence[Given], now: datetime) -> str:
        outcome = _one(form, "outcome")
        if not outcome:
            raise InvalidRequestError(["Choose what came of it."])
        wants_at = outcome in seen.outcomes and seen.outcomes[outcome].at_hour_of_choice
        at = _one(form, "at") if wants_at else ""
        said = TaskResult(outcome, _one(form, "note")[:LONGEST_NOTE], at, script=given)
        self.serve.done(seen.task, said, seen.member, now)
        return "Saved. Thank you."


def _there(seen: TaskSeen | None) -> TaskSeen:
    if seen is None:
        raise UnknownTaskError("this task is no longer there")
    return seen


def _sentence(error: CairnError) -> str:
    if isinstance(error, ConflictError):
        return "Somebody else has changed this task just now. This is how it is."
    said = " ".join(error.problems) if isinstance(error, InvalidRequestError) else str(error)
    return sentence(said)


def _one(form: Form, name: str) -> str:
    return form.get(name, ("",))[-1].strip()


def _given(form: Form) -> tuple[Given, ...]:
    """All that was said before, as the page itself has written it. Raises MalformedBodyError."""
    text = _one(form, "walk")
    try:
        entries = json.loads(text) if text else []
        given = tuple(Given(*map(str, one)) for one in entries)
    except (ValueError, TypeError, RecursionError):
        raise MalformedBodyError("the form has lost what was said so far") from None
    if len(given) > MOST_GIVEN:
        raise MalformedBodyError("a call has fewer lines than this")
    return given


class _View:
    """What the page shows: texts only, so that the template has nothing to decide."""

    def __init__(self, page: TaskPage, seen: TaskSeen, given: Sequence[Given], now: datetime) -> None:
        self._page, self._seen, self._given, self._now = page, seen, given, now
        self._task = seen.task

    def all(self, form: Form) -> dict[str, Any]:
        task, seen = self._task, self._seen
        theirs = task.is_open and seen.is_theirs
        script = self._page.scripts.get(task.script) if theirs else None
        walked = self._walked(script) if script else None
        outcomes = (
            [self._outcome(one.name, one.title, walked, form) for one in seen.outcomes.values()] if theirs else []
        )
        return {
            "title": task.title,
            "state": "late" if task.is_open and self._now > task.due_at else task.status.value,
            "status": self._status(),
            "owner": self._owner(),
            "customer": self._customer() if seen.is_theirs else None,
            "context": [(label(name), plain(value)) for name, value in task.context.items()] if seen.is_theirs else [],
            "advice": next_action(task, seen.customer, self._now) if theirs else "",
            "may_claim": task.is_open and seen.may_claim,
            "say": task.script if theirs and script is None else "",
            "script": self._script(script, walked) if script and walked else None,
            "walk": json.dumps([[one.line, one.answer, one.concern] for one in self._given]),
            "outcomes": outcomes if theirs else [],
            "asks_when": any(one.at_hour_of_choice for one in seen.outcomes.values()),
            "zone": seen.zone,
            "at": _one(form, "at"),
            "note": _one(form, "note") if theirs else "",
            "parts": self._parts() if seen.is_theirs else [],
        }

    def _walked(self, script: Script) -> Walked:
        try:
            return walk(script, self._given, evaluator(self._seen.customer, self._now, self._task.time_zone))
        except CairnError:  # the script has changed since the form was made
            self._given = ()
            return walk(script, (), evaluator(self._seen.customer, self._now, self._task.time_zone))

    def _status(self) -> str:
        task, zone = self._task, zone_named(self._seen.members_zone, "UTC")
        due = f"{task.due_at.astimezone(zone):%a %d %b, %H:%M}"
        if task.status is TaskStatus.DONE:
            return f"Done: {task.outcome}"
        if task.status is TaskStatus.WITHDRAWN:
            return "Withdrawn: there is nothing to do any more"
        return f"Overdue since {due}" if self._now > task.due_at else f"Due {due}"

    def _owner(self) -> str:
        if not self._task.is_open:
            return ""
        if self._seen.is_theirs and self._task.owner:
            return "yours"
        return f"{self._seen.owner_name} has it" if self._task.owner else "nobody has it yet"

    def _customer(self) -> dict[str, str]:
        view = self._seen.customer.profile.view()
        name = " ".join(str(view[one]) for one in ("first_name", "last_name") if view.get(one))
        local = self._now.astimezone(zone_named(self._seen.zone, "UTC"))
        about = [str(view[one]) for one in ("company", "stage", "locale") if view.get(one)]
        phone = str(view.get(PHONE) or "")
        return {
            "name": name or "A customer without a name",
            "about": " · ".join([*about, f"it is {local:%H:%M} there"]),
            "phone": phone,
        }

    def _script(self, script: Script, walked: Walked) -> dict[str, Any]:
        seen = self._seen
        member = {"id": seen.member, "name": seen.member_name}
        texts = ScriptTexts(
            script,
            seen.customer.profile.view(),
            member=member,
            brand=self._page.policy.brand,
            context=self._task.context,
            time_zone=seen.zone,
        )
        return {
            "title": script.title,
            "lines": [self._line(line, texts) for line in walked.open],
            "concerns": [
                {"id": name, "title": texts(one.title), "text": texts(one.text)}
                for name, one in script.concerns.items()
            ],
            "steps": len(self._given),
        }

    def _line(self, line: ScriptLine, texts: ScriptTexts) -> dict[str, Any]:
        question = line.question
        choices: list[dict[str, str]] = []
        input_, limits = "", ""
        if question is not None and question.choices:
            choices = [{"value": name, "text": texts(one)} for name, one in question.choices.items()]
        elif question is not None and question.kind is AnswerKind.YES_NO:
            choices = [{"value": YES, "text": "Yes"}, {"value": NO, "text": "No"}]
        elif question is not None:
            input_, limits = INPUTS[question.kind]
        return {
            "id": line.id,
            "text": texts(line.text),
            "must_be_read": line.must_be_read,
            "choices": choices,
            "input": input_,
            "limits": limits,
        }

    def _outcome(self, name: str, title: str, walked: Walked | None, form: Form) -> dict[str, Any]:
        reached = walked.outcome if walked else ""
        return {"name": name, "title": title, "chosen": name in {reached, _one(form, "outcome")} - {""}}

    def _parts(self) -> list[dict[str, Any]]:
        zone = zone_named(self._seen.members_zone, "UTC")
        history = [
            {"at": f"{one.at.astimezone(zone):%d %b %H:%M}", "text": _history(one.what, one.owner, one.why)}
            for one in (*self._task.history, *self._task.notes)
        ]
        lines = [{"at": one.local, "text": one.text} for one in self._seen.sentences]
        return [
            {"title": "What happened so far", "lines": lines},
            {"title": "History of this task", "lines": history},
        ]


def _history(what: str, owner: str, why: str) -> str:
    said = IN_WORDS.get(what, what)
    return ": ".join(part for part in (f"{said}{f' ({owner})' if owner else ''}", why) if part)
