"""policy.toml and law.toml: checked together, and compiled to the one document that the functions read."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from authoring.policy.models import Law, Policy, Table
from authoring.policy.shape import shape_problems
from authoring.policy.source import Source, read_toml
from authoring.preflight.texts import prices as prices_of_texts
from authoring.prices import EMAIL, PUSH, WHATSAPP
from authoring.problems import InvalidFilesError, Loc, Problem, ProblemOfStep, did_you_mean, no_step

OWN = "policy.toml"
"""The source of the business's own rules."""

SHARED = ("hours", "closed", "forbidden")
"""Tables that both files have; the rows of both apply."""

WITH_SOURCE = (*SHARED, "registration")

Finding = tuple[Source, Loc, str, str]
Row = Mapping[str, Any]


class InvalidPolicyError(InvalidFilesError):
    """A policy cannot be compiled, or the law that it is checked with."""


def check_policy(
    policy: Path, law: Path, journeys: Iterable[Row] | None = None, at: ProblemOfStep = no_step
) -> list[Problem]:
    """Every problem of both files, in order. The policy may name only these compiled `journeys`.

    `at` says where a step of theirs is written.
    """
    try:
        compile_policy(policy, law, journeys, at)
    except InvalidPolicyError as error:
        return list(error.problems)
    return []


def check_endpoints(policy: Path, journeys: Iterable[Row], at: ProblemOfStep = no_step) -> list[Problem]:
    """The endpoints to which these compiled journeys post and that a policy without problems of its own has not."""
    own, problems = _read(policy, Policy)
    if own is None or problems:
        return []
    return list(_unknown_endpoints(own, journeys, at))


