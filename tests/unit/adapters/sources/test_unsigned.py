"""Nothing that a vendor has not signed decides what a request means, and no account but ours is heard."""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authoring.sources.mapping import problems
from authoring.sources.samples import sample_named
from cairn.adapters.phone.numbers import phones_of
from cairn.adapters.sources import sources
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.application.events.accept_webhook import Reading, Request
from cairn.domain.event import Event
from cairn.domain.identity.addresses import canonical_address
from cairn.domain.identity.identifiers import EXTERNAL
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import SignatureInvalidError, SignatureMissingError
from tests.unit.adapters.sources.conftest import NOW, SECRET, Posted, a_sample, every_sample, posted

TOPICS = [
    *("orders/create", "orders/paid", "orders/cancelled", "orders/fulfilled", "checkouts/create", "checkouts/update"),
    *("orders/partially_fulfilled", "orders/updated", "fulfillments/create", "fulfillments/update", "refunds/create"),
    *("fulfillment_events/create", "returns/request", "returns/close", "disputes/create", "disputes/update"),
    *("draft_orders/create", "draft_orders/update", "subscription_contracts/create", "subscription_contracts/update"),
    *("subscription_contracts/cancel", "subscription_billing_attempts/success", "customers/purchasing_summary"),
    *("customers/create", "customers/update", "customers/delete", "customers_marketing_consent/update"),
    *("customers_email_marketing_consent/update", "customers/redact", "customers/data_request", "shop/redact"),
    *("app/uninstalled", "shop/update", "invoice.paid", "", "orders/create "),
]
FORM = "application/x-www-form-urlencoded"
UNSIGNED = {
    "content-type": ["application/json", FORM, f"{FORM}; charset=latin-1", "multipart/form-data; boundary=x", "", "x"],
    "x-shopify-topic": TOPICS,
    "x-shopify-event-id": ["1", "2"],
    "x-shopify-webhook-id": ["1", "2"],
    "x-shopify-triggered-at": ["2026-11-30T12:00:00Z", "2020-01-01T00:00:00Z", "x"],
    "x-shopify-shop-domain": ["other.myshopify.com"],
    "i-twilio-idempotency-token": ["1", "2"],
    "idempotency-key": ["1", "2"],
    "webhook-id": ["msg_other"],
    "svix-id": ["msg_other"],
    "svix-timestamp": ["1796126400"],
    "svix-signature": ["v1,AAAA"],
    "x-github-event": ["push"],
    "date": ["Mon, 30 Nov 2026 12:00:00 GMT"],
}
"""Values that a stranger might give to headers that some vendor does not sign."""

ALSO_TRUE = {
    "shopify/orders_paid": "shopify/orders_create",
    "shopify/orders_fulfilled": "shopify/orders_create",
    "shopify/orders_partially_fulfilled": "shopify/orders_create",
    "shopify/subscription_contracts_create": "shopify/subscription_contracts_activate",
    "shopify/subscription_contracts_activate": "shopify/subscription_contracts_create",
    "shopify/subscription_contracts_update": "shopify/subscription_contracts_create",
}
"""An order that is paid was created: both topics bring this body, and each has its event once."""


@pytest.fixture
def ours(tmp_path: Any) -> Any:
    def write(text: str) -> Any:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.toml"  # a file is read once
        path.write_text(text, encoding="utf-8")
        return sources(path)

    return write


def with_header(made: Posted, header: str, value: str) -> Request:
    return replace(made.request, headers={**made.request.headers, header: value})


def name_of(sample: Any) -> str:
    return f"{sample.parents[1].name}/{sample.stem}"


def events_under(request: Request, made: Posted) -> tuple[Event, ...]:
    """The events of a request that was changed on its way; none where it is refused."""
    changed = replace(made, request=request)
    try:
        changed.verify()
    except (SignatureInvalidError, SignatureMissingError):
        return ()
    return tuple(changed.read().events)


def true_of(name: str) -> Iterator[tuple[str, Event]]:
    """The events that the vendor's own deliveries of this body make, by their keys."""
    for one in a_sample(sample_named(name)).read().events:
        yield one.key, one


