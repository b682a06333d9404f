"""Each scenario of events/scenarios has its expected outcome, and a wrong expectation fails."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from authoring.stories import load
from cli.main import app
from infra.local.scenario import Coming, RefusedError, TooEarlyError, deployed, run_scenario
from infra.local.signing import local_secrets

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "events" / "scenarios").glob("*.yaml"))
JOURNEYS = ROOT / "layers" / "journeys"


@pytest.mark.parametrize("journey", [path.parent.name for path in JOURNEYS.glob("*/journey.yaml")])
def test_every_journey_has_a_scenario_of_the_same_name(journey: str) -> None:
    assert journey in [path.stem for path in SCENARIOS]


def test_who_waits_for_a_message_has_not_been_refused_yet() -> None:
    """A person whose e-mail comes late presses again as often as one whose e-mail came at once."""
    answers = [TooEarlyError, TooEarlyError, RefusedError, RefusedError, None]

    def press() -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    now = datetime(2026, 5, 4, 13, tzinfo=UTC)
    coming = Coming([(now, press)], [timedelta(minutes=1), timedelta(minutes=5)])
    while coming:
        coming.happen(coming.next_at)

    assert answers == []


Replay = Callable[..., Result]


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Replay:
    """The command `cairn replay`."""
    # The command sets this for the whole process; monkeypatch restores it.
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, ["replay", *map(str, arguments)], catch_exceptions=False)

    return run


def test_replay_prints_the_timeline_as_lines_of_json(replay: Replay) -> None:
    result = replay(ROOT / "events" / "scenarios" / "payment-failure-rescue.yaml", "--json")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert all(list(line)[:3] == ["at", "kind", "customer"] for line in lines)
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert all(datetime.fromisoformat(line["at"]).tzinfo for line in lines)
    messages = [
        (line["at"], line["journey"], line["step"], line["channel"], line["template"])
        for line in lines
        if line["kind"] == "message"
    ]
    assert messages == [
        ("2026-03-09T14:00:00Z", "payment-failure-rescue", "retry-link", "sms", "retry"),
        ("2026-03-09T14:30:00Z", "payment-failure-rescue", "troubleshooting", "email", "troubleshooting"),
    ]


@pytest.mark.parametrize(
    ("said", "instead", "difference"),
    [
        ("{at: 30m, kind: message", "{at: 31m, kind: message", "-2026-03-09T14:31:00Z message"),
        ("{at: 3h, kind: ended", "{at: 4h, kind: ended", "-2026-03-09T18:00:00Z ended"),
        ("  - {at: 30m, kind: message.*\n", "", "+2026-03-09T14:30:00Z message"),
        ("step: retry-link", "step: other-link", "-2026-03-09T14:00:00Z message"),
        (r'contains: \["\$49.00', 'contains: ["$50.00', "$50.00"),
    ],
    ids=["an instant of a message", "an instant of an end", "a message left out", "a step", "a text"],
)
def test_a_failed_expectation_prints_a_difference(
    replay: Replay, tmp_path: Path, said: str, instead: str, difference: str
) -> None:
    story = (ROOT / "events" / "scenarios" / "payment-failure-rescue.yaml").read_text()
    changed, count = re.subn(said, instead, story.replace("../../", f"{ROOT}/"))
    path = tmp_path / "changed.yaml"
    path.write_text(changed)

    result = replay(path)

    assert count == 1
    assert result.exit_code == 1
    assert difference in result.stderr
    assert "--- expected\n+++ happened" in result.stderr


def test_several_scenarios_fail_if_one_fails(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "nothing-happens.yaml"
    path.write_text(
        "scenario: Nothing\nstarts: 2026-03-02T14:00:00Z\nfor: 1d\nposts: []\nexpect: [{at: 0s, kind: message}]"
    )

    result = replay(path, SCENARIOS[0])

    assert result.exit_code == 1


def test_a_refused_post_ends_the_scenario_with_the_receivers_answer(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "refused.yaml"
    path.write_text(
        "scenario: A typo\nstarts: 2026-03-02T14:00:00Z\nfor: 1d\n"
        "posts: [{at: 0s, event: {id: one, type: Signed Up, customer: {user_id: one}}}]",
    )

    result = replay(path)

    assert result.exit_code == 1
    assert "answered 422" in result.stderr
    assert "object.action" in result.stderr


def test_a_time_that_summer_time_skips_comes_after_the_skip(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "gap.yaml"
    path.write_text(
        "scenario: Half past two on the night of 8 March, which New York does not have\n"
        "starts: 2026-03-05T15:00:00Z\nfor: 4d\n"
        "posts:\n"
        f"  - {{at: 0s, file: {ROOT}/events/track/trial_signup.json, set: {{attributes.preferred_time: '02:30'}}}}\n"
    )

    result = replay(path, "--json")

    classes = [line for line in map(json.loads, result.stdout.splitlines()) if line.get("step") == "classes"]
    assert [(line["at"], line["kind"], line.get("until")) for line in classes] == [
        ("2026-03-08T07:30:00Z", "deferred", "2026-03-08T12:00:00Z"),  # 3:30 on the clock, within quiet hours
        ("2026-03-08T12:00:00Z", "message", None),  # 8:00, in summer time
    ]


LATE = """
scenario: Half past ten is too late for a text
starts: 2026-03-02T15:00:00Z
for: 4d
posts:
  - {at: 0s, file: ROOT/events/track/trial_signup.json, set: {attributes.preferred_time: "22:30"}}
