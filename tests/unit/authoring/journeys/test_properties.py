"""Properties of the journey language, tested on generated journeys."""

import json
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.journeys import check, compile_catalogue, worst_case_messages
from authoring.journeys.catalogue import canonical_json
from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps import STEP_KINDS
from cairn.domain.journey.steps.branch import Branch
from cairn.domain.journey.steps.exit import Exit
from cairn.domain.journey.steps.send import Send
from cairn.domain.journey.steps.split import Split
from cairn.domain.journey.steps.wait_for import WaitFor

SEND = {"send": {"channel": "sms", "template": "hello", "purpose": "marketing"}}
LEAVES = st.sampled_from(
    [
        SEND,
        SEND,
        {"wait": "30m"},
        {"wait": {"at": "10:00", "day": 3, "if_past": "skip"}},
        {"wait": {"until": "data.visit_at", "offset": "-48h"}},
        {"task": {"queue": "sales", "title": "Call", "context": {"phone": "profile.phone"}}},
        {"update": {"set": {"stage": "trial"}}},
        {"set": {"coupon": "data.coupon"}},
        {"emit": {"event": "trial.converted", "properties": {"plan": "data.plan"}}},
    ],
)


def with_arms(steps: st.SearchStrategy[list[dict[str, Any]]]) -> st.SearchStrategy[dict[str, Any]]:
    waits = st.builds(
        lambda then, otherwise: {"wait_for": {"event": "a.b", "timeout": "2d", "then": then, "else": otherwise}},
        steps,
        steps,
    )
    branches = st.builds(
        lambda arms, last: {
            "branch": [*({"if": "data.x", "then": arm} for arm in arms), *({"else": one} for one in last)]
        },
        st.lists(steps, min_size=1, max_size=3),
        st.lists(steps, max_size=1),
    )
    several = st.builds(
        lambda arms, otherwise: {
            "wait_for": {
                "any": [{"event": f"a.b{number}", "then": arm} for number, arm in enumerate(arms)],
                "timeout": "2d",
                "else": otherwise,
            }
        },
        st.lists(steps, min_size=2, max_size=3),
        steps,
    )
    every = st.builds(
        lambda then, otherwise: {
            "wait_for": {"all": [{"event": "a.b"}, {"event": "a.c"}], "timeout": "2d", "then": then, "else": otherwise}
        },
        steps,
        steps,
    )
    splits = st.builds(
        lambda arms: {
            "split": {"arms": [{"arm": f"a{number}", "weight": 1, "then": arm} for number, arm in enumerate(arms)]}
        },
        st.lists(steps, min_size=2, max_size=3),
    )
    return waits | several | every | branches | splits


def ended(steps: list[dict[str, Any]], *, exits: bool) -> list[dict[str, Any]]:
    return [*steps, {"exit": "done"}] if exits else steps


