"""A sample on trial: what each expression of a mapping finds in it, and the events that follow. Needs no signature."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.adapters.expressions import is_true, pick
from cairn.adapters.sources import RULES, Sources
from cairn.adapters.sources.mapped import MappedSource
from cairn.application.events.accept_webhook import Fetch, Request, fetch_nothing
from cairn.domain.event import event_to_wire
from cairn.domain.shared.errors import CairnError

LONGEST = 200
"""Characters of a value on one line."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a mapping makes of one body."""

    lines: tuple[str, ...]
    """Each expression with its value, by its path in the mapping file."""
    events: tuple[Mapping[str, Any], ...]
    """As process_event gets them."""
    problems: tuple[str, ...]
    """Why a body, or a part of it, becomes no event."""


def try_sample(known: Sources, name: str, request: Request, now: datetime, fetch: Fetch = fetch_nothing) -> Trial:
    """With `fetch` for what the body only points to. Raises CairnError where the source has no mapping file."""
    source = known[name]
    if not isinstance(source, MappedSource):
        raise CairnError(f"{name} has no mapping file, so there is nothing to try")
    lines = [
        line
        for number, scope in _scopes(source, request, now, fetch)
        for line in _lines(source, request, number, scope)
    ]
    reading = source.read(request, now, fetch)
    problems = list(reading.problems)
    if reading.refused:
        problems.append(f"{reading.refused} of another account: `only` is not true for it")
    if not (reading.events or problems):
        problems.append("no event: no rule is for it and it has no type of its own, or it names no customer")
    return Trial(tuple(lines), tuple(_shown(event_to_wire(one)) for one in reading.events), tuple(problems))


def _scopes(
    source: MappedSource, request: Request, now: datetime, fetch: Fetch
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    scopes = list(source.scopes(request))
    if source.pointer:
        found = source.pointer.fetched(scopes, fetch, now)
        scopes = [{**scope, "fetched": one} for scope, one in zip(scopes, found, strict=True)]
    for number, scope in enumerate(scopes):
        yield (f"[{number}]." if len(scopes) > 1 else ""), scope


def _lines(source: MappedSource, request: Request, where: str, scope: Mapping[str, Any]) -> Iterator[str]:
    mapping = source.mapping
    hints = source.hints(request, scope)
    for table in ("each", "hints"):
        for name in mapping.get(table, {}):
            yield _line(f"{where}{table}.{name}", hints[name])
    if source.pointer:
        yield _line(f"{where}fetch", source.pointer.url_in(scope))
        yield _line(f"{where}fetched", scope["fetched"])
    for name in ("only", "account", "id", "occurred_at", "other"):
        if name in mapping:
            yield from _values(f"{where}{name}", mapping[name], hints if name == "only" else scope)
    for number, rule in enumerate(mapping.get(RULES, ())):
        path = f"{where}{RULES}[{number}]"
        fits = is_true(rule.get("hint", "`true`"), hints) and is_true(rule["when"], scope)
        if fits:
            yield f"{path} is the rule that counts: {rule.get('type') or rule.get('type_from') or 'it makes no event'}"
            for table in ("type_from", "id", "occurred_at", "customer", "properties", "attributes", "consent"):
                yield from _values(f"{path}.{table}", rule.get(table, {}), scope)
            break
    else:
        yield f"{where}{RULES}: no rule is for it"
    for table in ("customer", "attributes", "consent"):
        yield from _values(f"{where}{table}", mapping.get(table, {}), scope)


def _values(where: str, table: Any, scope: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(table, Mapping):
        for name, one in table.items():
            yield from _values(f"{where}.{name}", one, scope)
    elif isinstance(table, list | tuple):
        for number, one in enumerate(table):
            yield from _values(f"{where}[{number}]", one, scope)
    elif isinstance(table, str) and where.rpartition(".")[2] not in {"channel", "purpose"}:
        yield _line(where, pick(table, scope))


def _line(where: str, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"{where} = {text if len(text) <= LONGEST else text[:LONGEST] + '…'}"


def _shown(wire: Mapping[str, Any]) -> dict[str, Any]:
    hidden = {"settable", "backfill"}
    return {name: value for name, value in wire.items() if name not in hidden and value not in ({}, [], "")}
