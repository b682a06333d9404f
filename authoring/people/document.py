"""people.toml: checked, and compiled to the one document that the functions read."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from authoring.journeys.calendars import CalendarFile, read_calendars
from authoring.journeys.catalogue import SCRIPTS
from authoring.journeys.events import Declarations
from authoring.journeys.source import read_yaml
from authoring.people.shape import shape_problems
from authoring.policy.document import steps_of
from authoring.policy.source import Source, read_toml
from authoring.problems import InvalidFilesError, Loc, Problem, ProblemOfStep, did_you_mean, no_step
from cairn.adapters.documents.people import people_from_document
from cairn.domain.people.life import DONE
from cairn.domain.people.members import People
from cairn.domain.people.routing import first_at_work
from cairn.domain.shared.instants import at_local, duration, instant_to_wire

FILE = "people.toml"
Finding = tuple[Loc, str, str]
Row = Mapping[str, Any]

BEFORE_ALL_HOLIDAYS = datetime(1990, 1, 1, tzinfo=UTC)
WEEKS = timedelta(weeks=2)
"""Hours are those of a week; so much of it shows in any zone whether two ever meet."""

CHAINS = (("fallback", "branches"), ("escalate_to",))
"""Keys of a queue by which a task goes to another queue, one after the other."""

WITHOUT_PEOPLE = frozenset({"privacy", "operations"})
"""Queues of Cairn's own, which need no members."""


class InvalidPeopleError(InvalidFilesError):
    """people.toml cannot be compiled."""


def people_beside(policy: Path) -> Path:
    """The people of a deployment: beside its policy, whatever that is called."""
    return policy.with_name(FILE)


def check_people(  # noqa: PLR0913, PLR0917  the files that must fit together
    file: Path,
    journeys: Path,
    compiled: Iterable[Row] | None = None,
    policy: Path | None = None,
    declared: Declarations | None = None,
    at: ProblemOfStep = no_step,
) -> list[Problem]:
    """Every problem, in order. Without a file there is nobody, and the outcomes of tasks are only `done`.

    The `compiled` journeys and the policy may name only queues of the file, and the file only endpoints of the policy
    and events that are `declared`. `at` says where a step is written.
    """
    if not file.is_file():
        return sorted(_without_people(compiled or (), at))
    try:
        compile_people(file, journeys, compiled, policy, declared, at)
    except InvalidPeopleError as error:
        return list(error.problems)
    return []


def write_people(
    file: Path, journeys: Path, target: Path, compiled: Iterable[Row] | None = None, policy: Path | None = None
) -> None:
    """Compile to a JSON file that the functions read. Raises InvalidPeopleError, and then writes nothing."""
    document = compile_people(file, journeys, compiled, policy)
    target.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")


def compile_people(  # noqa: PLR0913, PLR0917  as `check_people`
    file: Path,
    journeys: Path,
    compiled: Iterable[Row] | None = None,
    policy: Path | None = None,
    declared: Declarations | None = None,
    at: ProblemOfStep = no_step,
) -> dict[str, Any]:
    """The document of `cairn.adapters.documents.people`. Raises InvalidPeopleError with all problems.

    `journeys` is the folder whose _calendars.yaml may be named. Without a file there is nobody.
    """
    if not file.is_file():
        return {}
    source = read_toml(file)
    if isinstance(source, Problem):
        raise InvalidPeopleError([source])
    problems, broken = shape_problems(source)
    source = replace(source, broken=broken)
    calendars = _calendars(source, journeys)
    found = [
        *_unknown_names(source, calendars),
        *_circles(source),
        *_times(source),
        *_at_odds(source, policy),
        *_undeclared(source, declared),
    ]
    problems += [source.problem(*one) for one in found]
    for row in compiled or ():
        problems += _of_journey(source, row, at)
        problems += _of_scripts(source, row, journeys / SCRIPTS)
    if problems:
        raise InvalidPeopleError(set(problems))
    document = _document(source.data, calendars)
    if nobody := [source.problem(*one) for one in _never_worked(people_from_document(document))]:
        raise InvalidPeopleError(nobody)
    return document