def write_policy(policy: Path, law: Path, target: Path, journeys: Iterable[Row] | None = None) -> None:
    """Compile to a JSON file that the functions read. Raises InvalidPolicyError, and then writes nothing."""
    document = compile_policy(policy, law, journeys)
    target.write_text(json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def compile_policy(
    policy: Path, law: Path, journeys: Iterable[Row] | None = None, at: ProblemOfStep = no_step
) -> dict[str, Any]:
    """The document of `cairn.adapters.documents.policy`. Raises InvalidPolicyError with all problems of both files."""
    (own, problems), (legal, legal_problems) = _read(policy, Policy), _read(law, Law)
    problems = [*problems, *legal_problems]
    if own is not None and legal is not None:
        problems += [source.problem(loc, message, fix) for source, loc, message, fix in _findings(own, legal, journeys)]
        problems += _unknown_endpoints(own, journeys or (), at)
    if own is None or legal is None or problems:
        raise InvalidPolicyError(set(problems))
    document: dict[str, Any] = {**legal.data, **own.data}
    for table in SHARED:
        document[table] = [row for _, _, row in _rows(legal, own, table)]
    document["answers"] = _filled(own.data)
    document["prices"] = _prices(own.data)
    return document


def _prices(own: Mapping[str, Any]) -> dict[str, Any]:
    """In USD: what `cairn measure` counts messages and work by."""
    each = {"email": EMAIL.of(1), "push": PUSH.of(1), "whatsapp": WHATSAPP.of(1), "sms": dict(prices_of_texts())}
    return {**each, "minute": own.get("prices", {}).get("minute_of_work", 0.0)}


def _read(file: Path, model: type[Table]) -> tuple[Source | None, list[Problem]]:
    source = read_toml(file)
    if isinstance(source, Problem):
        return None, [source]
    problems, broken = shape_problems(source, model)
    return replace(source, broken=broken), problems


def _findings(policy: Source, law: Source, journeys: Iterable[Row] | None) -> Iterator[Finding]:
    yield from _unsourced(law)
    yield from _unknown_regions(policy, law)
    yield from _at_odds(policy, law)
    for table, keys in (("subscribers", ("name",)), ("rates", ("channel", "country"))):
        yield from _twice(policy, table, keys)
    if journeys is not None:
        yield from _unknown_names(policy, list(journeys))


def _unsourced(law: Source) -> Iterator[Finding]:
    for table in WITH_SOURCE:
        for loc, row in law.rows(table):
            if not row.get("source"):
                yield law, loc, "a rule of law says where it stands written", "Add source."


def _unknown_regions(policy: Source, law: Source) -> Iterator[Finding]:
    if any(loc[:1] == ("regions",) for loc in law.broken):
        return
    regions = law.data.get("regions", {})
    for table in ("hours", "closed"):
        for source, loc, row in _rows(law, policy, table):
            country, _, region = row["jurisdiction"].partition("-")
            if region and region not in regions.get(country, ()):
                fix = f"Add it to regions.{country} in {law.file}, or correct it."
                yield source, (*loc, "jurisdiction"), f"{country} has no region {region}", fix


def _at_odds(policy: Source, law: Source) -> Iterator[Finding]:
    """Rules of one jurisdiction and source complement each other; two for the same hours are a mistake."""
    for (_, _, one), (source, loc, other) in combinations(_rows(law, policy, "hours"), 2):
        if (one["jurisdiction"], one["source"]) != (other["jurisdiction"], other["source"]):
            continue
        if one.get("clock") != other.get("clock"):
            yield source, loc, "two rules of one jurisdiction and source go by different clocks", "Give both the same."
        alike = all(_meet(one, other, key) for key in ("channels", "purposes", "days"))
        if alike and one["from"] < _end(other) and other["from"] < _end(one):
            fix = "Either hour would do; name other channels, purposes or days, or give one a source of its own."
            yield source, loc, "another rule of this jurisdiction and source has the same hours", fix


def _meet(one: Row, other: Row, key: str) -> bool:
    """Whether two rules overlap in a key. A rule without the key covers all of it, or the default."""
    default = ["marketing"] if key == "purposes" else None
    mine, theirs = one.get(key, default), other.get(key, default)
    return mine is None or theirs is None or bool(set(mine) & set(theirs))


def _end(row: Row) -> str:
    return "24:00" if row["to"] == "00:00" else str(row["to"])


def _twice(policy: Source, table: str, keys: tuple[str, ...]) -> Iterator[Finding]:
    seen = set()
    for loc, row in policy.rows(table):
        this = tuple(row.get(key, "") for key in keys)
        if this in seen:
            yield policy, loc, f"{' '.join(filter(None, this))} is there already", "Keep one of them."
        seen.add(this)


def _unknown_names(policy: Source, journeys: list[Row]) -> Iterator[Finding]:
    """With a misspelt name, a sensitive message would go out without approval, and nobody would notice."""
    sends = [
        (one["journey"], step["id"], step["send"]) for one in journeys for step in steps_of(one["document"], "send")
    ]
    known = {
        "steps": {f"{journey}/{step}" for journey, step, _ in sends},
        "templates": {f"{journey}/{send['template']}" for journey, _, send in sends},
    }
    for loc, row in policy.rows("reviews"):
        for kind, names in known.items():
            for index, name in enumerate(row.get(kind, ())):
                if name not in names:
                    message = f"no journey sends a {kind.removesuffix('s')} {name}"
                    yield policy, (*loc, kind, index), message, "Correct the name, or remove it."
    names = {one["journey"] for one in journeys}
    for loc, row in policy.rows("caps"):
        if row.get("journey", "") not in {"", *names}:
            yield policy, (*loc, "journey"), f"there is no journey {row['journey']}", "Correct the name."


def _unknown_endpoints(policy: Source, journeys: Iterable[Row], at: ProblemOfStep) -> Iterator[Problem]:
    """A journey would post to an endpoint that is not there."""
    endpoints = sorted(row["name"] for _, row in policy.rows("subscribers"))
    for one in journeys:
        for step in steps_of(one["document"], "webhook"):
            name = str(step["webhook"].get("endpoint"))
            if name not in endpoints:
                message = f'{policy.file.name} has no subscriber "{name}"'
                fix = did_you_mean(name, endpoints, f'Add [[subscribers]] with name = "{name}".')
                found = at(one["journey"], step["id"], ("webhook", "endpoint"), message, fix)
                message = f'{one["journey"]}/{step["id"]} posts to "{name}", and there is no such subscriber'
                yield found or policy.problem(("subscribers",), message, fix)


def channels_of(journeys: Iterable[Row]) -> set[str]:
    """The channels on which compiled journeys send."""
    named = [step["send"]["channel"] for journey in journeys for step in steps_of(journey["document"], "send")]
    return {channel for one in named for channel in ([one] if isinstance(one, str) else one)}


def steps_of(value: Any, kind: str) -> Iterator[Row]:
    """Every step of a kind, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get(kind), Mapping) and "id" in value:
            yield value
        for inner in value.values():
            yield from steps_of(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from steps_of(inner, kind)


def _rows(law: Source, policy: Source, table: str) -> Iterator[tuple[Source, Loc, Row]]:
    """The rows of both files, each with its source."""
    for source in (law, policy):
        for loc, row in source.rows(table):
            yield source, loc, {"source": OWN, **row}


def _filled(policy: Row) -> dict[str, dict[str, str]]:
    """The answers, ready to send."""
    names = {"{brand}": policy["brand"], "{contact}": policy["contact"]}
    filled: dict[str, dict[str, str]] = {}
    for language, answers in policy["answers"].items():
        for intent, text in answers.items():
            for name, value in names.items():
                text = text.replace(name, value)  # noqa: PLW2901  once for each name
            filled.setdefault(language, {})[intent] = text
    return filled
