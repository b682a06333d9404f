"""What an invite refers to is there: the journey that invites, its key, and the step of the template's texts."""

import json
from pathlib import Path
from typing import Any

import pytest

from authoring.journeys import check, compile_catalogue

VISIT = {"starts": "data.visit_at", "lasts": "2h"}
BY_BOOKING = {"event": "booking.confirmed", "key": "event.properties.booking_id"}
MAIL = "---\nsubject: Your visit\n---\n<p>See you.</p>"
TITLED = MAIL.replace("visit\n---", "visit\ninvite_title: 'Visit {{ data.booking_id }}'\n---", 1)


def written(root: Path, name: str, invite: dict[str, Any] | None, entry: Any = None, mail: str = MAIL) -> None:
    folder = root / name
    (folder / "templates").mkdir(parents=True)
    send = {"channel": "email", "template": "hello", "purpose": "transactional"} | (
        {"invite": invite} if invite else {}
    )
    document = {"journey": name, "entry": entry or BY_BOOKING, "steps": [{"id": "mail", "send": send}]}
    (folder / "journey.yaml").write_text(json.dumps(document), encoding="utf-8")
    (folder / "templates/hello.email.html").write_text(mail, encoding="utf-8")


def problems(root: Path) -> list[str]:
    return [str(one).partition(": ")[2] for one in check(root)]


def test_an_invite_of_another_journey_is_found_by_its_key(tmp_path: Path) -> None:
    written(tmp_path, "booking", VISIT)
    written(tmp_path, "cancelled", {"cancel": True, "of": "booking"})

    assert problems(tmp_path) == []
    assert problems(tmp_path / "cancelled") == []


@pytest.mark.parametrize(
    ("of", "entry", "said"),
    [
        ("bookings", None, 'there is no journey "bookings". Did you mean booking?'),
        ("plain", None, "plain sends no invite of its own. Name the journey that sends the first one."),
        ("cancelled", None, "cancelled sends no invite of its own. Name the journey that sends the first one."),
        (
            "booking",
            {"event": "booking.cancelled"},
            (
                "an invite of booking is found by the key of both journeys, and one of them has none. Give both "
                "entries a `key` with the same value, such as event.properties.booking_id."
            ),
        ),
    ],
)
def test_one_that_is_not_found_is_a_problem(tmp_path: Path, of: str, entry: Any, said: str) -> None:
    written(tmp_path, "booking", VISIT)
    written(tmp_path, "plain", None)
    written(tmp_path, "cancelled", {"cancel": True, "of": of}, entry)

    assert problems(tmp_path) == [f"step mail, send.invite.of: {said}"]


def test_the_texts_of_an_invite_belong_to_a_step_with_one(tmp_path: Path) -> None:
    written(tmp_path, "booking", None, mail=TITLED)

    assert problems(tmp_path) == [
        "invite_title: no step that sends this has an invite. Add `invite: {starts: …, lasts: …}` to the step."
    ]


def test_its_texts_are_templates_of_the_version(tmp_path: Path) -> None:
    written(tmp_path, "booking", VISIT, mail=TITLED)

    (compiled,) = compile_catalogue(tmp_path)

    assert compiled["templates"]["hello.email"]["invite_title"] == "Visit {{ data.booking_id }}"
    (tmp_path / "booking/templates/hello.email.html").write_text(TITLED.replace("data.", "date."), encoding="utf-8")
    assert any("date is not known here" in one for one in problems(tmp_path))


def test_its_dates_are_expressions_with_the_names_in_scope(tmp_path: Path) -> None:
    written(tmp_path, "booking", {"starts": "event.properties.at", "ends": "date.ends_at"})

    found = problems(tmp_path)

    assert [one.partition(":")[0] for one in found] == [f"step mail, send.invite.{name}" for name in ("ends", "starts")]
    assert "`event` is in scope only where" in found[1]
