"""Answers of a policy."""

from cairn.domain.consent.keywords import Intent
from cairn.domain.policy import Forbidden, Policy
from cairn.domain.shared.channels import Channel, Purpose

POLICY = Policy(
    answers={"en": {Intent.STOP: "Stopped", Intent.HELP: "Help"}, "es": {Intent.STOP: "Hecho"}},
    forbidden=(Forbidden(channel=Channel.WHATSAPP, purpose=Purpose.MARKETING, country="US", source="Meta"),),
    countries_needing_registration={Channel.SMS: frozenset({"IN"})},
)


def test_an_answer_is_in_the_customer_s_language_else_in_english() -> None:
    assert POLICY.answer(Intent.STOP, "es_MX") == "Hecho"
    assert POLICY.answer(Intent.STOP, "ES-419") == "Hecho"
    assert POLICY.answer(Intent.HELP, "es") == "Help"
    assert POLICY.answer(Intent.STOP, "fr") == POLICY.answer(Intent.STOP) == "Stopped"


def test_a_missing_answer_is_empty() -> None:
    assert POLICY.answer(Intent.START) == ""
    assert Policy().answer(Intent.STOP, "en") == ""


def test_a_prohibition_covers_only_its_channel_purpose_and_country() -> None:
    found = POLICY.forbidding(Channel.WHATSAPP, Purpose.MARKETING, "US")

    assert found is not None
    assert found.source == "Meta"
    assert POLICY.forbidding(Channel.WHATSAPP, Purpose.TRANSACTIONAL, "US") is None
    assert POLICY.forbidding(Channel.WHATSAPP, Purpose.MARKETING, "MX") is None
    assert POLICY.forbidding(Channel.SMS, Purpose.MARKETING, "US") is None


def test_registration_depends_on_channel_and_country() -> None:
    assert POLICY.needs_registration(Channel.SMS, "IN")
    assert not POLICY.needs_registration(Channel.SMS, "US")
    assert not POLICY.needs_registration(Channel.WHATSAPP, "IN")