expect:
  - {at: 0s, kind: message, step: confirm}
  - {at: 20m, kind: message, step: onboarding}
  - {at: "2026-03-06T03:30:00Z", kind: deferred, step: classes, reason: quiet_hours, until: "2026-03-06T13:00:00Z"}
  - {at: "2026-03-06T13:00:00Z", kind: message, step: classes}
"""


def test_a_deferral_can_be_expected_and_is_drawn(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "late.yaml"
    path.write_text(LATE.replace("ROOT", str(ROOT)))

    result = replay(path)

    assert result.exit_code == 0, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    drawn = lines.index("22:30 ◷ deferred until Fri 06 Mar 08:00 quiet hours classes")
    assert lines[drawn + 1] == "22:30 · waiting until Mon 09 Mar 10:00 first-visit", "shown when it was decided"


def test_a_deferral_until_another_time_is_a_difference(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "late.yaml"
    path.write_text(LATE.replace("ROOT", str(ROOT)).replace('until: "2026-03-06T13', 'until: "2026-03-06T14'))

    result = replay(path)

    assert result.exit_code == 1
    assert "until=2026-03-06T13:00:00Z" in result.stderr


ORDERS = """
scenario: An operator asks for what does not exist
starts: 2026-03-02T15:00:00Z
for: 1d
posts: []
orders:
  - {at: 1h, do: approve, step: estimate, why: the price is right}