def _entries(source: Source, table: str) -> Iterator[tuple[str, Row]]:
    """The entries of a table that are as their model says."""
    if (table,) not in source.broken:
        for name, entry in source.data.get(table, {}).items():
            if (table, name) not in source.broken:
                yield name, entry


def _calendars(source: Source, journeys: Path) -> dict[str, Row]:
    own = {name: CalendarFile.model_validate(entry).compiled() for name, entry in _entries(source, "calendars")}
    return {**read_calendars(journeys).compiled, **own}


def _unknown_names(source: Source, calendars: Mapping[str, Row]) -> Iterator[Finding]:
    """Names of the file that lead nowhere, with the near one."""
    known: dict[str, Sequence[str]] = {
        "queue": list(source.data.get("queues", {})),
        "member": list(source.data.get("members", {})),
        "calendar": [*calendars, *source.data.get("calendars", {})],
    }
    for loc, kind, name in _references(source):
        if name not in known[kind]:
            otherwise = f"Known are {', '.join(known[kind])}." if known[kind] else f"Write it: [{kind}s.{name}]."
            yield loc, f'there is no {kind} "{name}"', did_you_mean(name, known[kind], otherwise)
    for queue, entry in _entries(source, "queues"):
        calendar = calendars.get(entry.get("calendar", ""))
        if calendar is not None and not calendar.get("zone"):
            message = f'the calendar "{entry["calendar"]}" is in the zone of each customer, and a team is in one'
            yield ("queues", queue, "calendar"), message, "Give the calendar a time_zone, or name another one."


def _references(source: Source) -> Iterator[tuple[Loc, str, str]]:
    """Each name, with its path and what it is the name of."""
    for name, entry in _entries(source, "queues"):
        here = ("queues", name)
        yield from (((*here, key), kind, entry[key]) for key, kind in OF_QUEUES.items() if key in entry)
        yield from (((*here, "branches", index), "queue", one) for index, one in enumerate(entry.get("branches", ())))
    for name, entry in _entries(source, "members"):
        here = ("members", name)
        yield from (((*here, key), kind, entry[key]) for key, kind in OF_MEMBERS.items() if key in entry)
        yield from (((*here, "queues", index), "queue", one) for index, one in enumerate(entry["queues"]))


OF_QUEUES = {"calendar": "calendar", "fallback": "queue", "escalate_to": "queue"}
OF_MEMBERS = {"calendar": "calendar", "manager": "member"}