@given(data=st.data())
def test_a_request_that_is_sent_again_under_other_headers_is_the_same_events_or_none(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(every_sample()))
    made, name = a_sample(sample), name_of(sample)
    headers = dict(made.request.headers)
    for header in data.draw(st.lists(st.sampled_from(sorted(headers)), max_size=3)):
        headers.pop(header, None)
    for header in data.draw(st.lists(st.sampled_from(sorted(UNSIGNED)), max_size=6)):
        headers[header] = data.draw(st.sampled_from(UNSIGNED[header]))
    more = data.draw(st.sampled_from(["", "?id=other", "?type=customer.erasure_requested&bodySHA256=00", "?a=1&a=2"]))

    found = events_under(replace(made.request, headers=headers, url=made.request.url + more), made)

    allowed = dict(true_of(name)) | (dict(true_of(ALSO_TRUE[name])) if name in ALSO_TRUE else {})
    for event in found:
        genuine = allowed[event.key]
        assert (event.type, event.occurred_at) == (genuine.type, genuine.occurred_at)
        if event.key in dict(true_of(name)):
            assert event == genuine


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_makes_no_other_kind_of_a_body(topic: str) -> None:
    for sample in (one for one in every_sample() if one.parents[1].name == "shopify"):
        made, name = a_sample(sample), name_of(sample)
        found = {(event.key, event.type) for event in events_under(with_header(made, "x-shopify-topic", topic), made)}

        names = [name, ALSO_TRUE[name]] if name in ALSO_TRUE else [name]
        assert found <= {(key, event.type) for one in names for key, event in true_of(one)}, name


@pytest.mark.parametrize("topic", ["customers/redact", "customers/data_request", "shop/redact", "orders/cancelled"])
def test_a_body_that_does_not_fit_its_topic_becomes_a_dead_letter_with_the_reason(topic: str, take: Any) -> None:
    made = take("shopify/orders_create")

    reading = replace(made, request=with_header(made, "x-shopify-topic", topic)).read()

    assert reading == Reading(
        problems=(f"the body is not what an unsigned part of the request says: topic == '{topic}'",)
    )


def test_an_order_that_is_paid_at_once_is_created_and_paid(take: Any) -> None:
    made = take("shopify/orders_paid")

    types = {
        event.type
        for topic in ("orders/create", "orders/paid")
        for event in events_under(with_header(made, "x-shopify-topic", topic), made)
    }

    assert types == {"order.created", "order.paid"}


@pytest.mark.parametrize(
    ("updated", "topic", "event"),
    [
        ("2026-12-01T09:00:00Z", "customers/create", "customer.created"),
        ("2026-12-01T09:00:00Z", "customers/update", "customer.created"),
        ("2026-12-01T09:00:02Z", "customers/create", "customer.created"),
        ("2026-12-01T09:00:02Z", "customers/update", "customer.updated"),
        ("2026-12-01T09:02:00Z", "customers/create", "customer.updated"),
        ("2026-12-01T09:02:00Z", "customers/update", "customer.updated"),
        ("2027-12-01T09:00:00Z", "customers/create", "customer.updated"),
    ],
)
def test_a_customer_is_new_in_the_minute_of_its_creation(updated: str, topic: str, event: str, post: Any) -> None:
    body = {"id": 7, "verified_email": True, "created_at": "2026-12-01T09:00:00Z", "updated_at": updated}

    reading = post("shopify", body, headers={"x-shopify-topic": topic}).read()

    assert [one.type for one in reading.events] == [event]


def test_a_request_for_one_source_says_nothing_to_another_with_the_same_secret(vendor: str) -> None:
    """Most vendors do not sign the URL, and Meta has one secret for WhatsApp and lead ads."""
    source = sources()[vendor]
    for made in (a_sample(one) for one in every_sample() if one.parents[1].name != vendor):
        request = replace(made.request, url=f"https://hooks.example.com/webhooks/{vendor}")

        assert events_under(request, replace(made, source=source)) == ()


