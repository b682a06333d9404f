"""The lines of a simulation: messages as the customer would get them, with the gate's verdict."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from authoring.journeys import InvalidJourneysError, compile_catalogue
from authoring.preflight.samples import MIDDAY, profile_of
from authoring.simulation.customers import BARE, UnknownSampleError, customer, trial_of
from authoring.simulation.messages import Messages
from authoring.simulation.paths import all_paths
from authoring.simulation.report import lines_of, report, report_of_paths
from cairn.domain.policy import Policy

MIA: dict[str, Any] = {
    "name": "Mia",
    "profile": {
        "first_name": "Mia",
        "phone": "+12015550123",
        "time_zone": "America/New_York",
        "user_id": "u-1",
        "external_ids": {"crm": "7"},
        "tags": ["vip"],
    },
    "data": {"seat": "4A"},
    "consent": [{"channel": "sms", "purpose": "marketing"}],
}
STEPS = [
    {"id": "grow", "update": {"set": {"first_name": "Miranda"}}},
    {"id": "coupon", "set": {"code": "'SPRING'"}},
    {"id": "hello", "send": {"channel": ["push", "sms"], "template": "hello", "purpose": "marketing"}},
    {"id": "call", "task": {"queue": "sales", "title": "Call", "context": {"seat": "data.seat"}}},
    {"id": "say", "emit": {"event": "trial.welcomed"}},
]
TEXT = "Northside: {{ profile.first_name }}, {{ data.seat }}, {{ enrollment.values.code }}. Reply STOP to stop."


def folder(root: Path, samples: Any = (MIA,), text: str = TEXT) -> Path:
    made = root / "visit"
    (made / "templates").mkdir(parents=True)
    document = {"journey": "visit", "entry": {"event": "trial.signup"}, "steps": STEPS}
    (made / "journey.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (made / "templates/hello.sms.txt").write_text(text, encoding="utf-8")
    (made / "templates/hello.push.txt").write_text(f"---\ntitle: Hello\n---\n{text}", encoding="utf-8")
    if samples:
        (made / "samples.yaml").write_text(yaml.safe_dump(list(samples), allow_unicode=True), encoding="utf-8")
    return made


def lines(made: Path, named: str = "") -> list[dict[str, Any]]:
    (compiled,) = compile_catalogue(made)
    sample = customer(made, named)
    trial = trial_of(compiled, sample)
    messages = Messages(trial.journey, compiled["templates"], sample, Policy(brand="Northside"))
    return lines_of(trial.begin(sample.at), messages)


def of_kind(found: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [line for line in found if line["kind"] in kinds]


def test_a_message_has_the_channel_that_the_gate_would_use_and_what_the_steps_changed(tmp_path: Path) -> None:
    found = lines(folder(tmp_path))

    (message,) = of_kind(found, "message")
    assert (message["step"], message["channel"], message["status"]) == ("hello", "sms", "sent")
    assert message["body"] == "Northside: Miranda, 4A, SPRING. Reply STOP to stop."


def test_a_task_has_its_context_and_its_deadline(tmp_path: Path) -> None:
    (task,) = of_kind(lines(folder(tmp_path)), "task")

    assert (task["title"], task["context"], task["due_at"]) == ("Call", {"seat": "4A"}, "2026-03-04T18:00:00Z")


@pytest.mark.parametrize(
    ("changed", "status", "kind", "reason"),
    [
        ({"consent": []}, "not sent", "suppressed", "no_consent"),
        ({"profile": {}}, "not sent", "suppressed", "no_address"),
    ],
)
def test_a_message_that_is_not_sent_is_shown_with_the_reason(
    tmp_path: Path, changed: dict[str, Any], status: str, kind: str, reason: str
) -> None:
    found = of_kind(lines(folder(tmp_path, [{**MIA, **changed}])), "message", "suppressed", "deferred")

    assert [line.get("status", line.get("reason")) for line in found] == [status, reason]
    assert found[1]["kind"] == kind


def test_an_event_that_is_emitted_is_one_line(tmp_path: Path) -> None:
    found = [line for line in lines(folder(tmp_path)) if line.get("step") == "say"]

    assert [(line["kind"], line["event"]) for line in found] == [("emitted", "trial.welcomed")]


def test_a_message_that_may_not_go_out_yet_says_until_when(tmp_path: Path) -> None:
    from authoring.policy import compile_policy
    from cairn.adapters.documents.policy import policy_from_document

    made = folder(tmp_path, [{**MIA, "at": "2026-03-03T23:30:00-05:00"}])
    (compiled,) = compile_catalogue(made)
    sample = customer(made, "")
    trial = trial_of(compiled, sample)
    root = Path(__file__).parents[4]
    policy = policy_from_document(compile_policy(root / "policy.toml", root / "law.toml"))

    found = lines_of(trial.begin(sample.at), Messages(trial.journey, compiled["templates"], sample, policy))

    message, deferred = of_kind(found, "message", "deferred")
    assert (message["status"], deferred["reason"]) == ("waits", "quiet_hours")
    assert deferred["until"].startswith("2026-03-04T1")


def test_a_message_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (failed,) = of_kind(lines(folder(tmp_path, text="{{ data.gate }}")), "failed")

    assert failed["reason"] == "template"
    assert "gate" in failed["error"]


def test_a_report_names_the_version_the_customer_and_the_end(tmp_path: Path) -> None:
    made = folder(tmp_path)
    (compiled,) = compile_catalogue(made)
    sample = customer(made, "Mia")
    trial = trial_of(compiled, sample)
    messages = Messages(trial.journey, compiled["templates"], sample, Policy())

    one = report(trial.begin(sample.at), messages)
    every = report_of_paths(all_paths(trial, sample.at, most=3), messages)

    assert (one["journey"], one["version"], one["customer"]) == ("visit", compiled["version"], "Mia")
    assert (one["outcome"], one["ended_at"], one["goal_at"]) == ("completed", "2026-03-03T18:00:00Z", None)
    assert (len(every["paths"]), every["left_out"], every["all_counted"]) == (1, 0, True)


def test_the_profile_is_that_of_the_sample(tmp_path: Path) -> None:
    sample = customer(folder(tmp_path), "Mia")

    assert profile_of(sample).view() == sample.profile


def test_a_customer_is_named_in_the_journeys_samples_or_in_another_file(tmp_path: Path) -> None:
    made = folder(tmp_path, [MIA, {**MIA, "name": "Ada"}])
    other = tmp_path / "others.yaml"
    other.write_text(yaml.safe_dump([{**MIA, "name": "Kim"}]), encoding="utf-8")

    assert customer(made, "").name == "Mia"
    assert customer(made, "Ada").name == "Ada"
    assert customer(made, "samples.yaml#Ada").name == "Ada"
    assert customer(made, "#Ada").name == "Ada"
    assert customer(made, f"{other}#Kim").name == "Kim"
    assert customer(made, f"{other}#").name == "Kim"


def test_a_customer_that_is_not_there_is_answered_by_those_that_are(tmp_path: Path) -> None:
    made = folder(tmp_path)

    with pytest.raises(UnknownSampleError, match="it has: Mia"):
        customer(made, "Zoe")
    with pytest.raises(InvalidJourneysError, match="there are no samples"):
        customer(made, "nowhere.yaml#Zoe")


def test_without_samples_the_customer_is_bare(tmp_path: Path) -> None:
    made = folder(tmp_path, samples=())

    assert customer(made, "").name == BARE
    assert customer(made, "").at == MIDDAY
    assert of_kind(lines(made), "waiting", "ended")[-1]["outcome"] == "completed"


def test_a_message_shows_its_invite(tmp_path: Path) -> None:
    mia = MIA | {"profile": MIA["profile"] | {"email": "mia@example.com"}, "data": {"visit_at": "2026-03-07T18:30"}}
    made = folder(tmp_path, [mia])
    send = {"channel": "email", "template": "hello", "purpose": "transactional"}
    invite = {"starts": "data.visit_at", "lasts": "1h"}
    document = {"journey": "visit", "entry": {"event": "trial.signup"}}
    document["steps"] = [{"id": "hello", "send": send | {"invite": invite}}]  # type: ignore[assignment]
    (made / "journey.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    for name in ("hello.sms.txt", "hello.push.txt"):
        (made / "templates" / name).unlink()
    (made / "templates/hello.email.html").write_text("---\nsubject: Your visit\n---\n<p>Hello</p>", encoding="utf-8")

    (line,) = of_kind(lines(made), "message")

    assert line["invite"] == {
        "method": "request",
        "title": "Your visit",
        "starts": "2026-03-07T23:30:00Z",
        "ends": "2026-03-08T00:30:00Z",
    }
