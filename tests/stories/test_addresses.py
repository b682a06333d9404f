"""One address, one key: however it is written, it is one person's, and what is no name makes nobody one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.samples import posting
from cairn.domain.shared.instants import duration
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.reports import queue_body
from infra.local.signing import LOCAL_SECRET, local_secrets

MONDAY = datetime(2026, 3, 2, 18, tzinfo=UTC)

CONSENT = [
    {"channel": channel, "purpose": purpose, "status": "granted"}
    for channel in ("sms", "email", "whatsapp")
    for purpose in ("marketing", "transactional")
]

TEMPLATES = {
    "note.sms.txt": "Hi",
    "note.email.html": "---\nsubject: Order {{ data.order }}\n---\n<p>Hi</p>",
    "note.whatsapp.txt": "---\nwhatsapp_template: t\nwhatsapp_language: en\n---\nHi",
}

FORMS = {
    "Mexico": ("+525512345678", "5215512345678"),
    "Argentina": ("+5491123456789", "541123456789"),
    "Brazil": ("+5531987654321", "553187654321"),
    "Benin": ("+2290197123456", "22997123456"),
}
"""The number as the customer knows it, and as WhatsApp does."""


def journey(channel: str, purpose: str = "transactional", **entry: Any) -> dict[str, Any]:
    send = {"channel": channel, "template": "note", "purpose": purpose}
    return {
        "journey": "shop",
        "time_zone": "America/New_York",
        "entry": {"event": "note.wanted", "again": "when-ended", **entry},
        "steps": [{"id": "note", "send": send}, {"id": "rest", "wait": "1h"}, {"id": "again", "send": send}],
    }


class Shop:
    def __init__(self, made: LocalDeployment) -> None:
        self.made = made
        self.sent = 0

    def happens(self, customer: dict[str, Any], event_type: str = "note.wanted", **event: Any) -> dict[str, Any]:
        self.sent += 1
        body = {"id": f"e{self.sent}", "type": event_type, "customer": customer, **event}
        return self.posts("track", body)

    def posts(self, source: str, body: Any) -> dict[str, Any]:
        post = posting(source, body, LOCAL_SECRET, self.made.now())
        answer = self.made.request("POST", post.url, post.headers, post.body, "" if source == "track" else source)
        self.made.settle()
        return answer

    def hears(self, text: str, **sender: Any) -> None:
        """A message of a customer, as Meta posts it: `from` is their number, `from_user_id` their id."""
        self.sent += 1
        message = {"id": f"wamid.{self.sent}", "timestamp": str(int(self.made.now().timestamp())), "type": "text"}
        value = {
            "metadata": {"display_phone_number": "12015550100"},
            "messages": [message | {"text": {"body": text}} | sender],
        }
        document = {"object": "whatsapp_business_account", "entry": [{"changes": [{"value": value}]}]}
        assert self.posts("whatsapp", document)["statusCode"] == 200

    def passes(self, length: str) -> None:
        self.made.advance_to(self.made.now() + duration(length))

    @property
    def whatsapps(self) -> list[dict[str, Any]]:
        """What Meta was asked to send."""
        return [one.request["message"] for one in self.made.cloud.end_user_messaging.sent]

    @property
    def mails(self) -> list[str]:
        return [mail["Destination"]["ToAddresses"][0] for mail in self.made.cloud.mails]

    @property
    def dead_letters(self) -> dict[str, int]:
        return {row["queue"]: row["count"] for row in self.made.dead_letters().summary() if row["count"]}


@contextmanager
def shop(folder: Path, document: dict[str, Any]) -> Iterator[Shop]:
    templates = folder / "shop" / "templates"
    templates.mkdir(parents=True)
    (folder / "shop" / "journey.yaml").write_text(json.dumps(document), encoding="utf-8")
    channel = document["steps"][0]["send"]["channel"]
    for name, text in TEMPLATES.items():
        if f".{channel}." in name:
            (templates / name).write_text(text, encoding="utf-8")
    with local_deployment(folder, start=MONDAY, secrets=local_secrets({})) as made:
        yield Shop(made)


class TestWhatsAppsOwnForms:
    @pytest.mark.parametrize("country", FORMS)
    @pytest.mark.parametrize("known_by", [0, 1])
    def test_a_stop_from_one_form_counts_for_the_other(self, tmp_path: Path, country: str, known_by: int) -> None:
        forms = (FORMS[country][0], f"+{FORMS[country][1]}")
        with shop(tmp_path, journey("whatsapp", "marketing")) as it:
            it.happens({"user_id": "a", "phone": forms[known_by]}, consent=CONSENT)

            it.hears("STOP", **{"from": forms[1 - known_by].removeprefix("+")})
            it.passes("2h")

            assert len([one for one in it.whatsapps if one["type"] == "template"]) == 1
            assert len({line["customer_id"] for line in it.made.timeline()}) == 1
            assert it.dead_letters == {}

    @pytest.mark.parametrize("country", FORMS)
    def test_messages_go_to_the_form_that_whatsapp_uses(self, tmp_path: Path, country: str) -> None:
        number, at_whatsapp = FORMS[country]
        with shop(tmp_path, journey("whatsapp")) as it:
            it.happens({"user_id": "a", "phone": number}, consent=CONSENT)

            it.hears("Thanks", **{"from": at_whatsapp})
            it.passes("2h")

            assert [one["to"].removeprefix("+") for one in it.whatsapps] == [number.removeprefix("+"), at_whatsapp]

    def test_the_answer_to_a_stop_goes_to_the_form_that_it_came_from(self, tmp_path: Path) -> None:
        with shop(tmp_path, journey("whatsapp")) as it:
            it.hears("STOP", **{"from": "5215512345678"})

            assert [one["to"] for one in it.whatsapps] == ["+5215512345678"]

    def test_a_preference_set_in_whatsapp_counts_too(self, tmp_path: Path) -> None:
        with shop(tmp_path, journey("whatsapp", "marketing")) as it:
            it.happens({"user_id": "a", "phone": "+525512345678"}, consent=CONSENT)
            wanted = {
                "wa_id": "5215512345678",
                "category": "marketing_messages",
                "value": "stop",
                "timestamp": int(it.made.now().timestamp()) + 1,
            }

            it.posts("whatsapp", {"entry": [{"changes": [{"value": {"user_preferences": [wanted]}}]}]})
            it.passes("2h")

            assert len(it.whatsapps) == 1


class TestIdsThatAreNoNumbers:
    def test_somebody_known_only_by_an_id_is_written_to_and_can_say_stop(self, tmp_path: Path) -> None:
        with shop(tmp_path, journey("whatsapp", "marketing", event="message.replied")) as it:
            it.happens({"external_ids": {"whatsapp": "MX.1000000000000001"}}, "page.seen", consent=CONSENT)

            it.hears("Hello", from_user_id="MX.1000000000000001")
            (first,) = it.whatsapps
            it.hears("STOP", from_user_id="MX.1000000000000001")
            it.passes("2h")

            assert first["recipient"] == "MX.1000000000000001"
            assert "to" not in first
            assert [one["type"] for one in it.whatsapps] == ["template", "text"]  # the second is the answer to STOP
            (line,) = [line for line in it.made.timeline() if line["kind"] == "suppressed"]
            assert line["step"] == "again"

    def test_the_id_alone_is_suppressed_whoever_has_it(self, tmp_path: Path) -> None:
        with shop(tmp_path, journey("whatsapp", "marketing", event="message.replied")) as it:
            it.hears("STOP", from_user_id="MX.1000000000000001")
            form = {"channel": "whatsapp", "address": "MX.1000000000000001"}

            url = "https://localhost/manage/suppressions"
            shown = it.made.manage("POST", url, {}, json.dumps({"do": "show", **form}).encode(), actor="o")

            assert [one["cause"] for one in json.loads(shown["body"])["standing"]] == ["stop"]

    def test_the_country_of_an_id_is_that_of_its_law(self, tmp_path: Path) -> None:
        """Meta delivers no marketing to the United States, nor does law.toml let it try."""
        with shop(tmp_path, journey("whatsapp", "marketing")) as it:
            it.happens({"external_ids": {"whatsapp": "US.1000000000000001"}}, consent=CONSENT)

            assert it.whatsapps == []

    def test_a_group_is_nobody(self, tmp_path: Path) -> None:
        status = {"id": "wamid.1", "status": "read", "timestamp": "1773064700", "recipient_id": "120363404694233"}
        value = {"statuses": [status | {"recipient_type": "group"}]}
        with shop(tmp_path, journey("whatsapp")) as it:
            it.posts("whatsapp", {"entry": [{"changes": [{"value": value}]}]})

            assert it.made.timeline() == []
            assert it.dead_letters == {}


class TestInternationalDomains:
    @pytest.mark.parametrize("known", ["info@b\u00fccher.example", "Info@XN--BCHER-KVA.example"])
    @pytest.mark.parametrize("reported", ["info@b\u00fccher.example", "info@xn--bcher-kva.example"])
    def test_ses_gets_punycode_and_a_bounce_of_either_form_suppresses(
        self, tmp_path: Path, known: str, reported: str
    ) -> None:
        with shop(tmp_path, journey("email")) as it:
            it.happens({"user_id": "a", "email": known}, properties={"order": 1})
            names = it.made.report_references()
            report = {
                "eventType": "Bounce",
                "mail": {
                    "messageId": names["provider:note"],
                    "destination": [reported],
                    "tags": {"message": [names["message:note"]], "customer": [names["customer"]]},
                },
                "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": reported}]},
            }

            it.made.feedback(json.dumps(report))
            it.made.settle()
            it.passes("2h")

            assert it.mails == ["info@xn--bcher-kva.example"]


class TestPlaceholders:
    @pytest.mark.parametrize("junk", ["undefined", "null", "[object Object]", "0", "N/A", "99999999"])
    @pytest.mark.parametrize("name", ["user_id", "crm"])
    def test_two_people_with_the_same_placeholder_stay_two(self, tmp_path: Path, junk: str, name: str) -> None:
        missing = {"user_id": junk} if name == "user_id" else {"external_ids": {name: junk}}
        with shop(tmp_path, journey("email", key="event.properties.order")) as it:
            it.happens({"email": "ann@example.com", **missing}, properties={"order": "ann-1"})
            it.happens({"email": "bob@example.com", **missing}, properties={"order": "bob-1"})

            it.happens({"email": "ann@example.com"}, properties={"order": "ann-2"})

            assert it.mails == ["ann@example.com", "bob@example.com", "ann@example.com"]
            dropped = [(line["field"], line["reason"]) for line in it.made.timeline() if line["kind"] == "dropped"]
            field = "user_id" if name == "user_id" else f"external_ids.{name}"
            assert dropped == [(field, "placeholder")] * 2

    def test_where_nothing_else_names_the_customer_our_own_api_refuses_with_the_field(self, tmp_path: Path) -> None:
        with shop(tmp_path, journey("email")) as it:
            answer = it.happens({"user_id": "undefined", "email": "test@test"})

            assert answer["statusCode"] == 422
            problem = json.loads(answer["body"])
            assert "customer.user_id: a placeholder" in json.dumps(problem)
            assert "customer.email: a placeholder" in json.dumps(problem)

    def test_a_vendor_s_event_without_a_name_is_a_dead_letter_with_its_reason(self, tmp_path: Path) -> None:
        body = {"id": "1", "type": "page.seen", "occurred_at": 1773064700, "customer": {"user_id": "null"}}
        with shop(tmp_path, journey("email")) as it:
            assert it.posts("hmac", body)["statusCode"] == 202

            (row,) = [row for row in it.made.dead_letters().summary() if row["count"]]
            assert "customer.user_id: a placeholder" in json.dumps(row["reasons"])


class TestSendersThatAreNoCustomers:
    @pytest.mark.parametrize(("sender", "reason"), [("22000", "short_code"), ("AMAZON", "sender_name")])
    def test_a_text_from_a_short_code_is_acknowledged_and_is_no_dead_letter(
        self, tmp_path: Path, sender: str, reason: str, caplog: Any
    ) -> None:
        form = {"MessageSid": "SM1", "From": sender, "To": "+12015550100", "Body": "Your code is 1234"}
        with shop(tmp_path, journey("sms")) as it:
            assert it.posts("twilio", form)["statusCode"] == 200
            it.made.feedback(
                queue_body(
                    {"inboundMessageId": "in-1", "originationNumber": sender, "messageBody": "hi"}, it.made.now()
                )
            )
            it.made.settle()

            assert it.made.timeline() == []
            assert it.dead_letters == {}
        processed = [vars(record) for record in caplog.records if record.message == "event processed"]
        assert [record.get("dropped") for record in processed] == [[reason]] * 2
