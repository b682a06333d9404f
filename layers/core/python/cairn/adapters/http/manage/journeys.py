"""The route of journeys: what is deployed, and one journey as it is drawn."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from cairn.adapters.drawing.graph import Graph, graph_of
from cairn.adapters.drawing.svg import svg
from cairn.adapters.http.manage.documents import pause_of, switched
from cairn.domain.journey.moves import Moves
from cairn.domain.journey.steps.send import Send
from cairn.domain.shared.instants import duration_text, instant_to_wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cairn.application.operations.show_journeys import JourneyState, ShownJourney

Json = dict[str, Any]


def listed(states: "Sequence[JourneyState]", *, is_full: bool) -> Json:
    found = [_journey(one, graph_of(one.document)) for one in states]
    return {"journeys": found, "after": states[-1].journey.name if is_full and states else None}


def shown(one: "ShownJourney") -> Json:
    """`counts` are of this part of the index; the picture and the steps have those of the drawn version."""
    version = one.state.journey.version
    here: Counter[str] = Counter({step: count for (of, step), count in one.counts.items() if of == version})
    graph = graph_of(one.state.document)
    known = {node.id for node in graph.nodes}
    templates = {id_: step.template for id_, step in one.state.journey.steps.items() if isinstance(step, Send)}
    drawn = graph.counting({step: count for step, count in here.items() if step in known})
    moves = one.moves.of.get(version, Moves()) if one.moves else None
    if moves:
        drawn = drawn.flowing(moves.along)
    return {
        **_journey(one.state, graph),
        "versions": list(one.versions),
        "steps": [
            {
                "step": node.id,
                "kind": node.kind,
                "says": node.says,
                "template": templates.get(node.id),
                "standing": here[node.id],
                "ended": moves.ended.get(node.id, 0) if moves else None,
                "leads_to": [
                    {"step": edge.target, "when": edge.label, "went": edge.count}
                    for edge in drawn.edges
                    if edge.source == node.id
                ],
            }
            for node in graph.nodes
            if node.kind
        ],
        "flow": _flow(one, drawn),
        "svg": svg(drawn),
        "check": _check(one.checked),
        "counts": [{"version": of, "step": step, "count": count} for (of, step), count in one.counts.items()],
        "after": one.following,
    }


def _flow(one: "ShownJourney", drawn: Graph) -> Json | None:
    """The time that was counted, and the ways that no step leads to: into the first one."""
    if one.moves is None:
        return None
    entry = next(edge for edge in drawn.edges if edge.source == drawn.nodes[0].id)
    times = {"since": instant_to_wire(one.moves.since), "until": instant_to_wire(one.moves.until)}
    return {**times, "first": entry.target, "entered": entry.count}


CHECKED = (
    "paths",
    "messages",
    "marketing",
    "longest_seconds",
    "waits_for_dates",
    "reentry",
    "usd",
    "hints",
    "warnings",
)
OF_PREFLIGHT = ("samples", "variants", "warnings", "gate")


def _check(found: "Mapping[str, Any] | None") -> Json | None:
    if found is None:
        return None
    stamp = found["preflight"]
    passed = {name: stamp.get(name) for name in OF_PREFLIGHT} if stamp else None
    return {**{name: found[name] for name in CHECKED}, "preflight": passed}


def _journey(state: "JourneyState", graph: Graph) -> Json:
    journey, goal = state.journey, state.journey.goal
    sends = [step for step in journey.steps.values() if isinstance(step, Send)]
    return {
        "journey": journey.name,
        "version": journey.version,
        "deployed": state.is_deployed,
        "title": state.document.get("description", ""),
        "entry": graph.nodes[0].title,
        "goal": {"event": goal.match.event, "within": duration_text(goal.within)} if goal else None,
        "holdout": journey.holdout,
        "purposes": sorted({step.purpose.value for step in sends}),
        "channels": sorted({channel.value for step in sends for channel in step.channels}),
        "notes": list(graph.notes),
        "paused": pause_of(state.paused) if state.paused else None,
        "stopped": switched(state.stopped) if state.stopped else None,
    }
