"""A row becomes one event, or is refused with its reason and field."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.imports.check import ImportFile
from authoring.imports.files import opened
from authoring.imports.mapping import mapping_named
from cairn.adapters.imports.batch import nested
from cairn.adapters.imports.mapping import RowMapping
from cairn.adapters.phone.numbers import phones_of
from cairn.domain.event import Event
from cairn.domain.imports.rows import Import, Kind, Reason, Row, RowRefusedError
from cairn.domain.shared.instants import instant_to_wire

SAMPLES = Path(__file__).parents[4] / "events" / "imports"
AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


def importing(kind: Kind, **more: Any) -> Import:
    return replace(Import(name="move", kind=kind, as_of=AS_OF, phone_region="US"), **more)


def reader(kind: Kind, named: str = "", **more: Any) -> RowMapping:
    return RowMapping(mapping_named(named, kind), importing(kind, **more), phones_of("US"))


def event_of(kind: Kind, fields: dict[str, Any], **more: Any) -> Event:
    return reader(kind, **more).event_of(Row(2, nested(fields)))


def refused(kind: Kind, fields: dict[str, Any], **more: Any) -> tuple[Reason, str]:
    with pytest.raises(RowRefusedError) as error:
        event_of(kind, fields, **more)
    return error.value.reason, error.value.field


def events_of(sample: str, kind: Kind, named: str, **more: Any) -> list[Event]:
    mapping = {**mapping_named(named, kind), **more}
    file = ImportFile(path=SAMPLES / sample, mapping=mapping, of=importing(kind))
    mapped = RowMapping(file.wire_mapping, file.of, phones_of("US"))
    with opened(file.path) as source:
        return [mapped.event_of(file.row_of(record)) for record in source.records]


def names(event: Event) -> list[str]:
    return [one.key for one in event.identifiers]


def consents(event: Event) -> list[tuple[str, str, str]]:
    return [(one.key, one.status.value, instant_to_wire(one.at)) for one in event.consent]


def test_mailchimps_subscribed_contacts_bring_their_proof() -> None:
    ada, grace = events_of("mailchimp.csv", Kind.CUSTOMERS, "mailchimp")

    assert names(ada) == ["external:mailchimp:a1b2c3d4e5", "email:ada@example.com"]
    assert ada.attributes["tags"] == ["vip", "denver"]
    assert (ada.attributes["time_zone"], ada.attributes["region"]) == ("America/Los_Angeles", "WA")
    assert consents(ada) == [("email:marketing", "granted", "2024-03-14T09:14:00Z")]
    assert ada.consent[0].evidence["method"] == "double_opt_in"
    assert ada.consent[0].evidence["ip"] == "203.0.113.7"
    assert instant_to_wire(ada.occurred_at) == "2025-11-02T10:00:00Z"
    assert grace.consent[0].evidence["method"] == "import"
    assert grace.attributes["phone"] == "+12125550101"


def test_mailchimps_unsubscribed_and_cleaned_contacts_get_nothing() -> None:
    (edsger,) = events_of("mailchimp-unsubscribed.csv", Kind.CUSTOMERS, "mailchimp")
    (gone,) = events_of("mailchimp-cleaned.csv", Kind.SUPPRESSIONS, "mailchimp-cleaned")

    assert consents(edsger) == [("email:marketing", "denied", "2024-10-01T07:15:00Z")]
    assert {**gone.properties, "line": 0} == {
        "channel": "email",
        "address": "gone@example.com",
        "cause": "hard_bounce",
        "import": "move",
        "line": 0,
    }


def test_klaviyos_profiles_bring_consents_of_both_channels() -> None:
    ada, edsger = events_of("klaviyo.csv", Kind.CUSTOMERS, "klaviyo")
    gone, angry = events_of("klaviyo-suppressed.csv", Kind.SUPPRESSIONS, "klaviyo-suppressed")

    assert names(ada) == ["external:klaviyo:01HKLAVIYO0000000000000001", "email:ada@example.com", "phone:+12125550101"]
    assert consents(ada) == [("email:marketing", "granted", "2024-03-14T09:12:31Z")]
    assert ada.consent[0].evidence["form"] == "Website popup"
    assert consents(edsger) == [("email:marketing", "denied", "2024-10-01T07:15:00Z")]
    assert [one.properties["cause"] for one in (gone, angry)] == ["hard_bounce", "complaint"]


def test_hubspots_contacts_are_those_of_its_webhooks_once_the_portal_is_named() -> None:
    unnamed, _ = events_of("hubspot.csv", Kind.CUSTOMERS, "hubspot")
    ada, edsger = events_of("hubspot.csv", Kind.CUSTOMERS, "hubspot", set={"account": "990001"})
    causes = [
        one.properties["cause"] for one in events_of("hubspot-opted-out.csv", Kind.SUPPRESSIONS, "hubspot-opted-out")
    ]

    assert names(unnamed) == ["email:ada@example.com"]
    assert names(ada) == ["external:hubspot:990001:501", "email:ada@example.com"]
    assert (consents(ada), consents(edsger)) == ([], [("email:marketing", "denied", "2024-10-01T07:15:00Z")])
    assert causes == ["hard_bounce", "complaint", "unsubscribe"]


def test_pinpoints_endpoints_of_one_user_are_one_customer() -> None:
    mail, text = events_of("pinpoint.jsonl", Kind.CUSTOMERS, "pinpoint")

    assert names(mail) == ["user_id:u-1", "external:pinpoint:endpoint-1", "email:ada@example.com"]
    assert (mail.attributes["locale"], mail.attributes["plan"]) == ("en-US", ["gold"])
    assert names(text) == ["user_id:u-1", "external:pinpoint:endpoint-2", "phone:+12125550101"]
    assert consents(text) == [("sms:marketing", "denied", "2025-11-02T10:00:00Z")]
    assert mail.id != text.id


def test_an_import_starts_nothing_and_counts_as_no_activity() -> None:
    event = event_of(Kind.CUSTOMERS, {"email": "Ada@Example.com", "attributes.plan": "gold", "tags": "a, b"})

    assert event.backfill
    assert event.type.startswith(f"{event.source}.")
    assert event.occurred_at == AS_OF
    assert event.attributes == {"plan": "gold", "tags": ["a", "b"]}


def test_the_id_of_an_event_is_that_of_the_import_and_the_row_wherever_it_stands() -> None:
    reading, fields = reader(Kind.EVENTS), {"type": "order.created", "email": "a@example.com", "at": "2025-01-01"}

    one, moved = reading.event_of(Row(2, fields)), reading.event_of(Row(99, fields))
    other = reading.event_of(Row(2, {**fields, "id": "o-1"}))

    assert one.id == moved.id
    assert one.id != other.id
    assert event_of(Kind.EVENTS, fields, name="again").id != one.id


def test_two_rows_about_one_customer_have_one_id() -> None:
    one, other = ({"user_id": "u-1", "attributes.plan": plan} for plan in ("gold", "silver"))

    assert event_of(Kind.CUSTOMERS, one).id == event_of(Kind.CUSTOMERS, other).id


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"attributes.plan": "gold"}, Reason.NO_NAME, "customer"),
        ({"email": "ada at example.com"}, Reason.EMAIL, "customer.email"),
        ({"user_id": "u-1", "email": "n/a"}, Reason.PLACEHOLDER, "customer.email"),
        ({"user_id": "null"}, Reason.PLACEHOLDER, "customer.user_id"),
        ({"user_id": "x" * 300}, Reason.NAME, "customer.user_id"),
        ({"phone": "12"}, Reason.PHONE, "customer.phone"),
        ({"email": "a@example.com", "phone": "not a number"}, Reason.PHONE, "customer.phone"),
        ({"email": "a@example.com", "attributes.age:number": "old"}, Reason.NUMBER, "attributes.age"),
        ({"email": "a@example.com", "attributes.age:number": "1e999"}, Reason.NUMBER, "attributes.age"),
        ({"email": "a@example.com", "attributes.vip:boolean": "perhaps"}, Reason.BOOLEAN, "attributes.vip"),
        ({"email": "a@example.com", "attributes.more:json": "{"}, Reason.JSON, "attributes.more"),
        ({"email": "a@example.com", "attributes.born:date": "31.02.2026"}, Reason.DATE, "attributes.born"),
        ({"email": "a@example.com", "attributes.born:date": "03/04/2026"}, Reason.AMBIGUOUS_DATE, "attributes.born"),
        ({"email": "a@example.com", "at": "yesterday"}, Reason.DATE, "at"),
        ({"email": "a@example.com", "attributes.country": "Atlantis"}, Reason.COUNTRY, "attributes.country"),
        ({"email": "a@example.com", "attributes.time_zone": "Mars/North"}, Reason.TIME_ZONE, "attributes.time_zone"),
    ],
)
def test_a_bad_value_refuses_its_row(fields: dict[str, Any], reason: Reason, field: str) -> None:
    assert refused(Kind.CUSTOMERS, fields) == (reason, field)


PROOF = {"at": "2025-01-01", "source": "shop", "wording": "Yes, send me offers."}
GRANTED = {"email": "a@example.com", "channel": "email", "purpose": "marketing", "status": "granted", **PROOF}


def test_a_consent_comes_with_its_proof() -> None:
    event = event_of(Kind.CONSENTS, {**GRANTED, "ip": "203.0.113.7", "evidence": '{"page": "checkout"}'})

    (change,) = event.consent
    assert (change.source, instant_to_wire(change.at)) == ("shop", "2025-01-01T00:00:00Z")
    assert change.evidence == {
        "page": "checkout",
        "method": "import",
        "wording": "Yes, send me offers.",
        "ip": "203.0.113.7",
        "import": "move",
    }


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"at": ""}, Reason.PROOF, "consent[0].at"),
        ({"source": ""}, Reason.PROOF, "consent[0].source"),
        ({"wording": ""}, Reason.PROOF, "consent[0].wording"),
        ({"channel": "fax"}, Reason.CHANNEL, "consent[0].channel"),
        ({"purpose": "fun"}, Reason.PURPOSE, "consent[0].purpose"),
        ({"status": "yes"}, Reason.STATUS, "consent[0].status"),
        ({"status": "in_doubt"}, Reason.STATUS, "consent[0].status"),
        ({"method": "telepathy"}, Reason.METHOD, "consent[0].method"),
        ({"evidence": "[1]"}, Reason.JSON, "consent[0].evidence"),
        ({"at": "01/02/2025"}, Reason.AMBIGUOUS_DATE, "at"),
    ],
)
def test_a_consent_that_proves_nothing_is_refused(change: dict[str, str], reason: Reason, field: str) -> None:
    assert refused(Kind.CONSENTS, {**GRANTED, **change}) == (reason, field)


def test_a_denial_needs_no_proof() -> None:
    fields = {"email": "a@example.com", "channel": "sms", "purpose": "marketing", "status": "denied"}

    assert consents(event_of(Kind.CONSENTS, fields)) == [("sms:marketing", "denied", "2026-01-01T00:00:00Z")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "Order Created", "email": "a@example.com"}, Reason.EVENT_TYPE),
        ({"type": "customer.erasure_requested", "email": "a@example.com"}, Reason.EVENT_TYPE),
        ({"type": "address.released", "email": "a@example.com"}, Reason.EVENT_TYPE),
        ({"email": "a@example.com"}, Reason.EVENT_TYPE),
    ],
)
def test_history_orders_nothing(fields: dict[str, str], reason: Reason) -> None:
    assert refused(Kind.EVENTS, fields)[0] is reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"channel": "email", "address": "nobody"}, Reason.ADDRESS),
        ({"channel": "fax", "address": "a@example.com"}, Reason.CHANNEL),
        ({"channel": "sms", "address": "12"}, Reason.ADDRESS),
        ({"channel": "email", "address": "a@example.com", "cause": "boredom"}, Reason.CAUSE),
        ({"channel": "email", "address": "a@example.com", "purpose": "fun"}, Reason.PURPOSE),
    ],
)
def test_a_suppression_names_an_address_and_a_cause(fields: dict[str, str], reason: Reason) -> None:
    assert refused(Kind.SUPPRESSIONS, fields)[0] is reason


@pytest.mark.parametrize(
    ("written", "day_first", "date"),
    [
        ("03/04/2026", True, "2026-04-03"),
        ("03/04/2026", False, "2026-03-04"),
        ("13/04/2026", None, "2026-04-13"),
        ("04/13/2026", None, "2026-04-13"),
        ("4.4.2026", None, "2026-04-04"),
        ("2026/4/3", None, "2026-04-03"),
        ("04/13/2026 5:07 PM", None, "2026-04-13"),
        ("20260403", None, "2026-04-03"),
        (1775174400, None, "2026-04-03"),
    ],
)
def test_dates_of_spreadsheets_are_read(written: Any, day_first: Any, date: str) -> None:
    event = event_of(Kind.CUSTOMERS, {"email": "a@example.com", "attributes.on:date": written}, day_first=day_first)

    assert event.attributes["on"] == date


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
COLUMNS = ["email", "phone", "user_id", "external_ids", "attributes", "tags", "at", "type", "channel", "purpose"]
COLUMNS += ["status", "source", "wording", "evidence", "method", "address", "key", "cause", "properties", "id"]


@given(st.sampled_from(Kind), st.dictionaries(st.sampled_from(COLUMNS), JSON))
def test_any_row_becomes_an_event_or_is_refused(kind: Kind, fields: dict[str, Any]) -> None:
    with suppress(RowRefusedError):
        event = reader(kind).event_of(Row(2, fields))

        assert event.backfill
        assert event.identifiers or kind is Kind.SUPPRESSIONS
