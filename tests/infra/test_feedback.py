"""What providers report comes back; of End User Messaging a stage has nothing, or no more than it needs."""

import json
from pathlib import Path

import pytest

from bench.aws_calls import AwsCall, intercepted
from infra.cloud.bundle import CATALOGUE, status_reports_of
from infra.cloud.stage import InvalidStageError, Stage
from infra.cloud.synth import cdk_json
from infra.local.deployment import local_deployment
from infra.local.end_user_messaging import SMS_ORIGINATION
from infra.local.signing import local_secrets
from tests.conftest import MONDAY
from tests.infra.conftest import Json, Templates, synthesize
from tests.infra.test_least_privilege import Recorder
from tests.infra.test_linters import check_with_cfn_lint

ROOT = Path(__file__).parents[2]
NUMBER = "phone-number-id-0123456789abcdef0123456789abcdef"

JOURNEY = """
journey: hello
description: A text and a WhatsApp message.
entry: {event: trial.signup}
steps:
  - id: text
    send: {channel: sms, template: text, purpose: transactional}
  - id: chat
    send: {channel: whatsapp, template: chat, purpose: transactional}
"""

SIGNUP = {
    "id": "1",
    "type": "trial.signup",
    "customer": {"user_id": "member-1", "phone": "+12015550001"},
    "consent": [{"channel": "whatsapp", "purpose": "transactional", "status": "granted", "source": "form"}],
}


