"""What people and vendors wrote brings no link and no line into a text, and silences nobody."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from moto.sns import sns_backends
from pynamodb.exceptions import UpdateError

from authoring.sources.samples import posting
from cairn.adapters.dynamodb.items import STATE, CustomerItem
from cairn.adapters.templates.renderer import JinjaRenderer
from cairn.domain.message.message import Message, Rendered
from cairn.domain.profile import bounds
from cairn.domain.shared.channels import Channel
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import local_secrets

ROOT = Path(__file__).parents[2]
OURS = ROOT / "layers" / "journeys"
START = datetime(2026, 3, 3, 15, tzinfo=UTC)  # 10:00 in New York, a Tuesday
SECRETS = local_secrets({})
NUMBER = "+12015550123"


@contextmanager
def ours() -> Iterator[LocalDeployment]:
    with local_deployment(OURS, start=START, secrets=SECRETS) as made:
        yield made


def post(made: LocalDeployment, source: str, document: Any) -> dict[str, Any]:
    """As the vendor signs it."""
    signed = posting(source, document, SECRETS[source], made.now())
    headers = {name.lower(): value for name, value in signed.headers.items()}
    answer = made.request("POST", signed.url, headers, signed.body, "" if source == "track" else source)
    made.settle()
    return answer


def track(made: LocalDeployment, **event: Any) -> None:
    number = len(json.dumps(event))
    answer = post(made, "track", {"id": f"e-{made.now().timestamp()}-{number}", **event})
    assert answer["statusCode"] == 202


def texts() -> list[str]:
    return [text for _, text, *_ in sns_backends["123456789012"]["us-east-1"].sms_messages.values()]


def lines(made: LocalDeployment, kind: str) -> list[dict[str, Any]]:
    return [line for line in made.timeline() if line["kind"] == kind]


def suppressed(made: LocalDeployment) -> list[dict[str, Any]]:
    body = json.dumps({"do": "show", "channel": "sms", "address": NUMBER}).encode()
    actor = "arn:aws:iam::123456789012:user/op"
    answer = made.manage("POST", "https://localhost/manage/suppressions", {}, body, actor=actor)
    found: list[dict[str, Any]] = json.loads(answer["body"])["standing"]
    return found


def stop(made: LocalDeployment) -> int:
    reply = {"MessageSid": "SM1", "From": NUMBER, "To": "+12015550100", "Body": "STOP"}
    return int(post(made, "twilio", reply)["statusCode"])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("you won! http://evil.example/p", "you won!"),
        ("you won! evil.example/p", "you won! evil. example/p"),
        ("Mia\n\nYour bank: call 1-900", "Mia Your bank: call 1-900"),
        ("A" * 1300, "A" * 27 + "..."),
        ("\u0416" * 1300, "\u0416" * 27 + "..."),
        ("\u202eMia\u2066", "Mia"),
    ],
)
def test_a_name_that_somebody_typed_stays_a_name(name: str, shown: str) -> None:
    with ours() as made:
        attributes = {"first_name": name, "time_zone": "America/New_York"}

        track(made, type="trial.signup", customer={"user_id": "m", "phone": NUMBER}, attributes=attributes)

        (text,) = texts()
        assert text.startswith(f"Northside Fitness: welcome, {shown}! Your 14-day trial has begun")


def test_a_payment_link_to_a_host_that_nobody_named_is_not_sent_and_the_timeline_says_why() -> None:
    with ours() as made:
        properties = {"invoice_id": "in_1", "amount_due": 4900, "currency": "usd", "attempt_count": 1}
        link = {"hosted_invoice_url": "https://invoice.stripe.example/i/1"}

        track(made, type="payment.failed", customer={"user_id": "m", "phone": NUMBER}, properties=properties | link)

        (failed,) = lines(made, "failed")
        assert texts() == []
        assert failed["reason"] == "foreign_link"
        assert failed["error"] == (
            "data.hosted_invoice_url leads to invoice.stripe.example, "
            "which is not in link_hosts of the journey or of policy.toml"
        )


def test_a_text_that_became_too_long_goes_out_on_the_next_channel(tmp_path: Path) -> None:
    folder = tmp_path / "note"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(
        "journey: note\nentry: {event: note.written}\nsteps:\n"
        "  - id: note\n    send: {channel: [sms, email], template: note, purpose: transactional}\n"
    )
    (folder / "templates" / "note.sms.txt").write_text("---\nmax_parts: 1\n---\n{{ data.note | full }}")
    (folder / "templates" / "note.email.html").write_text("---\nsubject: A note\n---\n<p>{{ data.note }}</p>")
    with local_deployment(tmp_path, start=START, secrets=SECRETS) as made:
        customer = {"user_id": "m", "phone": NUMBER, "email": "m@example.com"}

        track(made, type="note.written", customer=customer, properties={"note": "a" * 161})

        (message,) = lines(made, "message")
        assert (message["channel"], message["rejected_sms"]) == ("email", "too_long")
        assert texts() == []


@contextmanager
def with_note(folder: Path, entry: str = "note.written", wait: str = "", **templates: str) -> Iterator[LocalDeployment]:
    """A deployment of one journey, which sends a note on the channels that have a template."""
    (folder / "note" / "templates").mkdir(parents=True)
    channels = ", ".join(templates)
    (folder / "note" / "journey.yaml").write_text(
        f"journey: note\nentry: {{event: {entry}}}\nsteps:\n"
        + (f"  - {{id: before, wait: {wait}}}\n" if wait else "")
        + f"  - id: note\n    send: {{channel: [{channels}], template: note, purpose: transactional}}\n"
    )
    for channel, text in templates.items():
        suffix = "html" if channel == "email" else "txt"
        (folder / "note" / "templates" / f"note.{channel}.{suffix}").write_text(text)
    with local_deployment(folder, start=START, secrets=SECRETS) as made:
        yield made


def test_a_name_that_was_cut_in_the_middle_of_an_emoji_goes_out_without_the_half(tmp_path: Path) -> None:
    with with_note(tmp_path, sms="Your ticket, {{ profile.first_name }}: {{ data.seat }}") as made:
        half = chr(0xD83D)

        track(
            made,
            type="note.written",
            customer={"user_id": "m", "phone": NUMBER},
            attributes={"first_name": f"Mia {half}"},
            properties={"seat": f"{half}7b"},
        )

        assert texts() == ["Your ticket, Mia: 7b"]
        assert not any(one["count"] for one in made.dead_letters().summary())


def unfit_for_utf_8(patch: pytest.MonkeyPatch, channel: Channel) -> None:
    """The texts of a channel come out with half an emoji, as by a defect of the renderer."""
    render = JinjaRenderer.render

    def broken(self: JinjaRenderer, message: Message, on: Channel, address: str) -> Rendered:
        made = render(self, message, on, address)
        return replace(made, text=made.text + chr(0xD83D)) if on is channel else made

    patch.setattr(JinjaRenderer, "render", broken)


def test_a_text_that_the_client_cannot_write_goes_out_on_the_next_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfit_for_utf_8(monkeypatch, Channel.SMS)
    with with_note(tmp_path, sms="Hi", email="---\nsubject: A note\n---\n<p>Hi</p>") as made:
        customer = {"user_id": "m", "phone": NUMBER, "email": "m@example.com"}

        track(made, type="note.written", customer=customer)

        (message,) = lines(made, "message")
        assert (message["status"], message["channel"]) == ("sent", "email")
        assert message["rejected_sms"] == "UnicodeEncodeError"


def test_a_text_that_the_client_cannot_write_is_undecided_and_goes_out_once_that_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_note(tmp_path, sms="Hi") as made:
        with monkeypatch.context() as patch:
            unfit_for_utf_8(patch, Channel.SMS)
            track(made, type="note.written", customer={"user_id": "m", "phone": NUMBER})

        (undecided,) = lines(made, "undecided")
        assert (undecided["reason"], undecided["error"]) == ("not_handed_over", "UnicodeEncodeError")
        assert texts() == []

        assert made.dead_letters().redrive("messages", "", None)["redriven"] == 1
        made.settle()

        assert [line["status"] for line in lines(made, "message")] == ["sent"]
        assert texts() == ["Hi"]


def test_null_is_never_printed_and_default_stands_in_for_it(tmp_path: Path) -> None:
    sms = "Hi {{ data.name | default('there') }}, {{ data.url }}"
    email = "---\nsubject: A note\n---\n<p>Hi {{ data.name | default('there') }}</p>"
    with with_note(tmp_path, sms=sms, email=email) as made:
        customer = {"user_id": "m", "phone": NUMBER, "email": "m@example.com"}

        track(made, type="note.written", customer=customer, properties={"name": None, "url": None})

        assert texts() == []
        (failed,) = lines(made, "failed")
        assert (failed["reason"], failed["error"]) == ("template", "template note.sms: UndefinedError")


def test_the_cart_of_a_shop_is_called_items(tmp_path: Path) -> None:
    email = "---\nsubject: Your cart\n---\n{% for item in data.items %}<p>{{ item.title }}</p>{% endfor %}"
    with with_note(tmp_path, entry="cart.updated", email=email) as made:
        customer = {"user_id": "m", "email": "m@example.com"}

        track(made, type="cart.updated", customer=customer, properties={"items": [{"title": "Shoes"}]})

        (mail,) = made.cloud.mails
        assert "<p>Shoes</p>" in mail["Content"]["Simple"]["Body"]["Html"]["Data"]


def test_a_wait_until_milliseconds_in_a_text_waits(tmp_path: Path) -> None:
    """HubSpot gives dates so."""
    with with_note(tmp_path, wait="{until: data.visit_at, offset: -24h}", sms="See you tomorrow") as made:
        visit = made.now() + timedelta(days=18)
        properties = {"visit_at": str(int(visit.timestamp() * 1000))}

        track(made, type="note.written", customer={"user_id": "m", "phone": NUMBER}, properties=properties)

        assert texts() == []
        made.advance_to(visit - timedelta(days=1, minutes=1))
        assert texts() == []
        made.advance_to(visit - timedelta(days=1) + timedelta(minutes=1))
        assert texts() == ["See you tomorrow"]


def test_a_long_note_is_dropped_and_said_so_and_the_stop_after_it_is_heard() -> None:
    with ours() as made:
        customer = {"user_id": "mia", "phone": NUMBER, "external_ids": {"hubspot": "501"}}
        track(made, type="account.opened", customer=customer, attributes={"time_zone": "America/New_York"})
        for number in range(12):
            attributes = {f"notes_{number}": "x" * 60_000, f"fact_{number}": "y" * 3_000}
            track(made, type="contact.changed", customer=customer, attributes=attributes)
            made.advance_to(made.now() + timedelta(minutes=1))

        assert stop(made) == 200

        assert {(line["field"], line["reason"]) for line in lines(made, "dropped")} == {
            (f"attributes.notes_{number}", bounds.VALUE_TOO_LARGE) for number in range(12)
        }
        assert [one["cause"] for one in suppressed(made)] == ["stop"]
        assert [line["type"] for line in lines(made, "event") if line["source"] == "twilio"] == ["message.stopped"]


def test_a_stop_is_heard_where_an_older_release_let_the_profile_grow_to_the_limit() -> None:
    with ours() as made:
        track(made, type="account.opened", customer={"user_id": "mia", "phone": NUMBER})
        _fill_to_the_limit(*made.customer_ids("mia"))

        assert stop(made) == 200

        dead_letters = next(one for one in made.dead_letters().summary() if one["queue"] == "events")
        assert dead_letters["count"] == 0
        assert [one["cause"] for one in suppressed(made)] == ["stop"]
        track(made, type="trial.signup", customer={"user_id": "mia", "phone": NUMBER})
        assert texts() == []


def _fill_to_the_limit(customer: str) -> None:
    """Attributes as they were kept before there were bounds, until not fifty bytes more fit into the item."""
    state = CustomerItem.get(customer, STATE)
    names = state.profile
    at = "2026-01-01T00:00:00Z"
    for size in range(409_600, 0, -50):
        notes = {f"notes_{number}": ["x" * (size // 7), at] for number in range(7)}
        with suppress(UpdateError):
            whole = {**names, "attributes": notes, "activity": {}, "sources": {}, "merged": {}}
            state.update([CustomerItem.profile.set(whole)])
            return