"""


def test_an_order_about_nothing_ends_the_scenario(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "orders.yaml"
    path.write_text(ORDERS)

    result = replay(path)

    assert result.exit_code == 1
    assert "no message of estimate waits for a decision" in result.stderr


def test_a_click_on_a_link_that_was_never_sent_ends_the_scenario(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "clicks.yaml"
    clicks = "clicks: [{at: 1h, link: confirm, step: onboarding}]"
    path.write_text(f"scenario: Early\nstarts: 2026-03-02T14:00:00Z\nfor: 1d\nposts: []\n{clicks}\n")

    result = replay(path)

    assert result.exit_code == 1
    assert "no e-mail of onboarding has a link to confirm yet" in result.stderr


@pytest.mark.parametrize("folder", ["club"])
def test_the_journeys_of_other_businesses_are_checked(folder: str) -> None:
    business = ROOT / "events" / folder

    result = CliRunner().invoke(
        app, ["check", str(business / "journeys"), "--policy", str(business / "policy.toml")], catch_exceptions=False
    )

    assert result.exit_code == 0, result.output


def test_a_sender_repeats_a_request_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "repeated.yaml"
    path.write_text(
        "scenario: The receiver fails once\nstarts: 2026-03-02T14:00:00Z\nfor: 1h\n"
        f"posts: [{{at: 0s, file: {ROOT}/events/track/visit_attended.json}}]\n"
    )
    scenario = load(path)
    answers = [500]

    with deployed(path, scenario, local_secrets({})) as made:
        receive = made.handlers["receive_webhook"]

        def failing(event: Any, context: Any) -> Any:
            return {"statusCode": answers.pop(), "body": ""} if answers else receive(event, context)

        made.handlers = {**made.handlers, "receive_webhook": failing}
        result = run_scenario(path, scenario, made, local_secrets({}), repeated_after=[timedelta(minutes=5)])

    assert not answers
    assert [line["type"] for line in result.lines if line["kind"] == "event"] == ["visit.attended"]


def test_update_writes_the_expectations_of_today_and_leaves_all_else(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "late.yaml"
    late = LATE.replace("ROOT", str(ROOT))
    wrong = late.replace("at: 20m, kind", "at: 25m, kind").replace("expect:\n", "expect:\n  # at once\n")
    path.write_text(wrong)

    tried = replay(path, "--update", "--dry-run")
    untouched = path.read_text()
    updated = replay(path, "--update")
    again = replay(path, "--update")

    assert [tried.exit_code, updated.exit_code, again.exit_code] == [0, 0, 0]
    assert tried.stdout == updated.stdout
    assert "-  - {at: 25m, kind: message, step: onboarding}\n+  - {at: 20m, kind: message" in updated.stdout
    assert untouched == wrong
    assert path.read_text() == wrong.replace("25m", "20m")
    assert again.stdout == f"{path}: every expectation holds\n"


def test_what_was_decided_is_recorded_and_compared_with_the_engine(replay: Replay, tmp_path: Path) -> None:
    history = tmp_path / "rescue.history.json"

    recorded = replay(ROOT / "events" / "scenarios" / "payment-failure-rescue.yaml", "--record", history)
    same = replay("--against", history)
    history.write_text(history.read_text().replace('"step": "retry-link"', '"step": "another-link"'))
    other = replay("--against", history)

    assert recorded.exit_code == 0
    assert same.exit_code == 0
    assert "decisions are the same today" in same.stderr
    assert other.exit_code == 1
    assert f"{history}: decision 1 at 2026-03-09T14:00:00Z of payment-failure-rescue, after Entered" in other.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a story to run, or a history with --against"),
        ([SCENARIOS[0], "--dry-run"], "--dry-run goes with --update"),
        ([*SCENARIOS[:2], "--record", "a.history.json"], "name the one story that --record is to record"),
    ],
    ids=["nothing", "dry run alone", "two stories into one history"],
)
def test_options_that_do_not_go_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str | Path], said: str
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")

    result = CliRunner().invoke(app, ["replay", *map(str, arguments)], env={"COLUMNS": "200"})

    assert result.exit_code == 2
    assert said in result.stderr


TWICE = """
scenario: Each of two customers gets two offers
starts: 2026-05-04T15:00:00Z
for: 6d
journeys: ROOT/events/club/journeys
policy: ROOT/events/club/policy.toml
posts:
  - at: 0s
    event: &ada
      id: ada-1
      type: offer.made
      customer: {user_id: ada, phone: "+12015550123"}
      properties: {offer: balls, text: Three cans of balls for two today.}
      attributes: {time_zone: America/New_York, region: NY}
      consent: [{channel: sms, purpose: marketing, status: granted, source: desk}]
  - {at: 0s, event: &bob {<<: *ada, id: bob-1, customer: {user_id: bob, phone: "+12015550124"}}}
  - {at: 2d, event: {<<: *ada, id: ada-2, properties: {offer: strings, text: New strings.}}}
  - {at: 2d, event: {<<: *bob, id: bob-2, properties: {offer: strings, text: New strings.}}}
  - at: 3d
    source: aws
    customer: CUSTOMER
    file: ROOT/events/aws/sms_delivered.json
    set: {context.message: "$message:offerNUMBER", context.customer: $customer, messageId: "$provider:offerNUMBER"}
