"""Journeys that start one another by what they emit come to an end."""

import json
from pathlib import Path
from typing import Any

import pytest

from authoring.journeys import check


def checked(root: Path, *journeys: tuple[str, dict[str, Any], str]) -> list[str]:
    """Each journey by its name, its entry, and the type that it emits."""
    for name, entry, emits in journeys:
        (root / name).mkdir()
        steps = [{"id": "a", "wait": "1d"}, {"id": "tell", "emit": {"event": emits}}]
        document = {"journey": name, "entry": entry, "steps": steps}
        (root / name / "journey.yaml").write_text(json.dumps(document, indent=1), encoding="utf-8")
    return [str(problem).removeprefix(f"{root}/") for problem in check(root)]


AGAIN = {"again": "when-ended"}


@pytest.mark.parametrize(
    "entry",
    [
        {"event": "b.done", **AGAIN},
        {"event": "b.done", "key": "event.id"},
        {"any": [{"event": "x.y"}, {"event": "b.done"}], **AGAIN},
    ],
)
def test_a_circle_is_a_problem_of_each_step_in_it(tmp_path: Path, entry: dict[str, Any]) -> None:
    found = checked(
        tmp_path, ("one", entry, "a.done"), ("two", {"event": "a.done", **AGAIN}, "b.done"), ("end", entry, "c.done")
    )

    assert [one.partition("/")[0] for one in found] == ["one", "two"]
    assert all(": step tell, emit.event: " in one and "starts this journey again" in one for one in found)


def test_a_journey_that_starts_itself_is_a_circle(tmp_path: Path) -> None:
    assert len(checked(tmp_path, ("one", {"event": "a.done", **AGAIN}, "a.done"))) == 1


@pytest.mark.parametrize("again", [{}, {"again": "30d"}])
def test_what_starts_seldom_closes_no_circle(tmp_path: Path, again: dict[str, Any]) -> None:
    found = checked(
        tmp_path, ("one", {"event": "b.done", **again}, "a.done"), ("two", {"event": "a.done", **AGAIN}, "b.done")
    )

    assert found == []


def test_a_chain_is_no_circle(tmp_path: Path) -> None:
    entries = [("one", "x.y", "a.done"), ("two", "a.done", "b.done"), ("three", "a.done", "b.done")]

    assert checked(tmp_path, *((name, {"event": event, **AGAIN}, emits) for name, event, emits in entries)) == []


def test_a_condition_that_its_own_journey_brings_about_is_a_circle(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    update = {"id": "mark", "update": {"set": {"stage": "lead"}}}
    document = {"journey": "one", "entry": {"when": "profile.stage == 'lead'", **AGAIN}, "steps": [update]}
    (tmp_path / "one/journey.yaml").write_text(json.dumps(document, indent=1), encoding="utf-8")

    (found,) = check(tmp_path)

    assert (found.step, found.field) == ("mark", "update.set.stage")


def test_a_journey_that_breaks_the_silence_by_which_it_begins_is_a_circle(tmp_path: Path) -> None:
    found = checked(tmp_path, ("one", {"none_of": ["app.pinged"], "for": "1s", **AGAIN}, "app.pinged"))

    assert len(found) == 1


@pytest.mark.parametrize("event", ["message.sent", "date.changed", "webhook.answered", "customer.erasure_requested"])
def test_a_journey_does_not_speak_for_cairn(tmp_path: Path, event: str) -> None:
    (found,) = checked(tmp_path, ("one", {"event": "a.b"}, event))

    assert f"{event} is one of Cairn's own events. Choose another first word" in found


def test_another_customer_is_not_asked_for_a_consent(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    emit = {"event": "c.d", "customer": {"email": "data.friend"}, "asks_consent": {"email": "marketing"}}
    document = {"journey": "one", "entry": {"event": "a.b"}, "steps": [{"id": "ask", "emit": emit}]}
    (tmp_path / "one/journey.yaml").write_text(json.dumps(document, indent=1), encoding="utf-8")

    (found,) = check(tmp_path)

    assert "only this customer can be asked for a consent" in str(found)
