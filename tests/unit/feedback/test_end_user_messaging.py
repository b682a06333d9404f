"""End User Messaging is asked for what its service model takes, and what it answers is told in our words."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import get_session
from botocore.stub import ANY, Stubber

from cairn import bootstrap
from cairn.adapters.end_user_messaging import EndUserSms, EndUserWhatsApp, NoWhatsApp
from cairn.adapters.feedback import read
from cairn.application.ports import Provider
from cairn.domain.consent import Channel, Purpose
from cairn.domain.errors import ProviderBusyError, ProviderRejectedError
from cairn.domain.message import Rendered
from cairn.settings import DeliverMessageSettings
from infra.local.cloud import sandbox
from tests.unit.makers import MONDAY, message

TEXT = Rendered(Channel.SMS, "+12015550123", "Welcome.")
POOL = "arn:aws:sms-voice:us-east-1:123456789012:pool/pool-1"


def client(service: str) -> Any:
    return get_session().create_client(
        service,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@pytest.fixture
def sms() -> Iterator[Stubber]:
    with Stubber(client("pinpoint-sms-voice-v2")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def social() -> Iterator[Stubber]:
    with Stubber(client("socialmessaging")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def texting(stubber: Stubber) -> Provider:
    return EndUserSms(stubber.client, origination=POOL, configuration_set="cairn")


@pytest.mark.parametrize(
    ("purpose", "kind"), [(Purpose.TRANSACTIONAL, "TRANSACTIONAL"), (Purpose.MARKETING, "PROMOTIONAL")]
)
def test_a_text_carries_what_its_reports_give_back(sms: Stubber, purpose: Purpose, kind: str) -> None:
    asked = {
        "DestinationPhoneNumber": "+12015550123",
        "OriginationIdentity": POOL,
        "MessageBody": "Welcome.",
        "MessageType": kind,
        "ConfigurationSetName": "cairn",
        "Context": {"message": "enr-confirm-1", "customer": "c_ada"},
    }
    sms.add_response("send_text_message", {"MessageId": "eum-1"}, asked)

    assert texting(sms).send(message(purpose=purpose), TEXT) == "eum-1"


def test_who_opted_out_is_told_apart_from_other_conflicts(sms: Stubber) -> None:
    sms.add_client_error(
        "send_text_message",
        "ConflictException",
        http_status_code=400,
        modeled_fields={"Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"},
    )

    with pytest.raises(ProviderRejectedError) as error:
        texting(sms).send(message(), TEXT)

    assert error.value.code == "DESTINATION_PHONE_NUMBER_OPTED_OUT"


def test_a_busy_provider_has_sent_nothing(sms: Stubber) -> None:
    sms.add_client_error("send_text_message", "ThrottlingException", http_status_code=429)

    with pytest.raises(ProviderBusyError):
        texting(sms).send(message(), TEXT)


def test_a_text_that_the_service_does_not_take_is_not_tried_for_ever(sms: Stubber) -> None:
    sms.add_client_error("send_text_message", "ValidationException", http_status_code=400)

    with pytest.raises(ProviderRejectedError):
        texting(sms).send(message(), Rendered(Channel.SMS, "+12015550123", "x" * 1601))


def test_a_text_that_botocore_does_not_take_is_rejected_likewise() -> None:
    provider = EndUserSms(client("pinpoint-sms-voice-v2"), origination=POOL, configuration_set="cairn")

    with pytest.raises(ProviderRejectedError):
        provider.send(message(), Rendered(Channel.SMS, "+12015550123", ""))


def test_a_whatsapp_message_carries_what_its_statuses_give_back(social: Stubber) -> None:
    asked: dict[str, Any] = {"originationPhoneNumberId": "phone-number-id-1", "message": ANY, "metaApiVersion": "v20.0"}
    social.add_response("send_whatsapp_message", {"messageId": "aws-1"}, asked)
    sent: list[dict[str, Any]] = []
    social.client.meta.events.register(
        "provide-client-params.*.*", lambda params, **_: sent.append(json.loads(params["message"]))
    )
    provider = EndUserWhatsApp(social.client, phone_number_id="phone-number-id-1")

    assert provider.send(message(), Rendered(Channel.WHATSAPP, "+12015550123", "Welcome, Zoë.")) == "aws-1"

    (document,) = sent
    assert document["to"] == "+12015550123"
    assert document["text"]["body"] == "Welcome, Zoë."
    given_back = {"id": "wamid.1", "status": "read", "recipient_id": "12015550123"}
    given_back["biz_opaque_callback_data"] = document["biz_opaque_callback_data"]
    (event,) = read(
        json.dumps({"whatsAppWebhookEntry": json.dumps({"changes": [{"value": {"statuses": [given_back]}}]})}), MONDAY
    )
    assert (event.customer_id, event.properties["message_id"]) == ("c_ada", "enr-confirm-1")


def test_without_a_number_every_whatsapp_message_is_rejected() -> None:
    with pytest.raises(ProviderRejectedError) as error:
        NoWhatsApp().send(message(), TEXT)

    assert error.value.code == "no_whatsapp_number"


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({}, {Channel.SMS: "SnsSms", Channel.WHATSAPP: "NoWhatsApp"}),
        ({"sms_origination": POOL, "sms_configuration_set": "cairn"}, {Channel.SMS: "EndUserSms"}),
        ({"whatsapp_phone_number_id": "phone-number-id-1"}, {Channel.WHATSAPP: "EndUserWhatsApp"}),
    ],
)
def test_what_is_configured_is_what_sends(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], wanted: dict[Channel, str]
) -> None:
    blank = dict.fromkeys(("sms_origination", "sms_configuration_set", "whatsapp_phone_number_id"), "")
    settings = DeliverMessageSettings(
        stage="test",
        table_name="cairn",
        messages_dead_letter_queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/dead",
        journeys_path="catalogue.json",
        email_sender="hello@example.com",
        email_configuration_set="cairn",
        sms_sender_id="",
        **(blank | told),
    )
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    with sandbox():
        providers = bootstrap.deliver_message().providers

    assert {channel: type(providers[channel]).__name__ for channel in wanted} == wanted
    assert providers.keys() == set(Channel)
