"""Erasure removes the dead letters about one customer; those about others are neither lost nor hidden."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cairn.adapters.s3 import EMPTY, Overflow
from cairn.adapters.sqs import dead_letter_eraser as module
from cairn.adapters.sqs.dead_letter_eraser import DeadLetterEraser
from cairn.application.values.erasure import DeadLettersRemoved
from cairn.domain.privacy.traces import Traces
from cairn.domain.shared.errors import ServiceBusyError
from tests.unit.makers import name

MIA = Traces(frozenset({"c_mia"}), name(user_id="member-1", email="mia@example.com"), datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
def eraser(story: Any) -> DeadLetterEraser:
    cloud = story.deployment.cloud
    overflow = Overflow(lambda: cloud.client("s3"), cloud.bucket)
    return DeadLetterEraser(sqs=cloud.client("sqs"), urls=cloud.dead_letter_urls(), overflow=overflow, wait_seconds=0)


def send(story: Any, queue: str, document: Any, number: int = 0, group: str = "g") -> None:
    cloud = story.deployment.cloud
    url = cloud.urls[f"{queue}-dead-letters"]
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": f"{group}{number}"} if url.endswith(".fifo") else {}
    body = document if isinstance(document, str) else json.dumps(document)
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body, **fifo)


def event(user_id: str) -> dict[str, Any]:
    return {"id": "1", "type": "a.b", "occurred_at": "2026-03-02T10:00:00Z", "customer": {"user_id": user_id}}


def test_dead_letters_of_every_queue_are_found_and_others_are_visible_again_at_once(
    story: Any, eraser: DeadLetterEraser
) -> None:
    for queue in ("wakes", "messages", "notices", "feedback", "effects"):
        send(story, queue, {"customer": "c_mia"})
        send(story, queue, {"customer": "c_noa"})
    send(story, "events", event("member-1"))
    send(story, "events", event("member-2"), group="h")

    assert eraser.remove(MIA) == DeadLettersRemoved(6)
    story.passes("1s")
    assert eraser.remove(MIA) == DeadLettersRemoved(0)
    story.passes("1s")
    for queue in ("wakes", "messages", "notices", "feedback", "effects", "events"):
        [(body, _)] = story.dead_letters(queue)
        assert "c_noa" in body or "member-2" in body


def test_all_dead_letters_of_a_customer_in_one_group_are_found(story: Any, eraser: DeadLetterEraser) -> None:
    for number in range(35):
        send(story, "events", event("member-1"), number)
        send(story, "events", event("member-2"), number, group="h")

    assert eraser.remove(MIA) == DeadLettersRemoved(35)


def test_a_body_that_a_dead_letter_points_to_is_emptied_with_it(story: Any, eraser: DeadLetterEraser) -> None:
    for number, user_id in enumerate(["member-1", "member-2"]):
        body = json.dumps(event(user_id) | {"properties": {"t": "x" * 300_000}})
        send(story, "events", eraser.overflow.offload(body), number, group=user_id)

    assert eraser.remove(MIA) == DeadLettersRemoved(1)
    s3, bucket = story.deployment.cloud.client("s3"), story.deployment.cloud.bucket
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    assert min(len(body) for body in bodies) == len(EMPTY)
    assert sum(b"member-2" in body for body in bodies) == 1


def test_a_dead_letter_whose_body_was_already_emptied_is_removed_too(story: Any, eraser: DeadLetterEraser) -> None:
    pointer = eraser.overflow.offload(json.dumps(event("member-1") | {"properties": {"t": "x" * 300_000}}))
    eraser.overflow.discard(pointer)
    send(story, "events", pointer)

    assert eraser.remove(MIA) == DeadLettersRemoved(1)


def test_the_order_waits_while_another_reader_has_dead_letters(story: Any, eraser: DeadLetterEraser) -> None:
    send(story, "feedback", {"mail": "mia@example.com"})
    assert story.dead_letters("feedback")  # `cairn dlq show` looks at it

    with pytest.raises(ServiceBusyError):
        eraser.remove(MIA)
    story.passes("5m")

    assert eraser.remove(MIA) == DeadLettersRemoved(1)


def test_a_body_that_is_not_json_is_read_as_text(story: Any, eraser: DeadLetterEraser) -> None:
    send(story, "feedback", "From: Mia <mia@example.com>")
    send(story, "feedback", "From: Noa <noa@example.com>")

    assert eraser.remove(MIA) == DeadLettersRemoved(1)


def test_more_dead_letters_than_the_limit_are_left_for_a_person(
    story: Any, eraser: DeadLetterEraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_DEAD_LETTERS", 10)
    for _ in range(11):
        send(story, "feedback", {"customer": "c_noa"})
    send(story, "wakes", {"customer": "c_mia"})

    done = eraser.remove(MIA)

    assert done.removed == 1
    [left] = done.unread
    assert left.queue == "cairn-feedback-dead-letters"
    assert "more than 10" in left.why


def test_a_body_that_cannot_be_fetched_is_left_for_a_person_and_the_rest_is_removed(
    story: Any, eraser: DeadLetterEraser
) -> None:
    send(story, "events", '{"s3": "bodies/nothing"}')
    send(story, "events", event("member-1"), group="h")

    done = eraser.remove(MIA)

    assert done.removed == 1
    [left] = done.unread
    assert left.queue == "cairn-events-dead-letters.fifo"
    assert "s3 refused the call" in left.why
    story.passes("1s")
    [(body, _)] = story.dead_letters("events")
    assert body == '{"s3": "bodies/nothing"}', "it is not lost"


def test_a_body_of_many_megabytes_is_left_for_a_person_without_being_read(story: Any, eraser: DeadLetterEraser) -> None:
    send(story, "events", eraser.overflow.offload(json.dumps({"t": "x" * (module.MAX_DEAD_LETTER_BYTES + 1)})))

    [left] = eraser.remove(MIA).unread

    assert "at most" in left.why


def test_one_run_looks_at_a_bounded_number_of_characters(
    story: Any, eraser: DeadLetterEraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_CHARACTERS_A_RUN", 100_000)
    for number in range(5):
        send(story, "feedback", {"customer": "c_noa", "t": "x " * 20_000}, number)

    done = eraser.remove(MIA)

    assert done.removed == 0
    assert len(done.unread) == 3, "two of 40,000 characters fit, once as they are; the third does not"


def test_the_largest_webhook_that_is_no_text_is_read_to_its_end(story: Any, eraser: DeadLetterEraser) -> None:
    body = b"\xff" * (module.MAX_BODY_BYTES - 20) + b" mia@example.com"
    envelope = {"unreadable": {"source": "hmac", "body": base64.b64encode(body).decode(), "encoding": "base64"}}
    send(story, "events", eraser.overflow.offload(json.dumps(envelope)))

    assert eraser.remove(MIA) == DeadLettersRemoved(1)
