"""The log counts what the table says (tests/stories/test_every_scenario.py); facts that come twice count once.

Each figure of `cairn measure` and `cairn report` follows from these lines.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from authoring.drawing.counts import counts_of
from authoring.stories import load
from cairn.adapters.athena.queries import names, sql_of
from cairn.adapters.documents.catalogue import Catalogue
from cairn.adapters.drawing.graph import END, graph_of
from cairn.application.operations.count_moves import CountMoves
from cairn.domain.journey.moves import Moves
from cairn.domain.measurement.facts import COLUMNS, KINDS
from infra.local.facts_in_duckdb import DuckFacts
from infra.local.scenario import ScenarioResult, deployed, run_scenario
from infra.local.signing import local_secrets

Json = dict[str, Any]

SCENARIOS = sorted((Path(__file__).parents[2] / "events" / "scenarios").glob("*.yaml"))

OF_MESSAGES = frozenset({"message", "deferred", "suppressed", "failed", "undecided"})
OF_RECORDS = frozenset({"event", "consent", "task"}) | OF_MESSAGES
"""Kinds of the timeline that are no decisions of journeys."""

LONGEST_WINDOW = 30 * 86_400_000


def parameters_of(query: str, lines: Sequence[Json]) -> list[str | int]:
    """By the types of `asked`: a journey, and times that include everything."""
    types = re.findall(r"CAST\(\? AS (\w+)\)", sql_of(query))
    journey = next((one["journey"] for one in lines if one.get("journey")), "")
    times = iter([0, max(one["at_ms"] for one in lines) + LONGEST_WINDOW, LONGEST_WINDOW])
    return [journey if one == "VARCHAR" else next(times) for one in types]


def answers(lines: Sequence[Json]) -> dict[str, list[Any]]:
    log = DuckFacts(lines)
    return {query: log.ask([(query, parameters_of(query, lines))])[0] for query in names()}


def compared_with_the_table(result: ScenarioResult, facts: Sequence[Json], personal: Collection[str]) -> None:
    """The log counts what the timeline says, and names nobody."""
    timeline = result.lines
    present = {line["customer_id"] for line in timeline} | {one["other"] for one in facts if "other" in one}
    facts = [one for one in facts if one.get("customer", "") in present or one["kind"] == "unmatched"]

    decided = Counter((line["kind"], line.get("journey", "")) for line in timeline if line["kind"] not in OF_RECORDS)
    logged = Counter(
        (one.get("change") or one["kind"], one.get("journey", ""))
        for one in facts
        if one["kind"] == "other" or ("message" not in one and one["kind"] not in {*OF_RECORDS, *NO_DECISIONS})
    )
    assert logged == decided
    assert sum(one["kind"] == "event" for one in facts) == sum(line["kind"] == "event" for line in timeline)
    statements = sum(one["kind"] in {"consent", "suppression"} for one in facts)
    assert statements == sum(line["kind"] == "consent" for line in timeline)
    changes = Counter(entry["what"] for line in timeline if line["kind"] == "task" for entry in line.get("history", ()))
    assert changes <= Counter(one["change"] for one in facts if one["kind"] == "task")
    statuses = {(one["message"], one["kind"]) for one in facts if "message" in one}
    ended = {(line["message_id"], line["status"]) for line in timeline if line["kind"] in OF_MESSAGES - {"deferred"}}
    assert ended <= statuses
    sent = {line["message_id"] for line in timeline if line["kind"] == "deferred"}
    assert sent == {message for message, kind in statuses if kind == "deferred"}

    assert all(one.keys() <= COLUMNS.keys() and one["kind"] in KINDS for one in facts)
    said = {str(value) for one in facts for value in one.values()}
    assert not said & set(personal)


def the_flow_adds_up(catalogue: Path, lines: Sequence[Json], facts: Sequence[Json]) -> int:
    """Each that came into a step has left it, stands there, or has ended there; how many moves were counted."""
    present, moved = {line["customer_id"] for line in lines}, 0
    log = DuckFacts(one for one in facts if one.get("customer", "") in present)
    journeys = Catalogue(catalogue)
    for name in sorted({line["journey"] for line in lines if line["kind"] == "entered"} & set(journeys.names())):
        version = journeys.deployed(name) or ""
        counted = CountMoves(log)(name, 3650, NOW).of
        moves = counted.get(version, Moves())
        standing = counts_of(lines, name)
        graph = graph_of(journeys.document(name, version)).flowing(moves.along)
        entered = {line["enrollment"] for line in lines if (line["kind"], line.get("journey")) == ("entered", name)}
        assert sum(edge.count or 0 for edge in graph.edges if edge.source == graph.nodes[0].id) == len(entered)
        for node in graph.nodes[1:]:
            into = sum(edge.count or 0 for edge in graph.edges if edge.target == node.id)
            out = sum(edge.count or 0 for edge in graph.edges if edge.source == node.id)
            moved += into
            if node.id != END:
                assert into - out == standing.get(node.id, 0) + moves.ended.get(node.id, 0), (name, node.id)
    return moved


NOW = datetime(2030, 1, 1, tzinfo=UTC)
"""After all scenarios."""

NO_DECISIONS = frozenset({"suppression", "unmatched"})


@pytest.mark.parametrize("path", SCENARIOS[::7], ids=lambda path: path.stem)
def test_facts_that_come_twice_and_in_another_order_count_once(path: Path) -> None:
    scenario, secrets = load(path), local_secrets({})
    with deployed(path, scenario, secrets) as deployment:
        run_scenario(path, scenario, deployment, secrets)
        facts = deployment.facts()
    again = [*facts, *facts[::2], *facts[::3]]
    Random(path.stem).shuffle(again)  # noqa: S311  any order will do

    assert answers(again) == answers(facts)


def test_a_line_is_json_that_athena_reads(tmp_path: Path) -> None:
    """A file of the log, as Firehose writes it, is read with the types of the table."""
    lines = [{"id": "a", "at_ms": 1, "kind": "entered", "journey": "one's"}, {"id": "b", "at_ms": 2, "kind": "event"}]
    (tmp_path / "day=2026-03-02").mkdir()
    (tmp_path / "day=2026-03-02" / "part.json").write_text("".join(json.dumps(one) + "\n" for one in lines))

    assert DuckFacts(folder=tmp_path).ask([("kinds", [0, 5])]) == [
        [{"kind": "entered", "facts": 1}, {"kind": "event", "facts": 1}]
    ]