def test_of_two_families_of_headers_only_the_verified_one_is_seen(post: Any) -> None:
    genuine = post("standard-webhooks", {"type": "a.b", "timestamp": "2026-12-01T00:00:00Z", "data": {"user_id": "1"}})
    signed = genuine.request.headers
    svix = {name.replace("webhook-", "svix-"): value for name, value in signed.items()}

    by_svix = genuine.changed(headers=svix | {"webhook-id": "msg_other", "webhook-timestamp": "1"})
    by_svix.verify()

    assert [event.id for event in by_svix.read().events] == [event.id for event in genuine.read().events]
    assert "msg_other" not in {event.id for event in by_svix.read().events}


def test_an_expression_sees_no_header_and_no_parameter_that_is_not_signed(tmp_path: Any, post: Any) -> None:
    seen = "{headers: headers, query: query, unsigned: unsigned, topic: topic}"
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "mapping.toml").write_text(
        f"""
        id = "body.id"
        occurred_at = "null"
        [signature]
        scheme = "body-hmac"
        header = "X-Acme"
        timestamp_header = "X-Acme-At"
        [hints]
        topic = 'unsigned.headers."x-topic"'
        [each]
        sneaked = "unsigned.headers"
        [customer]
        user_id = "body.id"
        [[events]]
        hint = "topic == 'a' && unsigned.query.tenant == '3'"
        when = "body.id"
        type = "a.b"
        properties = {{ seen = "{seen}", sneaked = "sneaked" }}
        """,
        encoding="utf-8",
    )
    acme = post("acme", {"id": "1"}, headers={"X-Topic": "a"}, known=sources(folder=tmp_path))
    [event] = acme.changed(url=acme.request.url + "?tenant=3").read().events

    signed = {"x-acme-at": acme.request.headers["x-acme-at"]}
    assert event.properties == {
        "seen": {"headers": signed, "query": {}, "unsigned": None, "topic": None},
        "sneaked": None,
    }


@pytest.mark.parametrize("name", ["twilio/message_received", "hubspot/contact_opted_out"])
def test_the_parameters_that_a_vendor_signs_are_seen(name: str, ours: Any, take: Any) -> None:
    vendor = name.partition("/")[0]
    source = ours(f"[{vendor}]\nonly = \"query.tenant == 'a b'\"")[vendor]
    request = take(name).request

    assert source.read(replace(request, url=request.url + "?tenant=a%20b"), NOW).refused == 0
    assert source.read(request, NOW).refused == 1


NOTE = "x&email=mia@example.com&id=7&From=%2B12015550199&MessageSid=SM9&"


@pytest.mark.parametrize("content_type", UNSIGNED["content-type"])
def test_json_is_never_read_as_a_form(content_type: str, take: Any, post: Any) -> None:
    order = json.loads(take("shopify/orders_create").request.body) | {"note": NOTE}
    made = post("shopify", order, headers={"x-shopify-topic": "orders/create"})

    [event] = events_under(with_header(made, "content-type", content_type), made)

    assert {name.value for name in event.identifiers} == {
        "lena.sample@example.com",
        "+12025550136",
        "820982911946154508",
    }


@pytest.mark.parametrize("content_type", UNSIGNED["content-type"])
def test_a_form_is_read_and_verified_as_one(content_type: str, take: Any) -> None:
    made = take("twilio/message_received")

    assert events_under(with_header(made, "content-type", content_type), made) == made.read().events


def test_json_that_twilio_signs_is_no_form(take: Any) -> None:
    made = take("twilio/message_received")
    body = json.dumps({"note": f"x&{urlencode({'From': '+12015550199', 'MessageSid': 'SM9', 'Body': 'STOP'})}&"})
    url = made.request.url + "?bodySHA256=" + sha256(body.encode()).hexdigest()
    json_request = replace(made.request, url=url, body=body.encode())
    signed = {name.lower(): one for name, one in made.source.scheme.sign(json_request, SECRET, NOW, "").items()}
    genuine = replace(made, request=replace(json_request, headers=signed))
    genuine.verify()

    assert genuine.read() == Reading(problems=("the vendor has not signed the body as a form",))


