"""The delivery status of a message from its providers' reports: bounces, statuses in any order, and replies."""

import json
from contextlib import ExitStack
from functools import reduce
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Story

AWS = Path(__file__).parents[2] / "events" / "aws"

ONE_MESSAGE = """
journey: hello
description: One message, and a wait for what becomes of it.
entry: {event: trial.signup}
steps:
  - id: hello
    send: {channel: [whatsapp, sms], template: hello, purpose: transactional}
  - id: seen
    wait_for:
      event: message.opened
      timeout: 2d
      then:
        - id: done
          exit: read
  - id: over
    exit: never-read
"""

APPROVED = """\
---
whatsapp_template: welcome
whatsapp_language: en_US
whatsapp_parameters: ["{{ profile.first_name }}"]
---
"""

MEMBER = {
    "customer": {"user_id": "member-1", "email": "mia.1@example.com", "phone": "+12015550001"},
    "attributes": {"first_name": "Mia", "time_zone": "America/New_York"},
    "consent": [{"channel": "whatsapp", "purpose": "transactional", "status": "granted", "source": "form"}],
}


@pytest.fixture
def one_message(tmp_path: Path) -> Path:
    folder = tmp_path / "hello"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(ONE_MESSAGE)
    for channel, front in {"whatsapp": APPROVED, "sms": ""}.items():
        (folder / "templates" / f"hello.{channel}.txt").write_text(f"{front}Welcome, {{{{ profile.first_name }}}}.")
    return tmp_path


@pytest.fixture
def by_end_user_messaging(one_message: Path) -> "Iterator[Story]":
    """A deployment that sends texts by End User Messaging."""
    from infra.local.deployment import local_deployment
    from infra.local.signing import local_secrets
    from tests.conftest import MONDAY, Story

    with ExitStack() as stack:
        made = local_deployment(one_message, start=MONDAY, secrets=local_secrets({}), texts_by_end_user_messaging=True)
        yield Story(stack.enter_context(made))


def reports(story: "Story", sample: str, **put: Any) -> None:
    """A provider's report about the only customer's message, with some values set by dotted path."""
    from infra.local.reports import fill_references

    document = json.loads((AWS / f"{sample}.json").read_text())
    for dotted, value in put.items():
        *path, last = (int(name) if name.isdigit() else name for name in dotted.split("."))
        reduce(lambda node, name: node[name], path, document)[last] = value
    story.deployment.feedback(json.dumps(fill_references(document, story.deployment.report_references())))
    story.deployment.settle()


def about_the_email(step: str = "tips") -> dict[str, Any]:
    return {
        "mail.tags": {"message": [f"$message:{step}"], "customer": ["$customer"]},
        "mail.messageId": f"$provider:{step}",
    }


def suppression_causes(address: str, channel: str = "email") -> list[str]:
    """The causes of an address's suppression."""
    from cairn.adapters.dynamodb.suppressions import DynamoSuppressions
    from cairn.domain.shared.channels import Channel
    from infra.local.cloud import IDENTITY_KEYS

    found = DynamoSuppressions(IDENTITY_KEYS.suppressions).current({Channel(channel): address})
    return [one.cause.value for one in found.get(Channel(channel), ())]


def messages(story: "Story") -> list[tuple[str, str, str]]:
    return [(line["step"], line.get("channel", ""), line["status"]) for line in story.timeline("message", "failed")]


def test_a_hard_bounce_updates_the_message_and_suppresses_its_address(story: "Story") -> None:
    story.signs_up()
    story.passes("2h")

    reports(
        story, "ses_bounce", **about_the_email(), **{"bounce.bouncedRecipients.0.emailAddress": "mia.1@example.com"}
    )

    assert ("tips", "email", "bounced") in messages(story)
    assert suppression_causes("mia.1@example.com") == ["hard_bounce"]
    assert story.dead_letters("feedback") == []


def test_a_bounce_from_both_the_topic_and_eventbridge_counts_once(story: "Story") -> None:
    story.signs_up()
    story.passes("2h")
    detail = {f"detail.{path}": value for path, value in about_the_email().items()}

    reports(story, "ses_bounce", **about_the_email())
    reports(story, "ses_bounce_eventbridge", **detail)

    bounced = [line for line in story.timeline("event") if line["type"] == "message.bounced"]
    assert len(bounced) == 1


