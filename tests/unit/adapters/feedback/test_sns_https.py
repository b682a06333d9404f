"""SNS over HTTPS: only fresh messages that a known topic has signed are accepted."""

import base64
import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError, HTTPClientError
from botocore.httpsession import URLLib3Session
from moto import mock_aws

from cairn.adapters.feedback.sns_https import SnsSource, fetch
from cairn.application.events.accept_webhook import AcceptWebhook, Reading, Request
from cairn.domain.shared.errors import (
    CairnError,
    SecretMissingError,
    ServiceBusyError,
    SignatureInvalidError,
    SignatureMissingError,
)
from tests.unit.adapters.feedback.topic import ARN, CERTIFICATE_URL, SUBSCRIBE_URL, Topic
from tests.unit.fakes import Inbox, Secrets
from tests.unit.makers import MONDAY

DELIVERED = {
    "eventType": "TEXT_DELIVERED",
    "messageId": "eum-1",
    "isFinal": True,
    "context": {"message": "enr-hello-1", "customer": "c_ada"},
}


@pytest.fixture(scope="module")
def signer() -> Topic:
    return Topic()


@pytest.fixture
def topic(signer: Topic) -> Topic:
    """One that nothing was fetched from yet; its key takes long to make."""
    return Topic(signer.key)


def posted(document: Any) -> Request:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Request("https://localhost/webhooks/sns", {"content-type": "text/plain; charset=UTF-8"}, body)


def reading_of(topic: Topic, document: Any, topics: tuple[str, ...] = (ARN,)) -> Reading:
    source, request = SnsSource(topic.fetch), posted(document)
    source.verify(request, topics, MONDAY)
    return source.read(request, MONDAY)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Delivery status"}, {"Message": json.dumps(DELIVERED | {"ü": "ü"})}])
def test_a_message_of_a_known_topic_is_accepted(topic: Topic, version: str, more: dict[str, str]) -> None:
    reading = reading_of(topic, topic.notification(DELIVERED, MONDAY, version=version, **more))

    (event,) = reading.events
    assert (event.type, event.customer_id, event.source) == ("message.delivered", "c_ada", "feedback")


def test_both_spellings_of_the_certificate_url_field_are_read(topic: Topic) -> None:
    message = topic.notification(DELIVERED, MONDAY)
    message["SigningCertUrl"] = message.pop("SigningCertURL")

    assert reading_of(topic, message).events


def test_moto_signs_and_we_verify() -> None:
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        from moto.sns.models import sns_backends

        sns, sqs = (boto3.client(name, region_name="us-east-1") for name in ("sns", "sqs"))
        arn = sns.create_topic(Name="cairn-feedback")["TopicArn"]
        queue = sqs.create_queue(QueueName="feedback")["QueueUrl"]
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:feedback")
        sns.publish(TopicArn=arn, Message=json.dumps(DELIVERED))
        body = sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]
        keys = sns_backends["123456789012"]["us-east-1"]._message_public_keys  # noqa: SLF001  what its URL would give
        source, request = SnsSource(lambda url: keys[url.rpartition("/")[2]]), posted(body.encode())

        now = MONDAY.fromisoformat(json.loads(body)["Timestamp"])
        source.verify(request, (arn,), now)

        forged = json.loads(body) | {"Message": json.dumps(DELIVERED | {"messageId": "eum-2"})}
        with pytest.raises(SignatureInvalidError, match="does not hold"):
            source.verify(posted(forged), (arn,), now)
        assert len(source.read(request, now).events) == 1


CHANGED = [
    ("Message", json.dumps(DELIVERED | {"eventType": "TEXT_BLOCKED"})),
    ("MessageId", "another"),
    ("Timestamp", "2026-03-02T09:59:59.000Z"),
    ("Type", "UnsubscribeConfirmation"),
    ("Subject", "added"),
    ("Signature", base64.b64encode(b"\0" * 256).decode()),
    ("Signature", "not base64"),
    ("SignatureVersion", "1"),
    ("SignatureVersion", "3"),
]


@pytest.mark.parametrize(("name", "value"), CHANGED)
def test_a_changed_message_is_refused(topic: Topic, name: str, value: str) -> None:
    message = topic.notification(DELIVERED, MONDAY, SubscribeURL=SUBSCRIBE_URL, Token="t")

    with pytest.raises(SignatureInvalidError):
        reading_of(topic, message | {name: value})


def test_another_key_is_refused(topic: Topic) -> None:
    message = Topic().notification(DELIVERED, MONDAY)

    with pytest.raises(SignatureInvalidError, match="does not hold"):
        reading_of(topic, message)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"Type": "Notification"}', b'{"Type": ["Notification"]}'],
)
def test_a_missing_signature_differs_from_a_wrong_one(topic: Topic, body: bytes) -> None:
    with pytest.raises(SignatureMissingError, match="not a signed SNS message"):
        reading_of(topic, body)


