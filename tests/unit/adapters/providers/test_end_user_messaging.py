"""Requests to End User Messaging match its service model, and its answers are mapped to our errors."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.model import OperationModel
from botocore.session import get_session
from botocore.stub import ANY, Stubber

from cairn.adapters import aws, backoff
from cairn.adapters.feedback.reports import read
from cairn.adapters.providers.calls import QUICK_ATTEMPTS, Handover
from cairn.adapters.providers.end_user_messaging import EndUserSms, EndUserWhatsApp, NoWhatsApp
from cairn.adapters.providers.sns import SnsSms
from cairn.application.ports import Provider
from cairn.compose import deliver_message as compose
from cairn.domain.message.message import Rendered
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ProviderBusyError, ProviderRejectedError
from cairn.settings import DeliverMessageSettings
from infra.local.cloud import IDENTITY_KEYS, IDENTITY_SECRET, sandbox
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
def test_a_text_carries_the_context_that_its_reports_return(sms: Stubber, purpose: Purpose, kind: str) -> None:
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


INDIAN = Rendered(Channel.SMS, "+919820012345", "Welcome.", registered={"dlt_template": "1107160000000012345"})


def test_a_text_to_india_carries_the_ids_under_which_it_is_registered(sms: Stubber) -> None:
    asked = {
        "DestinationPhoneNumber": "+919820012345",
        "OriginationIdentity": POOL,
        "MessageBody": "Welcome.",
        "MessageType": "TRANSACTIONAL",
        "ConfigurationSetName": "cairn",
        "Context": {"message": "enr-confirm-1", "customer": "c_ada"},
        "DestinationCountryParameters": {"IN_ENTITY_ID": "1101000000", "IN_TEMPLATE_ID": "1107160000000012345"},
    }
    sms.add_response("send_text_message", {"MessageId": "eum-1"}, asked)
    provider = EndUserSms(sms.client, origination=POOL, configuration_set="cairn", dlt_entity="1101000000")

    assert provider.send(message(), INDIAN) == "eum-1"


@pytest.mark.parametrize(
    ("entity", "rendered"),
    [("", INDIAN), ("1101000000", TEXT), ("1101000000", replace(INDIAN, address="+12015550123"))],
)
def test_indias_ids_go_to_india_only_and_only_as_a_pair(sms: Stubber, entity: str, rendered: Rendered) -> None:
    asked = {
        "DestinationPhoneNumber": rendered.address,
        "OriginationIdentity": POOL,
        "MessageBody": "Welcome.",
        "MessageType": "TRANSACTIONAL",
        "ConfigurationSetName": "cairn",
        "Context": {"message": "enr-confirm-1", "customer": "c_ada"},
    }
    sms.add_response("send_text_message", {"MessageId": "eum-1"}, asked)
    provider = EndUserSms(sms.client, origination=POOL, configuration_set="cairn", dlt_entity=entity)

    provider.send(message(), rendered)


def test_a_text_to_india_by_sns_carries_them_too() -> None:
    asked = {
        "PhoneNumber": "+919820012345",
        "Message": "Welcome.",
        "MessageAttributes": {
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
            "AWS.MM.SMS.EntityId": {"DataType": "String", "StringValue": "1101000000"},
            "AWS.MM.SMS.TemplateId": {"DataType": "String", "StringValue": "1107160000000012345"},
        },
    }
    with Stubber(client("sns")) as sns:
        sns.add_response("publish", {"MessageId": "sns-1"}, asked)

        assert SnsSms(sns.client, sender_id="", dlt_entity="1101000000").send(message(), INDIAN) == "sns-1"
        sns.assert_no_pending_responses()


def test_an_opt_out_is_distinguished_from_other_conflicts(sms: Stubber) -> None:
    sms.add_client_error(
        "send_text_message",
        "ConflictException",
        http_status_code=400,
        modeled_fields={"Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"},
    )

    with pytest.raises(ProviderRejectedError) as error:
        texting(sms).send(message(), TEXT)

    assert error.value.code == "DESTINATION_PHONE_NUMBER_OPTED_OUT"


def test_a_busy_provider_has_sent_nothing(sms: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff.time, "sleep", lambda _: None)
    for _ in range(QUICK_ATTEMPTS):
        sms.add_client_error("send_text_message", "ThrottlingException", http_status_code=429)

    with pytest.raises(ProviderBusyError):
        texting(sms).send(message(), TEXT)


def test_a_text_that_the_service_refuses_is_rejected(sms: Stubber) -> None:
    sms.add_client_error("send_text_message", "ValidationException", http_status_code=400)

    with pytest.raises(ProviderRejectedError):
        texting(sms).send(message(), Rendered(Channel.SMS, "+12015550123", "x" * 1601))


def test_a_text_that_botocore_refuses_is_rejected_too() -> None:
    provider = EndUserSms(client("pinpoint-sms-voice-v2"), origination=POOL, configuration_set="cairn")

    with pytest.raises(ProviderRejectedError):
        provider.send(message(), Rendered(Channel.SMS, "+12015550123", ""))


def test_a_whatsapp_message_carries_the_context_that_its_statuses_return(social: Stubber) -> None:
    asked: dict[str, Any] = {"originationPhoneNumberId": "phone-number-id-1", "message": ANY, "metaApiVersion": "v25.0"}
    social.add_response("send_whatsapp_message", {"messageId": "aws-1"}, asked)
    sent: list[dict[str, Any]] = []
    social.client.meta.events.register(
        "provide-client-params.*.*", lambda params, **_: sent.append(json.loads(params["message"]))
    )
    provider = EndUserWhatsApp(social.client, phone_number_id="phone-number-id-1", api_version="v25.0")

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


def documents(social: Stubber) -> list[dict[str, Any]]:
    """The documents that the service gets for Meta from here on."""
    asked: dict[str, Any] = {"originationPhoneNumberId": "phone-number-id-1", "message": ANY, "metaApiVersion": "v25.0"}
    social.add_response("send_whatsapp_message", {"messageId": "aws-1"}, asked)
    sent: list[dict[str, Any]] = []
    social.client.meta.events.register(
        "provide-client-params.*.*", lambda params, **_: sent.append(json.loads(params["message"]))
    )
    return sent


@pytest.mark.parametrize(
    ("address", "field"), [("+5215512345678", "to"), ("US.1000000000000001", "recipient"), ("US.ENT.11", "recipient")]
)
def test_a_number_and_an_id_of_whatsapp_have_fields_of_their_own(social: Stubber, address: str, field: str) -> None:
    sent = documents(social)

    EndUserWhatsApp(social.client, phone_number_id="phone-number-id-1", api_version="v25.0").send(
        message(), Rendered(Channel.WHATSAPP, address, "Hi")
    )

    (document,) = sent
    assert {name: document.get(name) for name in ("to", "recipient")} == {"to": None, "recipient": None, field: address}


def test_an_approved_template_is_sent_instead_of_the_text(social: Stubber) -> None:
    sent = documents(social)
    rendered = Rendered(
        Channel.WHATSAPP,
        "+12015550123",
        "Welcome, Zoë, see you Monday.",
        registered={"whatsapp_template": "welcome_back", "whatsapp_language": "en_US"},
        parameters=("Zoë", "Monday"),
    )

    EndUserWhatsApp(social.client, phone_number_id="phone-number-id-1", api_version="v25.0").send(message(), rendered)

    (document,) = sent
    assert document == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+12015550123",
        "type": "template",
        "template": {
            "name": "welcome_back",
            "language": {"code": "en_US"},
            "components": [
                {"type": "body", "parameters": [{"type": "text", "text": "Zoë"}, {"type": "text", "text": "Monday"}]}
            ],
        },
        "biz_opaque_callback_data": "c_ada/enr-confirm-1",
    }


def test_an_approved_template_without_variables_has_no_components(social: Stubber) -> None:
    sent = documents(social)
    approved = {"whatsapp_template": "hello", "whatsapp_language": "es"}
    rendered = Rendered(Channel.WHATSAPP, "+12015550123", "Hola", registered=approved)

    EndUserWhatsApp(social.client, phone_number_id="phone-number-id-1", api_version="v25.0").send(message(), rendered)

    assert sent[0]["template"] == {"name": "hello", "language": {"code": "es"}}


def test_without_a_number_every_whatsapp_message_is_rejected() -> None:
    with pytest.raises(ProviderRejectedError) as error:
        NoWhatsApp().send(message(), TEXT)

    assert error.value.code == "no_whatsapp_number"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {Channel.SMS: "SnsSms", Channel.WHATSAPP: "NoWhatsApp"}),
        ({"sms_origination": POOL, "sms_configuration_set": "cairn"}, {Channel.SMS: "EndUserSms"}),
        ({"whatsapp_phone_number_id": "phone-number-id-1"}, {Channel.WHATSAPP: "EndUserWhatsApp"}),
    ],
)
def test_the_configured_provider_sends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], wanted: dict[Channel, str]
) -> None:
    configured(monkeypatch, tmp_path, **given)

    with sandbox():
        store_identity_key()
        providers = compose.deliver_message().providers

    found = {channel: one for channel, one in providers.items() if channel in wanted and isinstance(one, Handover)}
    assert {channel: type(one.provider).__name__ for channel, one in found.items()} == wanted
    assert providers.keys() == set(Channel)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "AWS.MM.SMS.EntityId"),
        ({"sms_origination": POOL, "sms_configuration_set": "cairn"}, "IN_ENTITY_ID"),
    ],
)
def test_texts_to_india_carry_the_id_of_the_policy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], expected: str
) -> None:
    configured(monkeypatch, tmp_path, **given)
    asked: list[dict[str, Any]] = []

    def heard(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
        if model.service_model.service_name != "secretsmanager":
            asked.append(params)
            raise _HeardEnoughError

    with sandbox():
        store_identity_key()
        aws.session().register("provide-client-params.*.*", heard)
        with pytest.raises(_HeardEnoughError):
            compose.deliver_message().providers[Channel.SMS].send(message(), INDIAN)

    (params,) = asked
    carried = {**params.get("MessageAttributes", {}), **params.get("DestinationCountryParameters", {})}
    assert "1101000000" in str(carried[expected])


class _HeardEnoughError(Exception):
    """Raised by the fake once it has the request: no answer is needed."""


def store_identity_key() -> None:
    aws.client("secretsmanager").create_secret(Name="x", SecretString=json.dumps(dict(IDENTITY_SECRET)))


def configured(monkeypatch: pytest.MonkeyPatch, folder: Path, **given: str) -> None:
    """The environment of a deployment whose policy has an id of India's DLT."""
    (folder / "policy.json").write_text(json.dumps({"dlt_entity": "1101000000"}))
    names = {one.name for one in fields(DeliverMessageSettings)}
    by_default = dict.fromkeys(names, "x") | dict.fromkeys(names & set(NOT_CONFIGURED), "")
    by_default["identity_fingerprint"] = IDENTITY_KEYS.fingerprint
    settings = DeliverMessageSettings(**{**by_default, "policy_path": str(folder / "policy.json"), **given})
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


NOT_CONFIGURED = ("sms_sender_id", "sms_origination", "sms_configuration_set", "whatsapp_phone_number_id")