@pytest.fixture(scope="module")
def messaging(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A stage that texts by End User Messaging, sends WhatsApp, and reads SNS's logs all the same."""
    settings = {"sms_origination": SMS_ORIGINATION, "whatsapp_phone_number_id": NUMBER, "sms_delivery_logs": True}
    stage = Stage.from_context("dev", cdk_json(), settings)
    return synthesize(tmp_path_factory.mktemp("messaging"), stage)["dev"]


def published_to(templates: Templates) -> dict[str, str]:
    """Which service may post to which topic."""
    return {
        statement["Principal"]["Service"]: statement["Resource"]["Ref"]
        for policy in templates.all("AWS::SNS::TopicPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and "Service" in statement["Principal"]
    }


def actions(statements: list[Json]) -> dict[str, Json]:
    return {statement["Action"]: statement for statement in statements if isinstance(statement["Action"], str)}


def test_a_stage_without_end_user_messaging_has_no_resources_for_it(dev: Templates) -> None:
    text = json.dumps(dev.engine)

    assert not any(word in text for word in ("sms-voice", "social-messaging", "SMSVOICE", "DirectPublish"))
    assert dev.function("deliver_message")["Environment"]["Variables"]["CAIRN_SMS_ORIGINATION"] == ""


def test_every_topic_leads_to_the_feedback_queue_or_its_dead_letter_queue(messaging: Templates) -> None:
    to_the_queue = [one for one in messaging.all("AWS::SNS::Subscription").values() if one["Protocol"] == "sqs"]

    assert len(to_the_queue) == 3
    for subscription in to_the_queue:
        assert subscription["RawMessageDelivery"] is False
        assert subscription["Endpoint"]["Fn::GetAtt"][0].startswith("QueuesFeedback")
        assert subscription["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].startswith("QueuesFeedbackDead")


def test_each_service_posts_to_a_topic_of_its_own_for_this_account_only(messaging: Templates) -> None:
    posts = published_to(messaging)

    assert {"ses.amazonaws.com", "sms-voice.amazonaws.com", "social-messaging.amazonaws.com"} <= posts.keys()
    assert len(set(posts.values())) == len(posts)
    (key,) = messaging.all("AWS::KMS::Key").values()
    ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    services = [one["Principal"]["Service"] for one in key["KeyPolicy"]["Statement"] if one.get("Condition") == ours]
    encrypts = {service for one in services for service in (one if isinstance(one, list) else [one])}
    assert posts.keys() <= encrypts


def test_the_outputs_say_what_to_connect(messaging: Templates) -> None:
    posts, outputs = published_to(messaging), messaging.engine["Outputs"]

    assert outputs["SmsTopicArn"]["Value"] == {"Ref": posts["sms-voice.amazonaws.com"]}
    assert outputs["WhatsAppTopicArn"]["Value"] == {"Ref": posts["social-messaging.amazonaws.com"]}


def test_only_final_states_of_texts_are_reported(messaging: Templates) -> None:
    (configuration_set,) = messaging.all("AWS::SMSVOICE::ConfigurationSet").values()

    (reports,) = configuration_set["EventDestinations"]
    assert reports["Enabled"] is True
    assert {"TEXT_DELIVERED", "TEXT_SUCCESSFUL", "TEXT_TTL_EXPIRED"} <= set(reports["MatchingEventTypes"])
    assert not {"TEXT_QUEUED", "TEXT_PENDING", "TEXT_SENT", "TEXT_ALL", "ALL"} & set(reports["MatchingEventTypes"])


def test_every_requested_report_is_understood() -> None:
    from cairn.adapters.feedback import ses, sms
    from infra.cloud.feedback import SMS_REPORTS

    of_rcs_and_media = {"FAILED", "FILE_INACCESSIBLE", "FILE_SIZE_EXCEEDED", "FILE_TYPE_UNSUPPORTED"}
    assert {one.removeprefix("TEXT_") for one in SMS_REPORTS} == (sms.ARRIVED | sms.FAILED) - of_rcs_and_media
    assert len(ses.TYPES) == 7


def test_the_sender_may_send_from_our_numbers_only(messaging: Templates) -> None:
    allowed = actions(messaging.statements("deliver_message"))

    assert allowed["sms-voice:SendTextMessage"]["Resource"] == SMS_ORIGINATION
    number = allowed["social-messaging:SendWhatsAppMessage"]["Resource"]["Fn::Join"][1]
    assert number[-1] == ":phone-number-id/0123456789abcdef0123456789abcdef"
    assert ":endpoint/*" in json.dumps(allowed["sns:Publish"]["Resource"]), "devices, and no phone any more"


APPROVED = """---
whatsapp_template: welcome
whatsapp_language: en_US
---
Welcome.
"""
"""Nobody has written to us within a day: only an approved template goes out."""


def test_the_sender_uses_every_permission(messaging: Templates, tmp_path: Path) -> None:
    (tmp_path / "hello" / "templates").mkdir(parents=True)
    (tmp_path / "hello" / "journey.yaml").write_text(JOURNEY)
    (tmp_path / "hello" / "templates" / "text.sms.txt").write_text("Welcome.")
    (tmp_path / "hello" / "templates" / "chat.whatsapp.txt").write_text(APPROVED)
    recorder, secrets = Recorder(), local_secrets({})

    def note(call: AwsCall) -> object:
        recorder.note(call.client.meta.service_model.signing_name, call.operation, call.arguments)
        return call.answer()

    made_locally = local_deployment(tmp_path, start=MONDAY, secrets=secrets, texts_by_end_user_messaging=True)
    with intercepted(note), made_locally as made:
        recorder.watch(made)
        from authoring.sources.samples import posting

        post = posting("track", SIGNUP, secrets["track"], MONDAY)
        made.request("POST", post.url, post.headers, post.body)
        made.settle()

    done = {call.action for call in recorder.calls["deliver_message"]}
    of_interest = {
        one for one in actions(messaging.statements("deliver_message")) if "-voice:" in one or "social" in one
    }
    assert of_interest == {"sms-voice:SendTextMessage", "social-messaging:SendWhatsAppMessage"}
    assert of_interest <= done


def test_snss_logs_start_the_function_and_failures_are_dead_lettered(messaging: Templates) -> None:
    filters = messaging.all("AWS::Logs::SubscriptionFilter").values()
    function = messaging.function("record_feedback")

    names = {one["LogGroupName"]["Fn::Join"][1][-1] for one in filters}
    assert names == {"/DirectPublishToPhoneNumber", "/DirectPublishToPhoneNumber/Failure"}
    assert {one["FilterPattern"] for one in filters} == {""}
    dead_letters = function["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0]
    assert dead_letters.startswith("QueuesFeedbackDeadLetters")
    permissions = [
        one for one in messaging.all("AWS::Lambda::Permission").values() if one["Principal"] == "logs.amazonaws.com"
    ]
    assert len(permissions) == 2
    assert all("SourceArn" in one for one in permissions)


def test_cfn_lint_finds_nothing(messaging: Templates) -> None:
    check_with_cfn_lint(messaging.files()[1], ignored=["W6001"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sms_origination", "+12015550100"),
        ("sms_origination", "pool-0123456789abcdef"),
        ("sms_origination", "arn:aws:sms-voice:us-east-1:123456789012:configuration-set/cairn"),
        ("whatsapp_phone_number_id", "+12015550100"),
        ("whatsapp_phone_number_id", "arn:aws:social-messaging:us-east-1:123456789012:phone-number-id/01"),
    ],
)
def test_an_invalid_sender_is_refused_at_synthesis(field: str, value: str) -> None:
    with pytest.raises(InvalidStageError, match=f"stages.dev: {field}: "):
        Stage.from_context("dev", cdk_json(), {field: value})


def test_record_feedback_knows_which_status_reports_a_deployed_journey_hears(tmp_path: Path) -> None:
    (tmp_path / CATALOGUE).parent.mkdir()
    entries = [{"event": name} for name in ("trial.signup", "message.sent", "message.opened")]
    (tmp_path / CATALOGUE).write_text(json.dumps([{"document": {"entry": entry}} for entry in entries]))

    assert status_reports_of(tmp_path) == "message.sent"


def test_record_feedback_gets_it_as_a_setting(dev: Templates) -> None:
    environment = dev.function("record_feedback")["Environment"]["Variables"]

    assert environment["CAIRN_STATUS_REPORTS_HEARD"] == ""