def test_a_source_can_read_the_json_that_twilio_signs(tmp_path: Any) -> None:
    (tmp_path / "sources.toml").write_text('[[twilio]]\nname = "twilio-json"\nbody = "json"', encoding="utf-8")
    source = sources(tmp_path / "sources.toml")["twilio-json"]
    body = b'{"From": "+12015550147", "MessageSid": "SM1", "Body": "Hi"}'
    url = "https://h.example.com/?bodySHA256=" + sha256(body).hexdigest()

    [event] = source.read(Request(url, {}, body), NOW).events

    assert event.type == "message.replied"
    form = urlencode({"From": "+12015550147", "MessageSid": "SM1"}).encode()
    assert source.read(Request("https://h.example.com/", {}, form), NOW).problems == (
        "the vendor has not signed the body as JSON",
    )


@given(data=st.data())
def test_the_order_and_the_escapes_of_a_form_are_not_signed_and_do_not_change_its_digest(data: st.DataObject) -> None:
    made = a_sample(sample_named("twilio/message_received"))
    fields = data.draw(st.permutations(parse_qsl(made.request.body.decode())))
    safe = data.draw(st.sampled_from(["", "/", "+:"[1:]]))

    again = replace(made.request, body="&".join(f"{name}={quote(value, safe)}" for name, value in fields).encode())

    assert again.body != made.request.body
    assert made.source.scheme.covered(again) == made.source.scheme.covered(made.request)
    assert events_under(again, made) == made.read().events


PIECES = ["From", "To", "MessageSid", "MessageStatus", "SmsSid", "FromA", "ToA", "+12015550199", "12015550199"]
PIECES += ["0012015550199", "whatsapp:", "201 555 0199", " ", "SM9", "delivered", "hi"]
NAMES = {"Body", "From", "FromA", "MessageSid", "MessageStatus", "ProfileName", "SmsSid", "To", "ToA"}


def divisions(text: str, names: list[str]) -> Iterator[list[tuple[str, str]]]:
    """Every way to divide a signed text into fields of these names, in their order."""
    if not names:
        return
    name, *rest = names
    if not text.startswith(name):
        return
    value = text[len(name) :]
    yield [(name, value)]
    for number, following in enumerate(rest):
        for found in re.finditer(re.escape(following), value):
            for division in divisions(value[found.start() :], rest[number:]):
                yield [(name, value[: found.start()]), *division]


@given(words=st.lists(st.sampled_from(PIECES), max_size=8).map("".join), field=st.sampled_from(["Body", "ProfileName"]))
@example(words="hiFrom+12015550199FromA", field="Body")
@example(words="hiMessageSidSM9MessageStatusdeliveredTo+12015550199ToA", field="Body")
@example(words="hiFrom201 555 0199FromA", field="Body")
@example(words="FromFromMessageSid", field="Body")
def test_nobody_speaks_for_another_by_moving_the_borders_of_a_form(words: str, field: str) -> None:
    """Twilio signs `BodyhiFrom+1…` for the fields Body and From: the borders between fields are not signed."""
    fields = {"Body": "hi", "From": "+12125550177", "MessageSid": "SM1", "ProfileName": "Mia", "To": "+12125550100"}
    fields[field] = words
    made = posted("twilio", fields)
    text = "".join(name + value for name, value in sorted(fields.items()))

    for division in itertools.islice(divisions(text, sorted(NAMES)), 300):
        moved = made.changed(body=urlencode(division).encode())
        moved.verify()

        found = {name.value for event in moved.read().events for name in event.identifiers}
        heard = {value for value in found if canonical_address(Channel.WHATSAPP, value, phones_of("US"))}
        assert heard <= {"+12125550177", "+12125550100"}, (
            division
        )  # all else is no number: a dead letter, not a customer


def test_a_message_that_names_a_number_is_heard(post: Any) -> None:
    message = {"From": "+12125550177", "To": "+12125550100", "MessageSid": "SM1"}
    for words in ("From 12.03.2026 To 14.03.2026", "Call me: +12015550199", "To whom? From +12015550199!", "STOP"):
        [event] = post("twilio", message | {"Body": words}).read().events

        assert event.properties["text"] == words
    reading = post("twilio", message | {"Body": "From+12015550199"}).read()
    assert reading.problems == ("the signed text can be read as From several customers",)