@pytest.mark.parametrize("order", [*permutations(["ses_delivery", "ses_open", "ses_complaint"])], ids="-".join)
def test_reports_about_an_email_in_any_order_give_the_same_status(story: "Story", order: tuple[str, ...]) -> None:
    story.signs_up()
    story.passes("2h")

    for sample in order:
        reports(story, sample, **about_the_email())

    assert ("tips", "email", "complained") in messages(story)
    assert suppression_causes("mia.sample@example.com") == ["complaint"]


AUTO_REPLY: dict[str, Any] = {"bounceType": "Transient", "bounceSubType": "General"}
"""Out of office, as SES's own simulator answers for ooto@simulator.amazonses.com: without a mail server's report."""


@pytest.fixture
def by_email(tmp_path: Path) -> Path:
    """A journey that sends an e-mail, and a text where that fails."""
    folder = tmp_path / "hello"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(ONE_MESSAGE.replace("[whatsapp, sms]", "[email, sms]"))
    (folder / "templates" / "hello.email.html").write_text("---\nsubject: Welcome\n---\n<p>Welcome</p>")
    (folder / "templates" / "hello.sms.txt").write_text("Welcome.")
    return tmp_path


def ses_says(story: "Story", kind: str, **detail: Any) -> None:
    """A report of SES about the e-mail to the only customer."""
    known = story.deployment.report_references()
    story.ses_reports(
        kind, of=(known["message:hello"], known["customer"]), address=MEMBER["customer"]["email"], **detail
    )


def bounced(**recipient: Any) -> dict[str, Any]:
    return {"bouncedRecipients": [{"emailAddress": MEMBER["customer"]["email"], **recipient}]}


def complained() -> dict[str, Any]:
    return {"complainedRecipients": [{"emailAddress": MEMBER["customer"]["email"]}]}


def test_out_of_office_after_the_delivery_is_no_bounce(a_story: Any, by_email: Path) -> None:
    story = a_story(by_email)
    story.happens("trial.signup", **MEMBER)

    ses_says(story, "Delivery", recipients=[MEMBER["customer"]["email"]])
    story.passes("1m")
    ses_says(story, "Bounce", **AUTO_REPLY, **bounced())

    assert messages(story) == [("hello", "email", "delivered")]
    assert [one.channel for one in story.sent()] == ["email"]
    assert suppression_causes("mia.1@example.com") == []
    assert "message.auto_replied" in [line["type"] for line in story.timeline("event")]


def test_a_general_bounce_of_a_mail_that_never_arrived_is_one(a_story: Any, by_email: Path) -> None:
    story = a_story(by_email)
    story.happens("trial.signup", **MEMBER)

    ses_says(story, "Bounce", **AUTO_REPLY, **bounced())

    assert messages(story) == [("hello", "email", "bounced"), ("hello", "sms", "sent")]
    assert suppression_causes("mia.1@example.com") == []


def test_a_mail_server_s_report_after_the_delivery_is_a_bounce(a_story: Any, by_email: Path) -> None:
    story = a_story(by_email)
    story.happens("trial.signup", **MEMBER)
    ses_says(story, "Delivery", recipients=[MEMBER["customer"]["email"]])

    ses_says(story, "Bounce", **AUTO_REPLY, **bounced(action="failed", status="5.7.1"))

    assert messages(story) == [("hello", "email", "bounced"), ("hello", "sms", "sent")]


ELSEWHERE = ["email", "sms"]

