"""The example page of the in-app inbox, on a laptop only: an app with the inbox of a made-up customer."""

from __future__ import annotations

import json
from datetime import timedelta
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from cairn.adapters.dynamodb.in_app import DynamoInAppInbox
from cairn.adapters.s3 import NoOverflow
from cairn.adapters.sqs.events_queue import EventsQueue
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import USER_ID, Identifier, customer_id_for
from cairn.domain.identity.trust import TRACK_SOURCE
from cairn.domain.message.in_app import InAppMessage, inbox_id

if TYPE_CHECKING:
    from infra.local.deployment import LocalDeployment

PAGE = Path(__file__).with_name("in_app_example.html")

HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'"
    ),
}

MADE_UP = Identifier(USER_ID, "in-app-example")

SAMPLES = (
    (
        "welcome",
        timedelta(days=2),
        "Welcome to Northside",
        "Your membership has begun.\nThe pool is open from 6:00.",
        "",
    ),
    (
        "visit",
        timedelta(hours=20),
        "Your visit on Saturday",
        "We wait for you at 10:00, at the main entrance.",
        "/visits/1",
    ),
    (
        "offer",
        timedelta(minutes=5),
        "Bring a friend for free",
        "This week, each member may bring a friend.",
        "/friends",
    ),
)


def page(deployment: LocalDeployment, customer: str) -> tuple[int, str]:
    """The status and the page; of the made-up customer where none is named."""
    name = customer or MADE_UP.value
    if not customer:
        _make_up(deployment)
    body = json.dumps({"customer": name, "minutes": 24 * 60, "why": "the example page"}).encode()
    answer = deployment.manage("POST", "http://localhost/manage/in-app-tokens", {}, body, actor="example")
    document = json.loads(answer["body"])
    if answer["statusCode"] != 200:  # noqa: PLR2004  made
        return answer["statusCode"], f"<!doctype html><title>No inbox</title><p>{escape(document['detail'])}</p>"
    return 200, Template(PAGE.read_text(encoding="utf-8")).substitute(token=document["token"])


def _make_up(deployment: LocalDeployment) -> None:
    """A customer with an account, and three messages: the same ones, however often the page is opened."""
    with deployment.lock:
        cloud, now = deployment.cloud, deployment.now()
        event = Event(
            id="in-app-example", source=TRACK_SOURCE, type="account.opened", occurred_at=now, identifiers=(MADE_UP,)
        )
        queue = EventsQueue(cloud.client("sqs"), cloud.urls["events"], NoOverflow(), cloud.identity_keys.queue_groups)
        queue.put([event])
        deployment.settle()
        inbox, id_ = DynamoInAppInbox(), customer_id_for(MADE_UP, cloud.identity_keys.customer_ids)
        if inbox.newest(id_, 1):
            return
        for message, ago, title, text, link in SAMPLES:
            sent_at = now - ago
            inbox.put(
                InAppMessage(
                    id=inbox_id(f"in-app-example-{message}-1", sent_at),
                    message=f"in-app-example-{message}-1",
                    customer=id_,
                    sent_at=sent_at,
                    expires_at=now + timedelta(days=30),
                    title=title,
                    text=text,
                    link=link,
                    button="Show it" if link else "",
                )
            )
