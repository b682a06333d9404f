"""What `cairn doctor` makes of an account's answers, and that its checklist has a section for each check."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.secrets_manager import Part
from cairn.domain.policy import Rate
from cairn.domain.shared.channels import Channel
from cli import doctor_checks as checks
from cli.doctor_checks import (
    CHECKS,
    Certificate,
    Concurrency,
    EmailAccount,
    EmailIdentity,
    Finding,
    Origination,
    Plan,
    State,
    Stops,
    TableState,
    Unanswered,
    blocks,
)
from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json

GO_LIVE = (Path(__file__).parents[3] / "docs" / "go-live.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^### (.+)\n\n(\*You confirm this\.\*)?", GO_LIVE, re.MULTILINE)

NUMBER = "arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-1"
TOPIC = "arn:aws:sns:us-east-1:123456789012:Sms"
PROD = {"email_sender": "Cairn <hello@mail.example.com>", "alarm_email": "ops@example.com"}
FOURTEEN = Rate(channel=Channel.EMAIL, per_second=14)
IDENTITY = EmailIdentity(
    name="example.com",
    verified=True,
    dkim="SUCCESS",
    signing=True,
    mail_from="bounces.example.com",
    mail_from_status="SUCCESS",
)
ACCOUNT = EmailAccount(production=True, sending=True, review="GRANTED", per_day=50_000, per_second=14)


def planned(
    *, rates: tuple[Rate, ...] = (FOURTEEN,), channels: tuple[Channel, ...] = (Channel.EMAIL,), **fields: Any
) -> Plan:
    stage = Stage.unchecked("prod", cdk_json(), PROD | fields)
    return Plan(stage=stage, rates=rates, channels=frozenset(channels), sources=("stripe", "track"), endpoints=("crm",))


NAMES = [one.name for one in CHECKS]


def only(found: list[Finding]) -> Finding:
    (one,) = found
    return one


def test_the_checklist_has_a_section_for_each_check_in_the_same_order() -> None:
    named = [name for name, _ in SECTIONS]

    assert [name for name in named if name in NAMES] == NAMES


def test_each_section_is_a_check_or_is_for_a_person_to_confirm() -> None:
    marked = {name for name, person in SECTIONS if person}

    assert {name for name, _ in SECTIONS} - set(NAMES) <= marked
    assert marked & set(NAMES) == {one.name for one in CHECKS if one.person}


def test_the_stage_as_it_ships_is_given_each_setting_to_write() -> None:
    found = checks.settings(planned(email_sender="", alarm_email=""), None)

    assert [one.setting for one in found] == ["stages.prod.email_sender", "stages.prod.alarm_email"]
    assert all(one.fix.startswith("cdk.json: write the address") for one in found)
    assert all(one.stops is Stops.DEPLOYMENT for one in found)


def test_a_stage_that_keeps_its_data_needs_a_rate_for_each_channel() -> None:
    plan = planned(channels=(Channel.EMAIL, Channel.SMS, Channel.PUSH))

    missing = only(checks.rates(plan, None))

    assert missing.state is State.TO_DO
    assert missing.setting == "[[rates]]"
    assert '[[rates]] with channel = "sms" and per_second' in missing.fix
    assert "email" not in missing.fix
    assert blocks(plan, missing)
    assert not blocks(replace(plan, stage=replace(plan.stage, keep_data=False)), missing)
    assert only(checks.rates(planned(), None)).state is State.OK


@pytest.mark.parametrize(("version", "state"), [(None, State.TO_DO), (5, State.TO_DO), (6, State.OK), (28, State.OK)])
def test_the_bootstrap_stack_is_there_and_new_enough(version: int | None, state: State) -> None:
    assert only(checks.bootstrap(planned(), version)).state is state


@pytest.mark.parametrize(
    ("answer", "state", "stops"),
    [
        (Concurrency(total=10, unreserved=10), State.TO_DO, Stops.DEPLOYMENT),
        (Concurrency(total=1000, unreserved=199), State.TO_DO, Stops.DEPLOYMENT),
        (Concurrency(total=1000, unreserved=150, own=100), State.OK, Stops.NOTHING),
        (Concurrency(total=300, unreserved=300), State.TO_DO, Stops.NOTHING),
        (Concurrency(total=320, unreserved=320), State.OK, Stops.NOTHING),
    ],
    ids=["new account", "reserved by others", "deployed already", "throttled at times", "just enough"],
)
def test_reserved_concurrency_stays_within_the_account(answer: Concurrency, state: State, stops: Stops) -> None:
    plan = planned(webhook_concurrency=100, event_concurrency=100, delivery_concurrency=10)

    found = only(checks.lambda_concurrency(plan, answer))

    assert (found.state, found.stops) == (state, stops)


def test_reserved_concurrency_beyond_the_account_says_what_to_write() -> None:
    found = only(checks.lambda_concurrency(planned(), Concurrency(total=1000, unreserved=150)))

    assert found.setting == "stages.prod.webhook_concurrency"
    assert found.fix.endswith("or write webhook_concurrency: 50")


def test_a_quota_that_is_granted_and_not_in_force_is_waited_for() -> None:
    found = only(checks.lambda_concurrency(planned(), Concurrency(total=10, unreserved=10, granted=1000)))

    assert found.fix.startswith("1,000 are granted and not in force yet")


@pytest.mark.parametrize(
    ("invocations", "schedules", "state"),
    [(1000, 10e6, State.OK), (10, 10e6, State.TO_DO), (1000, 1e6, State.TO_DO), (1000, None, State.UNKNOWN)],
)
def test_the_quotas_of_timers(invocations: float, schedules: float | None, state: State) -> None:
    quotas = {f"{checks.INVOCATIONS} in transactions per second": invocations}
    if schedules is not None:
        quotas[checks.SCHEDULES] = schedules

    assert only(checks.scheduler(planned(), quotas)).state is state


def test_the_sandbox_of_ses_stops_messages() -> None:
    found = only(checks.production_access(planned(), replace(ACCOUNT, production=False, per_day=200)))

    assert (found.state, found.stops) == (State.TO_DO, Stops.MESSAGES)
    assert "200 e-mails a day" in found.found
    assert only(checks.production_access(planned(), ACCOUNT)).state is State.OK
    assert only(checks.production_access(planned(), replace(ACCOUNT, sending=False))).state is State.TO_DO


@pytest.mark.parametrize(("review", "says"), [("", "Request"), ("PENDING", "wait for"), ("DENIED", "support case")])
def test_production_access_that_was_asked_for_is_not_asked_for_again(review: str, says: str) -> None:
    found = only(checks.production_access(planned(), replace(ACCOUNT, production=False, review=review)))

    assert says in found.fix


@pytest.mark.parametrize(("per_second", "state"), [(14, State.OK), (13, State.TO_DO)])
def test_the_rate_of_the_policy_is_within_that_of_ses(per_second: float, state: State) -> None:
    found = only(checks.sending_quota(planned(), replace(ACCOUNT, per_second=per_second)))

    assert found.state is state
    assert (f"write per_second = {per_second}" in found.fix) is (state is State.TO_DO)


def test_the_sender_is_verified() -> None:
    assert only(checks.sender(planned(), IDENTITY)).state is State.OK
    assert only(checks.sender(planned(), replace(IDENTITY, verified=False))).stops is Stops.MESSAGES
    assert only(checks.sender(planned(), None)).setting == "stages.prod.email_sender"


@pytest.mark.parametrize("changed", [{"dkim": "PENDING"}, {"signing": False}])
def test_dkim_signs(changed: Mapping[str, Any]) -> None:
    assert only(checks.dkim(planned(), IDENTITY)).state is State.OK
    assert only(checks.dkim(planned(), replace(IDENTITY, **changed))).state is State.TO_DO


@pytest.mark.parametrize("changed", [{"mail_from": "", "mail_from_status": ""}, {"mail_from_status": "PENDING"}])
def test_mail_from_is_a_domain_of_ones_own(changed: Mapping[str, Any]) -> None:
    assert only(checks.mail_from(planned(), IDENTITY)).state is State.OK
    assert only(checks.mail_from(planned(), replace(IDENTITY, **changed))).state is State.TO_DO


@pytest.mark.parametrize("conclude", [checks.dkim, checks.mail_from])
def test_without_an_identity_its_records_are_unknown(conclude: Any) -> None:
    with pytest.raises(Unanswered, match=r"stages\.prod\.email_sender has no identity"):
        conclude(planned(), None)


@pytest.mark.parametrize(("origination", "console"), [("", "SNS console"), (NUMBER, "End User Messaging console")])
def test_the_sandbox_of_texts_is_left_where_they_are_sent(origination: str, console: str) -> None:
    found = only(checks.sms_sandbox(planned(sms_origination=origination), True))  # noqa: FBT003

    assert found.fix.startswith(console)
    assert only(checks.sms_sandbox(planned(), False)).state is State.OK  # noqa: FBT003


@pytest.mark.parametrize(("limit", "state"), [(1, State.TO_DO), (500, State.OK)])
def test_the_spend_limit_that_every_account_begins_with_is_raised(limit: float, state: State) -> None:
    assert only(checks.sms_spend_limit(planned(), limit)).state is state


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (Origination(status="ACTIVE", two_way=True, channel=TOPIC), State.OK),
        (Origination(status="ACTIVE", two_way=True, channel=f"{TOPIC}2"), State.TO_DO),
        (Origination(status="ACTIVE", two_way=False, channel=""), State.TO_DO),
        (Origination(status="PENDING", two_way=True, channel=TOPIC), State.TO_DO),
    ],
)
def test_replies_reach_the_stack(number: Origination, state: State) -> None:
    assert only(checks.two_way(planned(sms_origination=NUMBER), (number, TOPIC))).state is state


@pytest.mark.parametrize(
    ("destinations", "state"), [([TOPIC], State.OK), ([], State.TO_DO), (["other"], State.TO_DO), (None, State.TO_DO)]
)
def test_whatsapp_reports_reach_the_stack(destinations: list[str] | None, state: State) -> None:
    plan = planned(whatsapp_phone_number_id="phone-number-id-1")

    assert only(checks.whatsapp(plan, (destinations, TOPIC))).state is state


def test_a_source_without_a_secret_is_named_and_blocks_only_where_none_has_one() -> None:
    stripe, track, crm = (Part.SOURCES, "stripe"), (Part.SOURCES, "track"), (Part.WEBHOOK_ENDPOINTS, "crm")
    some = only(checks.secrets(planned(), ({}, {stripe: "is missing", crm: "is blank"})))
    none = only(checks.secrets(planned(), ({}, {stripe: "is missing", track: "is missing"})))

    assert some.found == "stripe is missing, crm is blank"
    assert some.setting == "SourcesSecret, AWSCURRENT and webhook-endpoints"
    assert (some.stops, none.stops) == (Stops.NOTHING, Stops.MESSAGES)
    assert only(checks.secrets(planned(), ({}, {}))).state is State.OK


def test_links_without_a_secret_block() -> None:
    found = only(checks.secrets(planned(), ({}, {(Part.LINKS, "links"): "is missing"})))

    assert (found.stops, found.setting) == (Stops.MESSAGES, "SourcesSecret, links")


def test_secrets_of_before_block_the_deployment_with_the_command_that_joins_them() -> None:
    unusable = {(Part.LINKS, "links"): "is missing"}

    found = only(checks.secrets(planned(), ({Part.WEBHOOK_ENDPOINTS: False, Part.LINKS: False}, unusable)))

    assert found.stops is Stops.DEPLOYMENT
    assert found.found == "webhook-endpoints and links stand in secrets of version 0.2"
    assert "`cairn secrets join --stack Cairn-prod`" in found.fix


def test_secrets_that_are_joined_are_named_until_the_stack_has_them_no_more() -> None:
    usable, joined = checks.secrets(planned(), ({Part.WEBHOOK_ENDPOINTS: True, Part.LINKS: True}, {}))

    assert usable.state is State.OK
    assert (joined.state, joined.stops) == (State.TO_DO, Stops.NOTHING)
    assert joined.found.startswith("webhook-endpoints and links are joined")
    assert "-c upgrade_from=0.2" in joined.fix


def test_a_table_has_its_stream_time_to_live_and_recovery() -> None:
    whole = TableState(name="t", streams=True, expires=True, recoverable=True)

    assert only(checks.table(planned(), whole)).state is State.OK
    assert only(checks.table(planned(), replace(whole, streams=False))).stops is Stops.MESSAGES
    assert "time to live" in only(checks.table(planned(), replace(whole, expires=False))).found
    assert "point-in-time recovery" in only(checks.table(planned(), replace(whole, recoverable=False))).found


@pytest.mark.parametrize(
    ("subscriptions", "state"),
    [
        ({}, State.TO_DO),
        ({"ops@example.com": checks.PENDING}, State.TO_DO),
        ({"ops@example.com": f"{TOPIC}:1"}, State.OK),
        ({"ops@example.com": f"{TOPIC}:1", "new@example.com": checks.PENDING}, State.TO_DO),
        ({"ops@example.com": "Deleted"}, State.TO_DO),
    ],
)
def test_alarms_reach_somebody_who_has_confirmed(subscriptions: dict[str, str], state: State) -> None:
    assert only(checks.recipients(planned(), subscriptions)).state is state


@pytest.mark.parametrize(("found", "state"), [(None, State.TO_DO), ("/usr/bin/python3.13", State.OK)])
def test_bytecode_needs_the_functions_python(found: str | None, state: State) -> None:
    assert only(checks.python(planned(), found)).state is state


def test_what_no_journey_sends_needs_nothing() -> None:
    by_name = {one.name: one for one in CHECKS}
    plan = planned(channels=(Channel.PUSH,))

    for name in ("SES production access", "Sender", "DKIM", "DMARC", "SMS sandbox", "SMS spend limit", "10DLC", "DLT"):
        found = only(by_name[name].findings(plan, None))  # type: ignore[arg-type]  it is not asked
        assert found.state is State.OK, name
        assert found.found.startswith("not needed: no journey sends by"), name


def test_a_blank_sender_is_written_before_ses_is_asked() -> None:
    by_name = {one.name: one for one in CHECKS}

    found = only(by_name["DKIM"].findings(planned(email_sender=""), None))  # type: ignore[arg-type]

    assert (found.state, found.found) == (State.UNKNOWN, "blank")


def test_journeys_that_send_by_whatsapp_need_a_number() -> None:
    by_name = {one.name: one for one in CHECKS}

    found = only(by_name["WhatsApp"].findings(planned(channels=(Channel.WHATSAPP,)), None))  # type: ignore[arg-type]

    assert (found.setting, found.stops) == ("stages.prod.whatsapp_phone_number_id", Stops.MESSAGES)
    assert only(by_name["WhatsApp"].findings(planned(), None)).state is State.OK  # type: ignore[arg-type]


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0123-4567"
HOOKS = {"domain_name": "hooks.example.com", "certificate_arn": CERTIFICATE}


def issued(*names: str, here: str = "us-east-1", status: str | None = "ISSUED") -> Certificate:
    return Certificate(here=here, status=status, names=names)


@pytest.mark.parametrize("name", ["hooks.example.com", "*.example.com"])
def test_a_certificate_that_is_issued_for_the_domain_will_do(name: str) -> None:
    found = only(checks.domain(planned(**HOOKS), issued("example.com", name)))

    assert (found.state, found.setting) == (State.OK, "stages.prod.certificate_arn")


@pytest.mark.parametrize(
    ("answer", "found", "fix"),
    [
        (issued(here="eu-central-1", status=None), "is of us-east-1; API Gateway takes .* eu-central-1", "request one"),
        (issued(status=None), "ACM in us-east-1 has no such certificate", "request one for hooks.example.com"),
        (issued("hooks.example.com", status="PENDING_VALIDATION"), "is pending_validation", "record"),
        (issued("example.com", "*.mail.example.com"), "not for hooks.example.com", "request one"),
        (issued("*.com"), "not for hooks.example.com", "request one"),
    ],
)
def test_any_other_certificate_stops_the_deployment(answer: Certificate, found: str, fix: str) -> None:
    one = only(checks.domain(planned(**HOOKS), answer))

    assert (one.state, one.stops) == (State.TO_DO, Stops.DEPLOYMENT)
    assert re.search(found, one.found)
    assert fix in one.fix


def test_without_a_domain_nobody_is_asked_for_a_certificate() -> None:
    (check,) = [one for one in CHECKS if one.name == "Domain"]

    for fields in ({}, {"domain_name": "hooks.example.com"}):
        found = check.needed(planned(**fields))
        assert found is not None
        assert found.state is State.OK
    assert check.needed(planned(**HOOKS)) is None