SHOP = 'unsigned.headers."x-shopify-shop-domain"'
PORTAL = "item.portalId == `990001`"


def test_only_the_foreign_parts_of_a_batch_are_refused(ours: Any, take: Any, post: Any) -> None:
    items = json.loads(take("hubspot/contact_batch").request.body)
    items[1]["portalId"] = 666
    del items[2]["portalId"]

    reading = post("hubspot", items, known=ours(f'[hubspot]\nonly = "{PORTAL}"')).read()

    assert (len(reading.events), reading.refused, reading.ignored, reading.problems) == (2, 2, False, ())


def test_a_refused_part_is_no_problem_however_odd_it_is(ours: Any, take: Any, post: Any) -> None:
    [item] = json.loads(take("hubspot/contact_opted_out").request.body)

    reading = post("hubspot", [item | {"portalId": 1, "occurredAt": 10**18}], known=ours(ONLY["hubspot"][0])).read()

    assert reading == Reading(refused=1)


@pytest.mark.parametrize("name", ["hubspot", "shopify", "stripe", "whatsapp", "facebook-leads"])
def test_the_account_of_each_vendor_can_be_named(name: str, ours: Any, post: Any, take: Any) -> None:
    configuration, sample, change = ONLY[name]
    known = ours(configuration)
    genuine = take(sample)
    document = json.loads(genuine.request.body)
    headers = {"x-shopify-topic": "orders/create", "x-shopify-shop-domain": "pinetrail-example.myshopify.com"}

    assert post(name, document, known=known, headers=headers).read().refused == 0
    change(document, headers)
    assert post(name, document, known=known, headers=headers).read() == Reading(refused=1)


@pytest.mark.parametrize(
    ("name", "body", "account"),
    [("hubspot", "contact_opted_out", "990001"), ("facebook-leads", "leadgen", "153125381133001")],
)
def test_an_external_id_has_its_account_in_front(name: str, body: str, account: str, take: Any) -> None:
    [event] = take(f"{name}/{body}").read().events

    external = [one.value for one in event.identifiers if one.kind.startswith(EXTERNAL)]
    assert [one.partition(":")[0] for one in external] == [account]


def test_a_customer_of_a_connected_account_is_not_ours_of_the_same_id(take: Any, post: Any) -> None:
    document = json.loads(take("stripe/invoice_paid").request.body)

    own, connected = (
        {one.kind: one.value for one in post("stripe", made).read().events[0].identifiers}["external:stripe"]
        for made in (document, document | {"account": "acct_other"})
    )

    assert connected == f"acct_other:{own}"


def test_an_account_that_is_not_named_vouches_for_its_own_ids_and_for_no_address(ours: Any, post: Any) -> None:
    """Any portal that installs the app could give its contact the e-mail address of a customer of ours."""
    [item] = json.loads(sample_named("hubspot/contact_opted_out").read_text(encoding="utf-8"))
    mail = item | {"changeSource": "CRM_UI", "propertyName": "email", "propertyValue": "mia@example.com"}

    [unnamed] = post("hubspot", [mail]).read().events
    [named] = post("hubspot", [mail], known=ours(ONLY["hubspot"][0])).read().events

    assert (unnamed.vouches("email"), unnamed.vouches("external_ids.hubspot")) == (False, True)
    assert (named.vouches("email"), named.vouches("external_ids.hubspot")) == (True, True)


def test_ids_without_their_account_need_an_account_that_is_named(ours: Any, take: Any, post: Any) -> None:
    items = json.loads(take("hubspot/contact_opted_out").request.body)
    with pytest.raises(InvalidSourceError, match="account_in_ids: false needs `only`"):
        ours("[hubspot]\naccount_in_ids = false")["hubspot"]

    known = ours(f'[hubspot]\naccount_in_ids = false\nonly = "{PORTAL}"')
    [event] = post("hubspot", items, known=known).read().events

    assert [one.key for one in event.identifiers] == ["external:hubspot:9007199254740993"]
    assert post("hubspot", [items[0] | {"portalId": 666}], known=known).read() == Reading(refused=1)