@pytest.mark.parametrize("name", ["Signature", "TopicArn", "Message", "Timestamp", "SignatureVersion"])
def test_a_message_without_a_signed_field_counts_as_unsigned(topic: Topic, name: str) -> None:
    message = topic.notification(DELIVERED, MONDAY)
    del message[name]

    with pytest.raises(SignatureMissingError):
        reading_of(topic, message)


@pytest.mark.parametrize("topics", [(), ("",), (ARN + "-2",), ("arn:aws:sns:eu-west-1:*:cairn-feedback",)])
def test_another_topic_is_refused_before_anything_is_fetched(topic: Topic, topics: tuple[str, ...]) -> None:
    with pytest.raises(SignatureInvalidError, match="sources secret"):
        reading_of(topic, topic.notification(DELIVERED, MONDAY), topics)

    assert topic.asked == []


@pytest.mark.parametrize("age", [timedelta(hours=1), timedelta(days=400), -timedelta(minutes=5), -timedelta(days=1)])
def test_an_old_or_future_message_is_refused_before_anything_is_fetched(topic: Topic, age: timedelta) -> None:
    with pytest.raises(SignatureInvalidError, match="an hour old"):
        reading_of(topic, topic.notification(DELIVERED, MONDAY, age=age))

    assert topic.asked == []


@pytest.mark.parametrize("age", [timedelta(minutes=59, seconds=59), -timedelta(minutes=4)])
def test_the_latest_redelivery_of_sns_is_accepted(topic: Topic, age: timedelta) -> None:
    assert reading_of(topic, topic.notification(DELIVERED, MONDAY, age=age)).events


@pytest.mark.parametrize("timestamp", ["yesterday", "", "1772445600"])
def test_a_malformed_timestamp_is_refused(topic: Topic, timestamp: str) -> None:
    with pytest.raises(SignatureInvalidError):
        reading_of(topic, topic.notification(DELIVERED, MONDAY, Timestamp=timestamp))


@pytest.mark.parametrize(
    "url",
    [
        "",
        None,
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://evil.example\\@sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.pem?x=1",
        "https://sns.eu-west-1.amazonaws.com/a.pem#x",
        "https://sns.eu-west-1.amazonaws.com/?Action=GetEndpointAttributes&x=.pem",
        "https://sns.eu-west-1.amazonaws.com/a/b.pem",
        "https://sns.eu-west-1.amazonaws.com/../b.pem",
        "https://sns.eu-west-1.amazonaws.com/a.pem\n",
        "https://sns.eu-west-1.amazonaws.com/a.crt",
        "https://sns.eu.amazonaws.com/a.pem",
        "https://sns..amazonaws.com/a.pem",
        "https://notsns.eu-west-1.amazonaws.com/a.pem",
        "https://s3.eu-west-1.amazonaws.com/sns/a.pem",
        "https://[sns.eu-west-1.amazonaws.com/a.pem",
    ],
)
def test_a_certificate_at_another_host_is_not_fetched(topic: Topic, url: Any) -> None:
    message = topic.notification(DELIVERED, MONDAY, SigningCertURL=url)

    with pytest.raises(SignatureInvalidError, match="does not lie with SNS"):
        reading_of(topic, message)

    assert topic.asked == []


def test_china_has_a_host_of_its_own(topic: Topic) -> None:
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-01.pem"
    topic.certificates[url] = topic.certificate()

    assert reading_of(topic, topic.notification(DELIVERED, MONDAY, SigningCertURL=url)).events