"""


@pytest.mark.parametrize(
    ("customer", "number", "delivered"),
    [
        ("ada", "#1", ("ada", "2026-05-04T15:00:00Z")),
        ("ada", "#2", ("ada", "2026-05-06T15:00:00Z")),
        ("bob", "#1", ("bob", "2026-05-04T15:00:01Z")),
        ("bob", "", ("bob", "2026-05-06T15:00:01Z")),
    ],
)
def test_a_report_is_about_one_of_several_messages_of_a_step(
    replay: Replay, tmp_path: Path, customer: str, number: str, delivered: tuple[str, str]
) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(TWICE.replace("ROOT", str(ROOT)).replace("CUSTOMER", customer).replace("NUMBER", number))

    result = replay(path, "--json")

    lines = [line for line in map(json.loads, result.stdout.splitlines()) if line["kind"] == "message"]
    assert len(lines) == 4
    assert [(line["customer"], line["at"]) for line in lines if line["status"] == "delivered"] == [delivered]


def test_a_report_about_a_message_that_was_not_sent_names_its_line(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(TWICE.replace("ROOT", str(ROOT)).replace("CUSTOMER", "ada").replace("NUMBER", "#3"))

    result = replay(path)

    assert result.exit_code == 1
    assert f"{path}:19: there is no 'provider:offer#3' yet that a report could be about" in result.stderr


CLICKED = """
scenario: Two customers ask for the newsletter, and one confirms
starts: 2026-05-04T13:00:00Z
for: 1h
journeys: ROOT/events/club/journeys
policy: ROOT/events/club/policy.toml
posts:
  - at: 0s
    event: &ada
      id: ada-1
      type: newsletter.requested
      customer: {user_id: ada, email: ada.sample@example.com}
      properties: {list: club}
      consent: [{channel: email, purpose: marketing, status: granted, source: form}]
  - {at: 0s, event: {<<: *ada, id: bob-1, customer: {user_id: bob, email: bob.sample@example.com}}}
clicks:
  - {at: 20m, link: confirm, step: "please-confirm#1", customer: bob}
"""


def test_a_click_is_on_the_e_mail_of_the_customer_whom_it_names(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "clicked.yaml"
    clicked = CLICKED.replace("ROOT", str(ROOT))
    path.write_text(clicked)

    result = replay(path, "--json")
    path.write_text(clicked.replace("#1", "#2"))
    refused = replay(path)

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    confirmed = [line for line in lines if line["kind"] == "consent" and line["at"] > "2026-05-04T13:10"]
    assert {line["customer"] for line in confirmed} == {"bob"}
    assert f"{path}:17: no e-mail of please-confirm#2 has a link to confirm yet" in refused.stderr


def test_a_post_may_be_a_sample_of_a_vendor_with_its_headers_and_with_changes(replay: Replay, tmp_path: Path) -> None:
    path = tmp_path / "sample.yaml"
    path.write_text(
        "scenario: A cart changes\nstarts: 2026-03-02T14:00:00Z\nfor: 1h\n"
        "posts: [{at: 0s, source: shopify, sample: checkouts_update, set: {email: mia@example.com}}]\n"
    )

    result = replay(path, "--json")

    (event,) = [line for line in map(json.loads, result.stdout.splitlines()) if line["kind"] == "event"]
    assert (event["type"], event["source"], event["customer"]) == ("cart.updated", "shopify", "mia@example.com")
