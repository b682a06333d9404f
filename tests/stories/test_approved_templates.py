"""Only templates approved by Meta or registered in India are sent, in the customer's language and not too late."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Story

ROOT = Path(__file__).parents[2]

JOURNEY = """
journey: hello
entry: {event: trial.signup}
steps:
  - id: by-whatsapp
    send: {channel: whatsapp, template: hello, purpose: marketing, useful_for: 6h}
  - id: by-sms
    send: {channel: sms, template: hello, purpose: marketing, useful_for: 6h}
"""

TEMPLATES = {
    "hello.whatsapp.txt": "---\nwhatsapp_template: welcome_back\nwhatsapp_language: en_US\n"
    "whatsapp_parameters: ['{{ profile.first_name }}']\n---\nWelcome back, {{ profile.first_name }}!",
    "hello.es.whatsapp.txt": "---\nwhatsapp_template: welcome_back\nwhatsapp_language: es\n"
    "whatsapp_parameters: ['{{ profile.first_name }}']\n---\nBienvenida, {{ profile.first_name }}!",
    "hello.fr.whatsapp.txt": "Bonjour!",
    "hello.sms.txt": "---\ndlt_template: '1107160000000012345'\n---\nWelcome back, {{ profile.first_name }}! STOP",
}

NOON_IN_DELHI = "2026-03-03T06:30:00+00:00"


@pytest.fixture
def starting(tmp_path: Path) -> "Iterator[Callable[..., Story]]":
    """A deployment with an approved template on WhatsApp and a registered one in India."""
    from datetime import datetime

    from infra.local.deployment import local_deployment
    from infra.local.signing import local_secrets
    from tests.conftest import Story

    folder = tmp_path / "journeys" / "hello"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(JOURNEY)
    for name, text in TEMPLATES.items():
        (folder / "templates" / name).write_text(text)

    with ExitStack() as stack:

        def start(at: str, entity: str = "1101000000") -> Story:
            policy = tmp_path / "policy.toml"
            own = f'dlt_entity = "{entity}"\n' if entity else ""
            policy.write_text(own + (ROOT / "policy.toml").read_text(encoding="utf-8"))
            made = local_deployment(
                folder.parent,
                start=datetime.fromisoformat(at),
                secrets=local_secrets({}),
                policy=policy,
                texts_by_end_user_messaging=True,
            )
            return Story(stack.enter_context(made))

        yield start


def signs_up(story: "Story", phone: str, channel: str, **attributes: str) -> None:
    story.happens(
        "trial.signup",
        customer={"user_id": "asha", "phone": phone},
        attributes={"first_name": "Asha", **attributes},
        consent=[{"channel": channel, "purpose": "marketing", "status": "granted", "source": "form"}],
    )


def suppressed(story: "Story", step: str) -> list[str]:
    return [line["reason"] for line in story.timeline("suppressed") if line["step"] == step]


def taken(story: "Story") -> list[dict[str, Any]]:
    return [one.request for one in story.deployment.cloud.end_user_messaging.sent]


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en_US"), ("es-MX", "es")])
def test_whatsapp_gets_the_approved_template_in_the_customers_language(
    starting: "Callable[..., Story]", locale: str, language: str
) -> None:
    story = starting("2026-03-03T12:00:00+00:00")

    signs_up(story, "+34600123456", "whatsapp", locale=locale, time_zone="Europe/Madrid")

    (request,) = taken(story)
    template = request["message"]["template"]
    assert (template["name"], template["language"]) == ("welcome_back", {"code": language})
    assert template["components"][0]["parameters"] == [{"type": "text", "text": "Asha"}]


def test_a_language_without_an_approved_template_is_not_sent_outside_a_session(
    starting: "Callable[..., Story]",
) -> None:
    story = starting("2026-03-03T12:00:00+00:00")

    signs_up(story, "+33612345678", "whatsapp", locale="fr", time_zone="Europe/Paris")

    assert taken(story) == []
    assert suppressed(story, "by-whatsapp") == ["session_over"]


def test_a_text_to_india_carries_the_ids_of_sender_and_template(starting: "Callable[..., Story]") -> None:
    story = starting(NOON_IN_DELHI)

    signs_up(story, "+919820012345", "sms", time_zone="Asia/Kolkata")

    (request,) = taken(story)
    assert request["DestinationCountryParameters"] == {
        "IN_ENTITY_ID": "1101000000",
        "IN_TEMPLATE_ID": "1107160000000012345",
    }


def test_no_text_goes_to_india_without_the_senders_id(starting: "Callable[..., Story]") -> None:
    story = starting(NOON_IN_DELHI, entity="")

    signs_up(story, "+919820012345", "sms", time_zone="Asia/Kolkata")

    assert taken(story) == []
    assert suppressed(story, "by-sms") == ["unregistered"]


@pytest.mark.parametrize(("hour", "sent"), [("02:00", 1), ("19:00", 0)])
def test_a_message_that_cannot_be_sent_while_it_is_useful_is_dropped(
    starting: "Callable[..., Story]", hour: str, sent: int
) -> None:
    """India's promotional window is 10:00 to 21:00; the message is useful for six hours."""
    story = starting(f"2026-03-03T{hour}:00+00:00")  # 07:30 or half past midnight in Delhi

    signs_up(story, "+919820012345", "sms", time_zone="Asia/Kolkata")
    story.passes("2d")

    assert len(taken(story)) == sent
    assert suppressed(story, "by-sms") == ([] if sent else ["stale"])