def _circles(source: Source) -> Iterator[Finding]:
    """A task would be passed on for ever."""
    queues, members = dict(_entries(source, "queues")), dict(_entries(source, "members"))
    for keys in CHAINS:
        ways = {name: [(key, one) for key in keys for one in _listed(entry.get(key))] for name, entry in queues.items()}
        for name, way, key in _circling(ways):
            yield ("queues", name, key), f"a task would come back here: {' → '.join(way)}", "Leave one of them out."
    managers = {name: [("manager", one) for one in _listed(entry.get("manager"))] for name, entry in members.items()}
    for name, way, key in _circling(managers):
        yield ("members", name, key), f"nobody is above the others: {' → '.join(way)}", "Leave one of them out."


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _circling(ways: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[tuple[str, list[str], str]]:
    """Each circle once: where it begins, its way, and the key by which it goes on from there."""
    done: set[str] = set()

    def search(name: str, way: list[str]) -> Iterator[tuple[str, list[str], str]]:
        for key, following in ways.get(name, ()):
            if following in way:
                circle = way[way.index(following) :]
                yield circle[-1], [*circle, following], key
            elif following not in done:
                yield from search(following, [*way, following])
        done.add(name)

    for name in ways:
        if name not in done:
            yield from search(name, [name])


def _times(source: Source) -> Iterator[Finding]:
    for name, entry in _entries(source, "queues"):
        if "remind" in entry and duration(entry["remind"]) >= duration(entry.get("due", "24h")):
            message = "the reminder would come before the task"
            yield ("queues", name, "remind"), message, "Write less than `due`: it counts back from there."


def _undeclared(source: Source, declared: Declarations | None) -> Iterator[Finding]:
    """Events of outcomes that nothing declares, where that is a mistake."""
    for queue, entry in _entries(source, "queues"):
        for name, outcome in entry.get("outcomes", {}).items():
            problem = declared.type_problem(outcome.get("event")) if declared is not None else None
            if problem is not None:
                yield ("queues", queue, "outcomes", name, "event"), *problem


def _at_odds(source: Source, policy: Path | None) -> Iterator[Finding]:
    """Where the policy and this file do not fit together."""
    rules = read_toml(policy) if policy is not None else None
    data: Row = rules.data if isinstance(rules, Source) else {}
    queues = list(source.data.get("queues", {}))
    named = {
        f"reviews[{index}] of {policy.name if policy else ''} opens a task": row.get("queue", "")
        for index, row in enumerate(data.get("reviews", ()))
        if isinstance(row, Mapping)
    }
    for what, queue in named.items():
        if queue not in queues and queue not in WITHOUT_PEOPLE:
            message = f'{what} in the queue "{queue}", and there is no such queue'
            yield ("queues",), message, did_you_mean(queue, queues, f"Add [queues.{queue}].")
    if isinstance(rules, Source):
        endpoints = [str(row.get("name", "")) for row in data.get("subscribers", ()) if isinstance(row, Mapping)]
        for name, entry in _entries(source, "members"):
            if "webhook" in entry and entry["webhook"] not in endpoints:
                fix = did_you_mean(entry["webhook"], endpoints, f"Add [[subscribers]] to {rules.file.name}.")
                yield ("members", name, "webhook"), f'there is no subscriber "{entry["webhook"]}"', fix


def _of_journey(source: Source, one: Row, at: ProblemOfStep) -> Iterator[Problem]:
    """Queues that the steps of a journey name, and outcomes that they wait for, and that are not there.

    A task keeps the outcomes of the queue that its step names, wherever it lies: any other can never come.
    """
    queues = source.data.get("queues", {})
    for step in steps_of(one["document"], "task"):
        queue, named = step["task"].get("queue", ""), (one["journey"], step["id"])
        if queue not in queues and queue not in WITHOUT_PEOPLE:
            message = f'{FILE} has no queue "{queue}"'
            fix = did_you_mean(queue, queues, f"Add [queues.{queue}] to {source.file}.")
            yield _at_step(source, ("queues",), at, named, ("task", "queue"), message, fix)
            continue
        outcomes = _outcomes_of(queues.get(queue, {}))
        for name in step["task"].get("then", {}):
            if name not in outcomes:
                message = f'the outcome "{name}" can never come: the queue {queue} has none of this name'
                fix = did_you_mean(name, outcomes, f"Add [queues.{queue}.outcomes.{name}] to {source.file}.")
                yield _at_step(source, ("queues", queue), at, named, ("task", "then", name), message, fix)


def _at_step(  # noqa: PLR0913, PLR0917  where it is written, and what is wrong
    source: Source, here: Loc, at: ProblemOfStep, named: tuple[str, str], field: Loc, message: str, fix: str
) -> Problem:
    """A problem of a step at its line in the journey; where that is not known, here."""
    return at(*named, field, message, fix) or source.problem(here, f"{'/'.join(named)}: {message}", fix)


def _outcomes_of(queue: Row) -> list[str]:
    return list(queue.get("outcomes", {})) or [DONE.name]


def _of_scripts(source: Source, one: Row, scripts: Path) -> Iterator[Problem]:
    """Ends of call scripts with an outcome that the queue of the task does not have."""
    for step in steps_of(one["document"], "task"):
        queue, file = step["task"].get("queue", ""), scripts / f"{step['task'].get('script', '')}.yaml"
        if queue not in source.data.get("queues", {}) or not file.is_file():
            continue
        outcomes = _outcomes_of(source.data["queues"][queue])
        script = read_yaml(file.read_text(encoding="utf-8"), file)
        lines = script.data.get("lines") if isinstance(script.data, Mapping) else None
        for index, line in enumerate(lines if isinstance(lines, list) else ()):
            end = line.get("end") if isinstance(line, Mapping) else None
            if isinstance(end, str) and end not in outcomes:
                message = (
                    f'{one["journey"]}/{step["id"]} reads this script in the queue {queue}, without an outcome "{end}"'
                )
                fix = did_you_mean(end, outcomes, f"Add [queues.{queue}.outcomes.{end}] to {source.file}.")
                yield script.problem(("lines", index, "end"), message, fix)


def _without_people(compiled: Iterable[Row], at: ProblemOfStep) -> Iterator[Problem]:
    """Outcomes that journeys wait for, and that no queue has."""
    for one in compiled:
        for step in steps_of(one["document"], "task"):
            for name in step["task"].get("then", {}):
                message = f'the outcome "{name}" can never come: without {FILE} a task has the one outcome {DONE.name}'
                fix = f"Write {FILE} beside the policy, with [queues.{step['task'].get('queue')}.outcomes.{name}]."
                found = at(one["journey"], step["id"], ("task", "then", name), message, fix)
                yield from [found] if found is not None and name != DONE.name else []


def _never_worked(people: People) -> Iterator[Finding]:
    """Queues whose tasks would wait for ever, absences and holidays left aside."""
    for name, queue in people.queues.items():
        if not queue.members:
            if not queue.fallback and not queue.branches:
                fix = f'Write queues = ["{name}"] with a member, or give the queue a fallback.'
                yield ("queues", name), "nobody works in this queue", fix
            continue
        members = [replace(people.members[one], absences=()) for one in queue.members]
        until = BEFORE_ALL_HOLIDAYS + WEEKS
        if all(first_at_work(one, queue, BEFORE_ALL_HOLIDAYS, until) is None for one in members):
            message = f"the hours of {', '.join(sorted(queue.members))} are never those of its calendar"
            yield ("queues", name, "calendar"), message, "Change the hours of one of them, or name another calendar."


def _document(data: Row, calendars: Mapping[str, Row]) -> dict[str, Any]:
    members = data.get("members", {})
    queues = {
        name: {
            **entry,
            "members": {id_: one.get("weight", 1) for id_, one in members.items() if name in one["queues"]},
        }
        for name, entry in data.get("queues", {}).items()
    }
    wanted = {entry["calendar"] for entry in (*queues.values(), *members.values()) if "calendar" in entry}
    return {
        "deal_keys": list(data.get("deal_keys", ())),
        "calendars": {name: calendars[name] for name in sorted(wanted)},
        "queues": queues,
        "members": {name: _member(entry, queues, calendars) for name, entry in members.items()},
    }


def _member(entry: Row, queues: Mapping[str, Row], calendars: Mapping[str, Row]) -> dict[str, Any]:
    named = (queues[one].get("calendar", "") for one in entry["queues"])
    zones = [calendars[one]["zone"] for one in named if one]
    zone = entry.get("zone") or next(iter(zones), "")
    compiled = {**entry, "zone": zone}
    if "hours" in entry:
        compiled["hours"] = CalendarFile.model_validate({"hours": entry["hours"]}).compiled()["hours"]
    compiled["absences"] = [_absence(one, ZoneInfo(zone or "UTC")) for one in entry.get("absences", ())]
    return compiled


def _absence(row: Row, zone: ZoneInfo) -> list[str]:
    """From the first moment of its first day to the last one of its last."""
    first, last = (date.fromisoformat(row[key]) for key in ("from", "to"))
    return [instant_to_wire(at_local(day, time(), zone)) for day in (first, last + timedelta(days=1))]