STEPS = st.recursive(
    LEAVES, lambda inner: with_arms(st.builds(ended, st.lists(inner, max_size=3), exits=st.booleans())), max_leaves=12
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A journey of the right shape; each step has its own id."""
    numbers = count()

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(one) for one in value]
        if not isinstance(value, dict):
            return value
        inner = {key: named(one) for key, one in value.items()}
        is_step = len(value) == 1 and value.keys() & set(STEP_KINDS) and value != {"set": {"stage": "trial"}}
        return {"id": f"s{next(numbers)}", **inner} if is_step else inner

    steps = [{**SEND}, *draw(st.lists(STEPS, max_size=5))]
    return {"journey": "made", "entry": {"event": "trial.signup"}, "steps": named(steps)}


def checked(document: Any) -> list[str]:
    with tempfile.TemporaryDirectory() as root:
        write(Path(root), json.dumps(document, indent=1))
        return [str(problem) for problem in check(Path(root))]


def write(root: Path, text: str) -> None:
    folder = root / "made"
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    (folder / "journey.yaml").write_text(text, encoding="utf-8")
    (folder / "templates/hello.sms.txt").write_text("Hello", encoding="utf-8")


def path_counts(journey: Journey, step_id: str | None) -> list[int]:
    """The number of messages on each path from a step, counted path by path."""
    if step_id is None:
        return [0]
    match journey.steps[step_id]:
        case Exit():
            return [0]
        case WaitFor() as step:
            return [n for target in (*step.targets, step.timed_out) for n in path_counts(journey, target)]
        case Branch() as step:
            return [
                n for target in [arm[1] for arm in step.arms] + [step.otherwise] for n in path_counts(journey, target)
            ]
        case Split() as step:
            return [n for arm in step.arms for n in path_counts(journey, arm.target)]
        case step:
            return [n + isinstance(step, Send) for n in path_counts(journey, step.next)]


@given(documents())
def test_a_journey_has_problems_only_at_steps_that_no_path_leads_to(document: dict[str, Any]) -> None:
    journey = journey_from_document(document, "v")
    reached: set[str] = set()
    ahead = [journey.start]
    while ahead:
        this = ahead.pop()
        if this is None or this in reached:
            continue
        reached.add(this)
        match journey.steps[this]:
            case WaitFor() as step:
                ahead += [*step.targets, step.timed_out]
            case Branch() as step:
                ahead += [*(target for _, target in step.arms), step.otherwise]
            case Split() as step:
                ahead += [arm.target for arm in step.arms]
            case Exit():
                pass
            case step:
                ahead.append(step.next)

    found = checked(document)

    assert all("no way leads here" in one for one in found)
    assert bool(found) == (reached != set(journey.steps))


@given(documents())
def test_the_worst_case_is_the_maximum_over_all_paths(document: dict[str, Any]) -> None:
    journey = journey_from_document(document, "v")

    assert worst_case_messages(document) == max(path_counts(journey, journey.start))


def paths(value: Any, so_far: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [so_far] + [path for key, one in inner for path in paths(one, (*so_far, key))]


@given(documents(), st.data())
def test_any_value_in_one_key_is_reported_and_not_raised(document: dict[str, Any], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(paths(document)[1:]))
    parent = document
    for part in path[:-1]:
        parent = parent[part]  # type: ignore[index]
    anything: st.SearchStrategy[Any] = (
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}) | st.just([{}])
    )
    parent[path[-1]] = data.draw(anything)  # type: ignore[index]

    found = checked(document)

    if not found:
        journey_from_document(document, "v")


@given(st.text(max_size=60))
def test_any_content_of_a_file_is_reported_and_not_raised(text: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        write(Path(root), text.encode("utf-8", "ignore").decode())

        found = check(Path(root))

    assert found
    assert all(1 <= problem.line <= text.count("\n") + text.count("\r") + 3 for problem in found)


@given(st.text(max_size=60))
def test_any_content_of_a_template_is_reported_and_not_raised(text: str) -> None:
    with tempfile.TemporaryDirectory() as root:
        document = {"journey": "made", "entry": {"event": "a.b"}, "steps": [{"id": "a", **SEND}]}
        write(Path(root), json.dumps(document))
        (Path(root) / "made/templates/hello.sms.txt").write_text(
            text.encode("utf-8", "ignore").decode(), encoding="utf-8"
        )

        check(Path(root))


@given(documents(), st.randoms(use_true_random=False))
def test_a_version_does_not_depend_on_the_order_of_keys(document: dict[str, Any], random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, list):
            return [shuffled(one) for one in value]
        if not isinstance(value, dict):
            return value
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key]) for key in keys}

    assert canonical_json(shuffled(document)) == canonical_json(document)


def test_a_checked_journey_goes_all_the_way_to_the_engine(tmp_path: Path) -> None:
    document = {"journey": "made", "entry": {"event": "a.b"}, "steps": [{"id": "a", **SEND}]}
    write(tmp_path, json.dumps(document))

    (compiled,) = compile_catalogue(tmp_path)

    assert journey_from_document(compiled["document"], compiled["version"]).start == "a"
    with pytest.raises(KeyError):
        journey_from_document({"journey": "made"}, "v")