@pytest.mark.parametrize("content", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_malformed_certificate_is_refused(topic: Topic, content: bytes) -> None:
    topic.certificates[CERTIFICATE_URL] = content

    with pytest.raises(SignatureInvalidError, match="is none"):
        reading_of(topic, topic.notification(DELIVERED, MONDAY))


def test_a_certificate_is_fetched_once(topic: Topic) -> None:
    source = SnsSource(topic.fetch)

    for number in range(3):
        source.verify(posted(topic.notification(DELIVERED, MONDAY, MessageId=str(number))), (ARN,), MONDAY)

    assert topic.asked == [CERTIFICATE_URL]


def test_the_certificate_cache_is_bounded(topic: Topic) -> None:
    source = SnsSource(topic.fetch)

    for number in range(40):
        url = f"https://sns.eu-west-1.amazonaws.com/a{number}.pem"
        topic.certificates[url] = topic.certificates[CERTIFICATE_URL]
        source.verify(posted(topic.notification(DELIVERED, MONDAY, SigningCertURL=url)), (ARN,), MONDAY)

    assert len(source._keys) <= 16  # noqa: SLF001  memory is not seen from outside


def test_an_unreachable_certificate_lets_sns_retry(topic: Topic) -> None:
    def down(url: str) -> bytes:  # noqa: ARG001
        raise ServiceBusyError("sns answered 503")

    source = SnsSource(down)

    with pytest.raises(ServiceBusyError) as error:
        source.verify(posted(topic.notification(DELIVERED, MONDAY)), (ARN,), MONDAY)
    assert error.value.retryable


@pytest.mark.parametrize(
    "answer",
    [AWSResponse(CERTIFICATE_URL, code, HTTPHeaders(), BytesIO()) for code in (302, 403, 404, 503)]
    + [HTTPClientError(error="reset"), EndpointConnectionError(endpoint_url=CERTIFICATE_URL)],
    ids=["redirected", "forbidden", "not there", "busy", "no answer", "no connection"],
)
def test_an_unexpected_response_lets_sns_retry(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    def send(*_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(URLLib3Session, "send", send)

    with pytest.raises(ServiceBusyError, match="sns"):
        fetch(CERTIFICATE_URL)


def test_the_response_body_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    given = AWSResponse(CERTIFICATE_URL, 200, HTTPHeaders(), BytesIO(b"certificate"))
    monkeypatch.setattr(URLLib3Session, "send", lambda *_: given)

    assert fetch(CERTIFICATE_URL) == b"certificate"


def test_a_subscription_to_a_known_topic_is_confirmed(topic: Topic) -> None:
    reading = reading_of(topic, topic.confirmation(MONDAY))

    assert reading == Reading(ignored=True)
    assert topic.asked == [CERTIFICATE_URL, SUBSCRIBE_URL]


def test_a_subscription_to_another_topic_is_not_confirmed(topic: Topic) -> None:
    with pytest.raises(SignatureInvalidError):
        reading_of(topic, topic.confirmation(MONDAY), ("arn:aws:sns:eu-west-1:123456789012:ours",))

    assert topic.asked == []


@pytest.mark.parametrize(
    "url",
    [
        SUBSCRIBE_URL.replace("https", "http"),
        SUBSCRIBE_URL.replace("amazonaws.com", "amazonaws.com.evil.example"),
        SUBSCRIBE_URL.replace("cairn-feedback", "another"),
        "https://sns.eu-west-1.amazonaws.com/",
        "https://169.254.169.254/latest/meta-data/",
    ],
)
def test_a_subscription_is_confirmed_with_sns_only(topic: Topic, url: str) -> None:
    with pytest.raises(SignatureInvalidError, match="elsewhere"):
        reading_of(topic, topic.confirmation(MONDAY, SubscribeURL=url))

    assert topic.asked == [CERTIFICATE_URL]


def test_an_unsigned_confirmation_fetches_nothing(topic: Topic) -> None:
    with pytest.raises(SignatureInvalidError):
        reading_of(topic, topic.confirmation(MONDAY) | {"Token": "another"})

    assert SUBSCRIBE_URL not in topic.asked


def test_the_end_of_a_subscription_is_acknowledged(topic: Topic) -> None:
    goodbye = topic.confirmation(MONDAY, Type="UnsubscribeConfirmation")

    assert reading_of(topic, goodbye) == Reading(ignored=True)
    assert topic.asked == [CERTIFICATE_URL]


def test_an_irrelevant_message_is_acknowledged_and_an_unreadable_one_has_problems(topic: Topic) -> None:
    irrelevant = reading_of(topic, topic.notification({"eventType": "TEXT_QUEUED", "messageId": "eum-1"}, MONDAY))
    unreadable = reading_of(topic, topic.notification("Hello", MONDAY))

    assert irrelevant == Reading(ignored=True)
    assert unreadable.problems
    assert not unreadable.events


def test_it_is_a_source_like_any_other(topic: Topic) -> None:
    inbox = Inbox()
    accept = AcceptWebhook({"sns": SnsSource(topic.fetch)}, Secrets(sns=(ARN,)), inbox)

    accept("sns", posted(topic.notification(DELIVERED, MONDAY)), MONDAY)

    assert [event.type for event in inbox] == ["message.delivered"]
    assert accept.answer_of("sns").status == 200
    assert accept.challenge("sns", posted({})) is None


def test_without_a_stored_topic_every_message_is_refused(topic: Topic) -> None:
    accept = AcceptWebhook({"sns": SnsSource(topic.fetch)}, Secrets(), Inbox())

    with pytest.raises(SecretMissingError):
        accept("sns", posted(topic.notification(DELIVERED, MONDAY)), MONDAY)


def test_every_refusal_has_a_reason_and_no_content_of_the_message(topic: Topic) -> None:
    secret = topic.notification("ada@example.com", MONDAY, Subject="ada") | {"MessageId": "changed"}

    with pytest.raises(CairnError) as error:
        reading_of(topic, secret)

    assert "ada" not in str(error.value)