def _another_portal(document: Any, headers: dict[str, str]) -> None:  # noqa: ARG001
    document[0]["portalId"] = 666


def _another_shop(document: Any, headers: dict[str, str]) -> None:  # noqa: ARG001
    headers["x-shopify-shop-domain"] = "other.myshopify.com"


def _another_account(document: Any, headers: dict[str, str]) -> None:  # noqa: ARG001
    document["account"] = "acct_other"


def _another_entry(document: Any, headers: dict[str, str]) -> None:  # noqa: ARG001
    document["entry"][0]["id"] = "666"


ONLY: dict[str, tuple[str, str, Any]] = {
    "hubspot": (f'[hubspot]\nonly = "{PORTAL}"', "hubspot/contact_opted_out", _another_portal),
    "shopify": (
        f"[shopify]\nonly = '''(body.shop_domain || {SHOP}) == 'pinetrail-example.myshopify.com' '''",
        "shopify/orders_create",
        _another_shop,
    ),
    "stripe": ('[stripe]\nonly = "!(body.account)"', "stripe/invoice_paid", _another_account),
    "whatsapp": ("[whatsapp]\nonly = \"entry.id == '100000000000001'\"", "whatsapp/message_text", _another_entry),
    "facebook-leads": (
        "[facebook-leads]\nonly = \"entry.id == '153125381133001'\"",
        "facebook-leads/leadgen",
        _another_entry,
    ),
}
"""For each vendor whose secret is the app's: its `only`, a sample of ours, and how another account's differs."""

SIGNED_BY_BODY = {"signature": {"scheme": "body-hmac", "header": "X-A"}, "id": "body.id", "occurred_at": "body.at"}


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"id": 'headers."x-id"'}, "id: headers.x-id is signed by nobody; signed are none"),
        ({"occurred_at": 'body.at || headers."date"'}, "occurred_at: headers.date is signed by nobody"),
        ({"id": 'unsigned.headers."x-id"'}, "id: unsigned is signed by nobody: only a rule's `hint` and"),
        ({"each": {"topic": 'unsigned.headers."x-topic"'}}, "each.topic: unsigned is signed by nobody"),
        ({"hints": {"topic": "unsigned.query.t"}, "other": "topic"}, "other: topic is signed by nobody"),
        ({"hints": {"t": "unsigned.query.t"}, "customer": {"email": "body.a && t"}}, "customer.email: t is signed by"),
        ({"other": "query.type"}, "other: the vendor does not sign its URL"),
        ({"hints": {"digest": "unsigned.query.t"}}, "digest: this name has a meaning already"),
        ({"only": "`true`"}, "only: it reads nothing of the request"),
        ({"account_in_ids": False}, "account_in_ids: false needs `only`"),
        ({"body": "xml"}, "body: one of json, form"),
        ({"other": "!body.test && body.type"}, "other: JMESPath reads !a.b as (!a).b"),
        (
            {"events": [{"hint": "unsigned.query.t", "when": "`true`", "type": "a.b"}]},
            "events[0].when: nobody signs the hint, so say here what the body must be",
        ),
        (
            {"hints": {"t": "unsigned.query.t"}, "events": [{"hint": "t", "when": "body.a && t", "type": "a.b"}]},
            "events[0].when: t is signed by nobody",
        ),
    ],
    ids=str,
)
def test_a_mapping_that_reads_what_nobody_signs_is_refused(changed: dict[str, Any], problem: str) -> None:
    found = problems("acme", SIGNED_BY_BODY | changed)

    assert [one for one in found if problem in one], found
    assert len(found) == 1


def test_what_the_scheme_signs_may_be_read() -> None:
    webhooks = {"scheme": "standard-webhooks", "prefixes": ["svix-"]}

    assert problems("acme", SIGNED_BY_BODY | {"signature": webhooks, "id": 'headers."svix-id"'}) == []
    assert problems("acme", SIGNED_BY_BODY | {"signature": {"scheme": "twilio"}, "id": "query.id"}) == []
    assert problems("acme", SIGNED_BY_BODY | {"signature": webhooks, "id": 'headers."webhook-id"'}) != []