REPORTS: tuple[tuple[str, dict[str, Any], tuple[str, list[str], list[str]]], ...] = (
    ("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}, ("bounced", ELSEWHERE, [])),
    ("Bounce", {"bounceType": "Transient", "bounceSubType": "ContentRejected"}, ("bounced", ELSEWHERE, [])),
    ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General"}, ("bounced", ELSEWHERE, ["hard_bounce"])),
    (
        "Bounce",
        {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"},
        ("bounced", ELSEWHERE, ["hard_bounce"]),
    ),
    ("Bounce", {"bounceType": "Permanent", "bounceSubType": "UnsubscribedRecipient"}, ("bounced", ELSEWHERE, [])),
    ("Complaint", {"complaintFeedbackType": "abuse"}, ("complained", ["email"], ["complaint"])),
    ("Complaint", {"complaintFeedbackType": "not-spam"}, ("sent", ["email"], [])),
    ("Complaint", {"complaintFeedbackType": "auth-failure"}, ("sent", ["email"], [])),
    ("Complaint", {"complaintFeedbackType": "virus"}, ("sent", ["email"], [])),
    ("Complaint", {"complaintSubType": "OnAccountSuppressionList"}, ("failed", ELSEWHERE, ["complaint"])),
)
"""Each with the message's status, the channels that it went out on, and the causes of its address's suppression."""


@pytest.mark.parametrize(("kind", "detail", "then"), REPORTS)
def test_each_report_of_ses_has_its_own_consequences(
    a_story: Any, by_email: Path, kind: str, detail: dict[str, Any], then: tuple[str, list[str], list[str]]
) -> None:
    story = a_story(by_email)
    story.happens("trial.signup", **MEMBER)

    ses_says(story, kind, **detail, **(bounced() if kind == "Bounce" else complained()))

    status, channels, causes = then
    assert messages(story)[0] == ("hello", "email", status)
    assert sorted(one.channel for one in story.sent()) == channels
    assert suppression_causes("mia.1@example.com") == causes


def test_who_unsubscribed_at_ses_gets_no_marketing_by_email(a_story: Any, by_email: Path) -> None:
    story = a_story(by_email)
    story.happens("trial.signup", **MEMBER)

    ses_says(story, "Bounce", bounceType="Permanent", bounceSubType="UnsubscribedRecipient", **bounced())

    (denied,) = [line for line in story.timeline("consent") if line["status"] == "denied"]
    assert (denied["channel"], denied["purpose"]) == ("email", "marketing")


def about_whatsapp(status: str) -> dict[str, Any]:
    path = "whatsAppWebhookEntry.changes.0.value.statuses.0"
    return {f"{path}.biz_opaque_callback_data": "$customer/$message:hello", f"{path}.status": status}


def test_a_whatsapp_message_is_sent_and_its_provider_id_is_recorded(a_story: Any, one_message: Path) -> None:
    story = a_story(one_message)

    story.happens("trial.signup", **MEMBER)

    (taken,) = story.deployment.cloud.end_user_messaging.sent
    assert (taken.channel, taken.address, taken.text) == ("whatsapp", "+12015550001", "welcome: Mia")
    assert taken.id == story.deployment.report_references()["provider:hello"]
    assert messages(story) == [("hello", "whatsapp", "sent")]


@pytest.mark.parametrize("order", [*permutations(["sent", "delivered", "read"])], ids="-".join)
def test_a_whatsapp_message_read_before_it_is_delivered_stays_read(
    a_story: Any, one_message: Path, order: tuple[str, ...]
) -> None:
    story = a_story(one_message)
    story.happens("trial.signup", **MEMBER)

    for status in order:
        reports(story, "whatsapp_read", **about_whatsapp(status))

    assert messages(story) == [("hello", "whatsapp", "opened")]
    assert [line["outcome"] for line in story.timeline("ended")] == ["read"]


@pytest.mark.parametrize("emoji", ["👍", None])
def test_a_reaction_and_its_removal_answer_no_question(a_story: Any, one_message: Path, emoji: str | None) -> None:
    file = one_message / "hello" / "journey.yaml"
    file.write_text(file.read_text().replace("message.opened", "message.replied"))
    story = a_story(one_message)
    story.happens("trial.signup", **MEMBER)

    path = "whatsAppWebhookEntry.changes.0.value.messages.0"
    reaction = {"message_id": story.deployment.report_references()["provider:hello"], "emoji": emoji}
    about = {
        f"{path}.from": "12015550001",
        f"{path}.type": "reaction",
        f"{path}.reaction": reaction,
        f"{path}.context": {},
    }
    reports(story, "whatsapp_reply", **about)

    (reacted,) = [line for line in story.timeline("event") if line["type"] == "message.reacted"]
    assert (reacted["properties"]["step"], reacted["properties"].get("text")) == ("hello", emoji)
    assert story.timeline("ended") == []
    assert story.dead_letters("feedback") == []


def test_without_a_number_for_whatsapp_the_next_channel_is_tried(
    a_story: Any, one_message: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.local.environments.WHATSAPP_PHONE_NUMBER_ID", "")
    story = a_story(one_message)

    story.happens("trial.signup", **MEMBER)

    assert messages(story) == [("hello", "sms", "sent")]
    assert [sent.text for sent in story.sent()] == ["Welcome, Mia."]
    assert story.dead_letters("messages") == []


def test_a_text_by_end_user_messaging_gets_its_delivery_status(by_end_user_messaging: "Story") -> None:
    story = by_end_user_messaging
    story.happens("trial.signup", **(MEMBER | {"consent": []}))

    (taken,) = story.deployment.cloud.end_user_messaging.sent
    reports(story, "sms_delivered", context=taken.request["Context"], messageId=taken.id)

    assert taken.channel == "sms"
    assert taken.request["ConfigurationSetName"] == "cairn"
    assert messages(story) == [("hello", "sms", "delivered")]
    assert story.sent() == []


def test_a_log_entry_of_sns_updates_the_message_with_its_id(story: "Story") -> None:
    story.signs_up()

    reports(
        story,
        "sns_sms_failed",
        **{"notification.messageId": "$provider:hello", "delivery.destination": "+12015550001"},
    )

    assert ("hello", "sms", "failed") in messages(story)


@pytest.mark.parametrize(
    ("said", "channels"),
    [
        ("Blocked as spam by phone carrier", ["sms", "email"]),
        ("No quota left for account", ["sms"]),
    ],
)
def test_a_text_that_the_account_cannot_pay_for_goes_out_on_no_other_channel(
    a_story: Any, tmp_path: Path, said: str, channels: list[str]
) -> None:
    (tmp_path / "hello" / "templates").mkdir(parents=True)
    (tmp_path / "hello" / "journey.yaml").write_text(ONE_MESSAGE.replace("[whatsapp, sms]", "[sms, email]"))
    (tmp_path / "hello" / "templates" / "hello.sms.txt").write_text("Welcome, {{ profile.first_name }}.")
    email = "---\nsubject: Welcome\n---\nWelcome, {{ profile.first_name }}."
    (tmp_path / "hello" / "templates" / "hello.email.html").write_text(email)
    story = a_story(tmp_path)
    story.happens("trial.signup", **MEMBER)

    about = {"notification.messageId": "$provider:hello", "delivery.destination": "+12015550001"}
    reports(story, "sns_sms_failed", **about, **{"delivery.providerResponse": said})

    assert ("hello", "sms", "failed") in messages(story)
    assert [channel for _, channel, _ in messages(story)] == channels
    assert suppression_causes("+12015550001", "sms") == []


@pytest.mark.parametrize(
    ("code", "channels"), [(131026, ["whatsapp", "sms"]), (131056, ["whatsapp", "sms"]), (131042, ["whatsapp"])]
)
def test_a_whatsapp_message_that_the_account_may_not_send_goes_out_on_no_other_channel(
    a_story: Any, one_message: Path, code: int, channels: list[str]
) -> None:
    story = a_story(one_message)
    story.happens("trial.signup", **MEMBER)

    path = "whatsAppWebhookEntry.changes.0.value.statuses.0.errors.0.code"
    reports(story, "whatsapp_failed", **about_whatsapp("failed"), **{path: code})

    assert ("hello", "whatsapp", "failed") in messages(story)
    assert [channel for _, channel, _ in messages(story)] == channels
    assert suppression_causes("+12015550001", "whatsapp") == []


def test_a_reply_is_matched_to_the_text_that_it_answers(by_end_user_messaging: "Story") -> None:
    story = by_end_user_messaging
    story.happens("trial.signup", **(MEMBER | {"consent": []}))
    story.passes("1h")

    reports(story, "sms_reply", originationNumber="+12015550001", previousPublishedMessageId="$provider:hello")

    (reply,) = [line for line in story.timeline("event") if line["type"] == "message.replied"]
    assert reply["properties"]["message_id"] == story.deployment.report_references()["message:hello"]
    assert (reply["properties"]["keyword"], reply["properties"]["text"]) == ("SLIDES", "SLIDES please")


def test_a_customer_who_stops_marketing_in_whatsapp_gets_no_more_of_it(a_story: Any, one_message: Path) -> None:
    story = a_story(one_message)
    story.happens("trial.signup", **MEMBER)

    path = "whatsAppWebhookEntry.changes.0.value.user_preferences.0"
    reports(story, "whatsapp_stop_marketing", **{f"{path}.wa_id": "12015550001", f"{path}.timestamp": "1772460000"})

    from cairn.adapters.dynamodb.customers import DynamoCustomers
    from infra.local.cloud import IDENTITY_KEYS

    contact = DynamoCustomers(IDENTITY_KEYS).load(story.deployment.report_references()["customer"]).contact
    assert contact.consents["whatsapp:marketing"].status == "denied"
    assert len({line["customer_id"] for line in story.timeline()}) == 1


def test_an_unreadable_report_is_dead_lettered_with_its_reason(story: "Story") -> None:
    story.deployment.feedback('{"eventType": "Bounce", "mail": []}')
    story.deployment.settle()

    ((_, reason),) = story.dead_letters("feedback")
    assert reason.startswith("InvalidEventError: ")


def event_types(story: "Story") -> list[str]:
    return sorted(line["type"] for line in story.timeline("event"))


def counted(story: "Story", target: str = "channel:email") -> int:
    """How many reports of today say that a message was delivered."""
    from cairn.adapters.dynamodb.delivery_counters import DynamoDeliveryCounters
    from cairn.domain.operations.breaker import bucket_of

    now = story.deployment.now()
    buckets = DynamoDeliveryCounters().between(target, bucket_of(now.replace(hour=0)), bucket_of(now))
    return sum(one.counts.delivered for one in buckets)


def test_a_delivery_that_no_journey_hears_is_written_into_the_message(story: "Story") -> None:
    story.signs_up()
    story.passes("2h")

    for _ in range(2):
        reports(story, "ses_delivery", **about_the_email())

    (mail,) = [line for line in story.timeline("message") if line["step"] == "tips"]
    assert (mail["status"], mail["delivered_at"]) == ("delivered", "2026-03-02T14:20:02.310000Z")
    assert event_types(story) == ["trial.signup"]
    assert [counted(story), counted(story, "journey:welcome")] == [1, 1]


def test_a_delivery_is_explained_with_its_instant(story: "Story") -> None:
    story.signs_up()
    story.passes("2h")
    reports(story, "ses_delivery", **about_the_email())

    from cairn.adapters.dynamodb.customers import DynamoCustomers
    from cairn.adapters.dynamodb.timeline import DynamoTimeline
    from cairn.domain.explain.explanations import explain_message
    from infra.local.cloud import IDENTITY_KEYS

    ids = story.deployment.report_references()
    customer = DynamoCustomers(IDENTITY_KEYS).load(ids["customer"])
    shown = explain_message(ids["message:tips"], customer, DynamoTimeline().entries(customer.id))
    assert shown is not None
    assert "The provider reported that it was delivered." in [one.text for one in shown.history]


HEARS_DELIVERY = ONE_MESSAGE.replace("message.opened", "message.delivered").replace("exit: read", "exit: arrived")


@pytest.fixture
def hears_delivery(one_message: Path) -> Path:
    (one_message / "hello" / "journey.yaml").write_text(HEARS_DELIVERY)
    return one_message


def test_a_delivery_that_a_journey_waits_for_is_an_event(a_story: Any, hears_delivery: Path) -> None:
    story = a_story(hears_delivery)
    story.happens("trial.signup", **MEMBER)

    reports(story, "whatsapp_read", **about_whatsapp("delivered"))

    assert messages(story) == [("hello", "whatsapp", "delivered")]
    assert event_types(story) == ["message.delivered", "trial.signup"]
    assert [line["outcome"] for line in story.timeline("ended")] == ["arrived"]
    assert counted(story, "channel:whatsapp") == 1


@pytest.mark.parametrize("again", ["hears it no more", "is gone"])
def test_a_delivery_that_only_an_older_version_waits_for_is_an_event(
    a_story: Any, hears_delivery: Path, again: str
) -> None:
    story = a_story(hears_delivery)
    story.happens("trial.signup", **MEMBER)
    (hears_delivery / "hello" / "journey.yaml").write_text(ONE_MESSAGE)
    if again == "is gone":
        text = ONE_MESSAGE.replace("journey: hello", "journey: other")
        (hears_delivery / "hello").rename(hears_delivery / "other")
        (hears_delivery / "other" / "journey.yaml").write_text(text)
    story.deployment.deploy(hears_delivery)

    reports(story, "whatsapp_read", **about_whatsapp("delivered"))

    assert [line["outcome"] for line in story.timeline("ended")] == ["arrived"]


def test_a_version_is_noted_before_somebody_is_enrolled_in_it(a_story: Any, hears_delivery: Path) -> None:
    """In a rollout another version of record_feedback runs beside it, and knows only what is noted."""
    from bench.calls import watched

    story = a_story(hears_delivery)
    with watched(story.deployment) as calls:
        story.happens("trial.signup", **MEMBER)

    by_process = [call for call in calls if call.function == "process_event" and call.service == "dynamodb"]
    noted = [number for number, call in enumerate(by_process) if "heard" in str(call.arguments.get("Key"))]
    commits = [number for number, call in enumerate(by_process) if call.operation == "TransactWriteItems"]
    assert noted < commits
    assert len(noted) == 1


def test_a_delivery_in_a_table_of_an_earlier_release_is_an_event(story: "Story") -> None:
    """Until `cairn migrate-table` has noted what its versions hear."""
    from cairn.adapters.dynamodb.items import HEARD, HeardItem

    HeardItem(HEARD, HEARD).delete()
    story.signs_up()
    story.passes("2h")

    reports(story, "ses_delivery", **about_the_email())

    assert ("tips", "email", "delivered") in messages(story)
    assert event_types(story) == ["message.delivered", "trial.signup"]
    assert counted(story) == 1


def test_a_delivery_after_a_merge_is_written_into_the_message(story: "Story") -> None:
    story.happens("lead.captured", customer={"email": "mia.1@example.com"}, attributes={"first_name": "Mia"})
    story.happens(
        "trial.signup",
        customer={"email": "mia.1@example.com"},
        consent=[{"channel": "email", "purpose": "marketing", "status": "granted", "source": "form"}],
    )
    story.passes("2h")
    before = story.deployment.report_references()
    story.happens("note.written", "other", customer={"user_id": "member-1"})
    story.happens("profile.completed", customer={"user_id": "member-1", "email": "mia.1@example.com"})
    assert story.deployment.report_references()["customer"] != before["customer"]

    put = {"mail.tags": {"message": [before["message:tips"]], "customer": [before["customer"]]}}
    reports(story, "ses_delivery", **put)

    assert ("tips", "email", "delivered") in messages(story)
    assert counted(story) == 1


def test_a_delivery_for_an_erased_customer_leaves_nothing(story: "Story") -> None:
    story.signs_up()
    story.passes("2h")
    before = story.deployment.report_references()
    story.erases("member-1")
    story.passes("2h")
    left = story.deployment.cloud.client("dynamodb").scan(TableName=story.deployment.cloud.table)["Items"]

    put = {"mail.tags": {"message": [before["message:tips"]], "customer": [before["customer"]]}}
    reports(story, "ses_delivery", **put)

    after = story.deployment.cloud.client("dynamodb").scan(TableName=story.deployment.cloud.table)["Items"]
    assert after == left
    assert story.dead_letters("events") == []


def test_a_delivery_that_comes_before_the_record_is_not_lost(a_story: Any, one_message: Path) -> None:
    story = a_story(one_message)
    story.deployment.stop("deliver_message")
    story.happens("trial.signup", **MEMBER)
    (waiting,) = [json.loads(one["Body"]) for one in story.deployment.cloud.receive("messages", 10)]

    path = "whatsAppWebhookEntry.changes.0.value.statuses.0"
    callback = f"{waiting['customer']}/{waiting['id']}"
    put = {f"{path}.biz_opaque_callback_data": callback, f"{path}.status": "delivered"}
    reports(story, "whatsapp_read", **put)

    assert event_types(story) == ["message.delivered", "trial.signup"]
    assert [line["status"] for line in story.timeline("message")] == ["delivered"]
