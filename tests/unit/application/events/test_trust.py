"""What a source vouches for, and what a visitor typed: who is found, who gets which name, and where messages go."""

from datetime import timedelta
from typing import Any

import pytest

from cairn.application.events.process_event import ProcessEvent
from cairn.application.events.relay_effects import message_of
from cairn.domain.consent.changes import STATED, ConsentChange, ConsentStatus
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.customer.state import CUSTOMERS_MERGED, IDENTIFIER_DETACHED, Customer
from cairn.domain.effects import SendMessage
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.fakes import KEYS, ChosenArms, Customers, ErasureOrders, Sent, Switches
from tests.unit.makers import MONDAY, Deployed, event, journey, name, wait

MAIL, NUMBER = "mia@example.com", "+12015550123"
OTHER_MAIL, OTHER_NUMBER = "eve@example.com", "+12015550666"
MIA = name(user_id="mia", email=MAIL, phone=NUMBER)
RESCUE = journey(
    {"id": "rescue", "send": {"channel": ["email", "sms"], "template": "rescue", "purpose": "transactional"}},
    wait("a-day", "1d"),
    entry={"event": "payment.failed", "again": "when-ended"},
    refresh_on=[{"event": "payment.changed"}],
    exit_on=[{"event": "payment.succeeded"}],
)


class Shop:
    """Events of three kinds of sources, and what became of them."""

    def __init__(self, policy: Policy = Policy(), customers: Customers | None = None) -> None:  # noqa: B008  frozen
        self.customers = Customers() if customers is None else customers
        self.process = ProcessEvent(
            self.customers,
            Deployed(RESCUE),
            lambda text, *_: text,
            KEYS,
            Sent(),
            Switches(),
            ChosenArms(),
            ErasureOrders(),
            policy=policy,
        )

    def vouched(self, type_: str, names: tuple[Identifier, ...], **more: Any) -> list[dict[Channel, str]]:
        return self.happens(type_, names, **more)

    def typed(self, type_: str, names: tuple[Identifier, ...], **more: Any) -> list[dict[Channel, str]]:
        return self.happens(type_, names, source="form", vouched=frozenset(), **more)

    def vendor(self, type_: str, names: tuple[Identifier, ...], **more: Any) -> list[dict[Channel, str]]:
        """A vendor that vouches for its own ids only."""
        return self.happens(type_, names, source="shop", vouched=frozenset({"external_ids"}), **more)

    def happens(self, type_: str, names: tuple[Identifier, ...], **more: Any) -> list[dict[Channel, str]]:
        """The addresses of each message that the event sends."""
        made = event(type_, MONDAY, id_=f"{type_}-{len(self.customers.commits)}", who=names, **more)
        reaction = self.process(made, MONDAY)
        assert reaction is not None
        customer = reaction.customer
        messages = [
            message_of(effect, customer.profile, customer.enrollments[effect.enrollment], MONDAY)
            for effect in reaction.effects
            if isinstance(effect, SendMessage)
        ]
        return [dict(message.addresses) for message in messages]

    def who(self, **names: Any) -> Customer:
        (found,) = self.customers.find(name(**names)).customers
        return found

    def dropped(self) -> dict[str, str]:
        facts = self.customers.commits[-1].reaction.facts
        return {fact.detail["field"]: fact.detail["reason"] for fact in facts if fact.kind == "dropped"}


@pytest.fixture
def shop() -> Shop:
    return Shop()


TYPED_MIA = {Channel.EMAIL: MAIL, Channel.SMS: NUMBER, Channel.WHATSAPP: NUMBER}
EVERYWHERE_MIA = {**TYPED_MIA, Channel.IN_APP: "mia"}


@pytest.mark.parametrize(
    "typed",
    [
        name(email=MAIL, phone=OTHER_NUMBER),
        name(email=OTHER_MAIL, phone=NUMBER),
        name(email=MAIL, phone=OTHER_NUMBER, external={"visitor": "9"}),
    ],
)
@pytest.mark.parametrize("mia_comes_first", [True, False])
def test_typed_names_beside_hers_never_lead_her_messages_elsewhere(
    shop: Shop,
    typed: tuple[Identifier, ...],
    mia_comes_first: bool,  # noqa: FBT001
) -> None:
    if mia_comes_first:
        shop.vouched("account.opened", MIA)
    shop.typed("survey.answered", typed)
    shop.vouched("account.opened", MIA)

    assert shop.vouched("payment.failed", name(user_id="mia")) == [EVERYWHERE_MIA]
    assert shop.who(user_id="mia").profile.identifiers == MIA


def test_what_a_visitor_typed_is_answered_there_alone(shop: Shop) -> None:
    shop.vouched("account.opened", MIA)

    assert shop.typed("payment.failed", name(email=MAIL, phone=OTHER_NUMBER)) == [{Channel.EMAIL: MAIL}]
    assert shop.dropped() == {"customer.phone": "typed"}


def test_a_new_visitor_is_answered_at_all_that_was_typed(shop: Shop) -> None:
    typed = name(email=MAIL, phone=NUMBER)

    assert shop.typed("payment.failed", typed) == [TYPED_MIA]
    assert not shop.who(email=MAIL).profile.is_known


def test_typed_names_of_two_customers_merge_nobody(shop: Shop) -> None:
    shop.vouched("account.opened", MIA)
    shop.vouched("account.opened", name(user_id="bob", phone=OTHER_NUMBER))

    shop.typed("survey.answered", name(email=MAIL, phone=OTHER_NUMBER))

    assert len(shop.customers) == 2
    assert "survey.answered" in shop.who(user_id="mia").profile.activity
    assert "survey.answered" not in shop.who(user_id="bob").profile.activity


def test_a_vendors_id_is_not_tied_to_a_customer_by_a_typed_address(shop: Shop) -> None:
    shop.vouched("account.opened", MIA)

    sent = shop.vendor("payment.failed", name(email=MAIL, external={"shop": "77"}))

    assert sent == [{Channel.EMAIL: MAIL}]
    assert shop.who(user_id="mia").profile.identifiers == MIA
    assert shop.dropped() == {"customer.external_ids.shop": "typed"}


def test_another_account_at_the_vendor_is_another_person_whatever_address_it_names(shop: Shop) -> None:
    shop.vouched("account.opened", name(user_id="mia", email=MAIL, external={"shop": "77"}))

    sent = shop.vendor("payment.failed", name(email=MAIL, external={"shop": "78"}))

    assert sent == [{}]
    assert len(shop.customers) == 2
    assert shop.who(email=MAIL).profile.identifiers == name(user_id="mia", email=MAIL, external={"shop": "77"})


def test_the_strongest_name_decides_and_another_account_is_not_tied(shop: Shop) -> None:
    shop.vouched("account.opened", name(user_id="mia", email=MAIL, external={"shop": "77"}))

    shop.vouched("visit.attended", name(user_id="mia", external={"shop": "78"}))

    (mia,) = shop.customers
    assert "visit.attended" in mia.profile.activity
    assert mia.profile.identifiers == name(user_id="mia", email=MAIL, external={"shop": "77"})
    assert shop.dropped() == {"customer.external_ids.shop": "other_account"}


def test_two_accounts_with_us_that_share_an_address_are_two_people(shop: Shop) -> None:
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    shop.vouched("account.opened", name(user_id="bob", email=MAIL))

    assert shop.who(email=MAIL).profile.identifiers == name(user_id="mia", email=MAIL)
    assert shop.who(user_id="bob").profile.identifiers == name(user_id="bob")


def test_a_cart_that_a_visitor_left_ends_when_the_customer_pays(shop: Shop) -> None:
    shop.typed("payment.failed", name(email=MAIL))

    shop.vendor("payment.succeeded", name(email=MAIL, external={"shop": "77"}))

    (mia,) = shop.customers
    assert {one.outcome for one in mia.enrollments.values()} == {"exit_on"}
    assert shop.who(external={"shop": "77"}).id == mia.id


def test_once_a_source_vouches_the_other_typed_names_are_dropped(shop: Shop) -> None:
    shop.typed(
        "payment.failed",
        name(email=MAIL, phone=OTHER_NUMBER),
        attributes={"first_name": "Eve"},
        settable=frozenset({"first_name"}),
    )

    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    mia = shop.who(user_id="mia")
    assert mia.profile.identifiers == name(user_id="mia", email=MAIL)
    assert mia.profile.get("phone") is None
    (running,) = mia.enrollments.values()
    assert running.addresses == {Channel.EMAIL: MAIL}
    assert shop.customers.find(name(phone=OTHER_NUMBER)).unclaimed == name(phone=OTHER_NUMBER)


def test_a_vendors_record_loses_a_typed_address_to_its_owner_and_keeps_its_id(shop: Shop) -> None:
    shop.typed("cart.left", name(email=MAIL))
    shop.vendor("order.paid", name(email=MAIL, phone=OTHER_NUMBER, external={"shop": "666"}))
    record = shop.who(external={"shop": "666"})

    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    mia, left = shop.who(email=MAIL), shop.who(external={"shop": "666"})
    assert mia.profile.identifiers == name(user_id="mia", email=MAIL)
    assert (left.id, left.profile.identifiers) == (record.id, name(external={"shop": "666"}))
    assert left.profile.get("email") is None
    assert left.profile.get("phone") is None
    assert mia.id != left.id
    assert shop.vendor("payment.failed", name(external={"shop": "666"})) == [{}]


def test_data_of_another_visitor_goes_on_only_where_both_allow(shop: Shop) -> None:
    shop.typed("payment.failed", name(email=MAIL, phone=NUMBER))

    shop.typed("payment.changed", name(email=MAIL), properties={"link": "https://x.example"})

    (running,) = shop.who(email=MAIL).enrollments.values()
    assert running.addresses == {Channel.EMAIL: MAIL}


@pytest.mark.parametrize(
    ("attributes", "taken", "dropped"),
    [
        ({"first_name": "M"}, {"first_name"}, {}),
        ({"plan": "vip"}, set(), {"attributes.plan": "unlisted"}),
        ({"tags": ["vip"]}, set(), {"attributes.tags": "typed"}),
        ({"time_zone": "Asia/Tokyo"}, set(), {"attributes.time_zone": "typed"}),
        ({"email": OTHER_MAIL}, set(), {"attributes.email": "typed"}),
    ],
)
def test_a_visitor_sets_of_a_known_customer_only_listed_attributes_that_no_rule_reads(
    shop: Shop, attributes: dict[str, Any], taken: set[str], dropped: dict[str, str]
) -> None:
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))
    settable = frozenset({"first_name", "time_zone", "tags", "email"})

    shop.typed("survey.answered", name(email=MAIL), attributes=attributes, settable=settable)

    assert set(shop.who(user_id="mia").profile.attributes) == {"email"} | taken
    assert shop.dropped() == dropped


def test_a_rule_of_the_policy_guards_what_it_reads() -> None:
    shop = Shop(Policy(guarded=frozenset({"vip"})))
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    shop.typed("survey.answered", name(email=MAIL), attributes={"vip": "yes"}, settable=frozenset({"vip"}))

    assert shop.dropped() == {"attributes.vip": "typed"}


def test_an_attribute_that_sources_toml_names_counts_even_beside_a_typed_name(shop: Shop) -> None:
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    shop.happens(
        "survey.answered",
        name(email=MAIL),
        source="form",
        vouched=frozenset({"attributes.plan"}),
        attributes={"plan": "vip"},
    )

    assert shop.who(user_id="mia").profile.get("plan") == "vip"


@pytest.mark.parametrize("status", sorted(STATED))
def test_a_visitor_withdraws_consent_of_a_known_customer_and_grants_none(shop: Shop, status: ConsentStatus) -> None:
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    shop.typed(
        "survey.answered",
        name(email=MAIL),
        consent=(ConsentChange(Channel.EMAIL, Purpose.MARKETING, status, MONDAY, "form"),),
    )

    known = shop.who(user_id="mia").contact.consent(Channel.EMAIL, Purpose.MARKETING)
    assert known == (None if status is ConsentStatus.GRANTED else status)


def test_a_box_that_a_new_visitor_ticks_counts_for_the_address_that_was_typed(shop: Shop) -> None:
    consent = tuple(
        ConsentChange(channel, Purpose.MARKETING, ConsentStatus.GRANTED, MONDAY, "form")
        for channel in (Channel.EMAIL, Channel.SMS)
    )
    shop.typed("survey.answered", name(email=MAIL, phone=OTHER_NUMBER), consent=consent)

    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    contact = shop.who(user_id="mia").contact
    assert contact.consent(Channel.EMAIL, Purpose.MARKETING) is ConsentStatus.GRANTED
    assert contact.consent(Channel.SMS, Purpose.MARKETING) is None


def clicks(shop: Shop, customer: Customer, address: str, method: str = "double_opt_in") -> None:
    """The owner of an address confirms it with a link that was sent there."""
    evidence = {"method": method}
    change = ConsentChange(Channel.EMAIL, Purpose.MARKETING, ConsentStatus.GRANTED, MONDAY, "preferences", evidence)
    key = suppression_key(Channel.EMAIL, address, KEYS.suppressions)
    shop.process(
        Event(
            f"click-{len(shop.customers.commits)}",
            "preferences",
            "consent.changed",
            MONDAY,
            customer_id=customer.id,
            properties={"keys": {"email": key}},
            consent=(change,),
        ),
        MONDAY,
    )


def test_an_address_counts_once_its_owner_has_clicked_a_link_that_was_sent_there(shop: Shop) -> None:
    shop.typed("survey.answered", name(email=MAIL, phone=OTHER_NUMBER))

    clicks(shop, shop.who(email=MAIL), MAIL)

    mia = shop.who(email=MAIL).profile
    assert (mia.is_known, mia.identifiers, mia.get("phone")) == (True, name(email=MAIL), None)


def test_a_link_to_another_address_confirms_nothing(shop: Shop) -> None:
    shop.typed("survey.answered", name(email=MAIL))

    clicks(shop, shop.who(email=MAIL), OTHER_MAIL)

    assert not shop.who(email=MAIL).profile.is_known


def test_a_link_speaks_only_for_the_address_that_it_was_sent_to(shop: Shop) -> None:
    """Eve typed Mia's number beside her own address, and has a link for the customer who became Mia."""
    shop.typed("survey.answered", name(email=OTHER_MAIL, phone=NUMBER))
    visitor = shop.who(email=OTHER_MAIL)
    shop.vouched("account.opened", name(user_id="mia", phone=NUMBER))

    clicks(shop, visitor, OTHER_MAIL)

    assert shop.who(user_id="mia").contact.consents == {}
    assert [one.key for one in shop.customers.suppression_changes] == [
        suppression_key(Channel.EMAIL, OTHER_MAIL, KEYS.suppressions)
    ]


def test_an_address_that_a_vendor_vouches_for_is_not_given_to_whom_a_typed_number_finds(shop: Shop) -> None:
    """Eve opens an account at the shop with her own verified address, and types Mia's number into it."""
    shop.vouched("account.opened", name(user_id="mia", phone=NUMBER))

    shop.happens(
        "customer.created",
        name(email=OTHER_MAIL, phone=NUMBER, external={"shop": "666"}),
        source="shop",
        vouched=frozenset({"external_ids", "email"}),
    )

    assert shop.who(user_id="mia").profile.get("email") is None
    assert Channel.EMAIL not in shop.vouched("payment.failed", name(user_id="mia"))[0]


def test_a_question_that_a_visitor_ticks_does_not_reopen_a_denial(shop: Shop) -> None:
    denial = ConsentChange(Channel.SMS, Purpose.MARKETING, ConsentStatus.DENIED, MONDAY, "track")
    question = ConsentChange(Channel.SMS, Purpose.MARKETING, ConsentStatus.PENDING, MONDAY, "form")
    shop.vouched("account.opened", name(user_id="mia", phone=NUMBER), consent=(denial,))

    shop.typed("survey.answered", name(phone=NUMBER), consent=(question,))
    replies = {"channel": "sms", "address": NUMBER, "text": "Yes"}
    shop.happens("message.replied", name(phone=NUMBER), source="twilio", properties=replies)

    assert shop.who(user_id="mia").contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.DENIED


def test_a_box_that_a_visitor_ticked_opens_nothing_for_a_customer_who_has_said_no(shop: Shop) -> None:
    denial = ConsentChange(Channel.EMAIL, Purpose.MARKETING, ConsentStatus.DENIED, MONDAY, "track")
    tick = ConsentChange(Channel.EMAIL, Purpose.MARKETING, ConsentStatus.GRANTED, MONDAY, "form")
    shop.vouched("account.opened", name(user_id="mia"), consent=(denial,))
    shop.typed("survey.answered", name(email=MAIL), consent=(tick,))

    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    assert shop.who(user_id="mia").contact.consent(Channel.EMAIL, Purpose.MARKETING) is ConsentStatus.DENIED


def test_a_stop_at_a_typed_number_says_nothing_of_the_address_beside_it() -> None:
    shop = Shop(Policy(revoke_all=True))
    shop.typed("survey.answered", name(email=MAIL, phone=OTHER_NUMBER))

    stop = {"channel": "sms", "address": OTHER_NUMBER, "text": "STOP"}
    shop.happens("message.replied", name(phone=OTHER_NUMBER), source="twilio", properties=stop)

    assert {one.channel for one in shop.customers.suppression_changes} == {Channel.SMS}


def test_what_one_visitor_types_is_not_shown_at_anothers_number(shop: Shop) -> None:
    shop.typed("payment.failed", name(email=MAIL, phone=OTHER_NUMBER))

    shop.typed(
        "survey.answered", name(email=MAIL), attributes={"first_name": "Mia"}, settable=frozenset({"first_name"})
    )

    assert shop.who(email=MAIL).profile.get("first_name") is None
    assert shop.dropped() == {"attributes.first_name": "typed"}


def erased(shop: Shop, customer: Customer) -> None:
    order = Event(
        f"erase-{len(shop.customers.commits)}",
        "operators",
        "customer.erasure_requested",
        MONDAY,
        customer_id=customer.id,
        properties={"actor": "op"},
    )
    shop.process(order, MONDAY)


def test_a_name_still_leads_to_its_customer_when_the_one_who_began_with_it_is_erased(shop: Shop) -> None:
    shop.typed("cart.left", name(email=MAIL))
    shop.vendor("order.paid", name(email=MAIL, external={"shop": "666"}))
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))
    mia = shop.who(email=MAIL)

    erased(shop, shop.who(external={"shop": "666"}))

    assert shop.who(email=MAIL).id == mia.id


def test_a_name_that_was_lost_is_free_after_both_are_erased(shop: Shop) -> None:
    test_a_name_still_leads_to_its_customer_when_the_one_who_began_with_it_is_erased(shop)
    before = shop.who(email=MAIL)

    erased(shop, before)
    late = event("page.seen", MONDAY + timedelta(hours=1), id_="later", who=name(email=MAIL))

    assert shop.process(late, MONDAY + timedelta(hours=1)) is not None
    assert shop.who(email=MAIL).id != before.id


def test_a_click_ties_no_address_to_the_vendors_id_beside_which_it_was_typed(shop: Shop) -> None:
    """Eve types Mia's address into her own checkout, and Mia clicks what comes."""
    shop.vendor("order.paid", name(email=MAIL, external={"shop": "666"}))

    clicks(shop, shop.who(email=MAIL), MAIL)
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))

    assert shop.who(user_id="mia").profile.identifiers == name(user_id="mia", email=MAIL)


def test_a_number_counts_once_its_owner_has_answered_yes(shop: Shop) -> None:
    asked = ConsentChange(Channel.SMS, Purpose.MARKETING, ConsentStatus.PENDING, MONDAY, "form")
    shop.typed("survey.answered", name(phone=NUMBER), consent=(asked,))

    replies = {"channel": "sms", "address": NUMBER, "text": "Yes"}
    shop.happens("message.replied", name(phone=NUMBER), source="twilio", properties=replies)

    mia = shop.who(phone=NUMBER)
    assert mia.profile.is_known
    assert mia.contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.GRANTED


def test_a_number_beside_the_address_of_a_vendors_record_confirms_nothing(shop: Shop) -> None:
    """A guest may have typed it into an order that the shop gave to this account."""
    asked = ConsentChange(Channel.SMS, Purpose.MARKETING, ConsentStatus.PENDING, MONDAY, "form")
    shop.vendor("order.paid", name(email=MAIL, phone=OTHER_NUMBER, external={"shop": "77"}), consent=(asked,))

    replies = {"channel": "sms", "address": OTHER_NUMBER, "text": "Yes"}
    shop.happens("message.replied", name(phone=OTHER_NUMBER), source="twilio", properties=replies)

    assert shop.vendor("payment.failed", name(external={"shop": "77"})) == [{Channel.EMAIL: MAIL}]


def test_a_number_that_a_guest_typed_into_her_account_never_sees_what_is_known_of_her(shop: Shop) -> None:
    """A shop finds her account by the e-mail that a guest types, and takes the guest's number with it."""
    guest = name(email=MAIL, phone=OTHER_NUMBER, external={"shop": "77"})
    shop.vendor("payment.failed", guest)

    shop.vouched("account.opened", name(user_id="mia", external={"shop": "77"}))

    mia = shop.who(user_id="mia")
    assert [one.addresses for one in mia.enrollments.values()] == [{Channel.EMAIL: MAIL}]
    assert shop.typed("payment.failed", name(phone=OTHER_NUMBER)) == [
        {Channel.SMS: OTHER_NUMBER, Channel.WHATSAPP: OTHER_NUMBER}
    ]
    assert shop.who(phone=OTHER_NUMBER).id != mia.id


def test_data_that_a_visitor_typed_stays_at_that_address_when_the_customer_gets_another(shop: Shop) -> None:
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))
    shop.vouched("payment.failed", name(user_id="mia"))

    shop.typed("payment.changed", name(email=MAIL), properties={"link": "https://x.example"})
    shop.vouched("account.changed", name(user_id="mia", phone=NUMBER))

    (running,) = shop.who(user_id="mia").enrollments.values()
    assert running.addresses == {Channel.EMAIL: MAIL}


def test_data_of_a_guest_moves_no_running_journey_to_the_guests_number(shop: Shop) -> None:
    shop.vendor("payment.failed", name(email=MAIL, external={"shop": "77"}))

    shop.vendor("payment.changed", name(email=MAIL, phone=OTHER_NUMBER, external={"shop": "77"}), properties={"a": 1})

    (running,) = shop.who(email=MAIL).enrollments.values()
    assert OTHER_NUMBER not in (running.addresses or {}).values()


def test_an_answer_finds_the_visitor_and_ties_nothing(shop: Shop) -> None:
    shop.typed("payment.failed", name(email=OTHER_MAIL, phone=NUMBER))

    shop.happens(
        "message.replied",
        name(phone=NUMBER),
        source="twilio",
        properties={"channel": "sms", "address": NUMBER, "text": "hm"},
    )

    (visitor,) = shop.customers
    assert visitor.profile.identifiers == name(email=OTHER_MAIL, phone=NUMBER)
    assert not visitor.profile.is_known


def test_a_customer_has_no_more_identifiers_than_the_policy_allows() -> None:
    shop = Shop(Policy(max_identifiers=3))
    shop.vouched("account.opened", MIA)

    shop.vouched("account.opened", name(user_id="mia", email=OTHER_MAIL))

    assert shop.who(user_id="mia").profile.identifiers == MIA
    assert shop.dropped() == {"customer.email": "too_many_identifiers"}


def test_two_customers_with_too_many_names_together_are_not_merged() -> None:
    shop = Shop(Policy(max_identifiers=3))
    shop.vouched("account.opened", name(user_id="mia", email=MAIL))
    shop.vouched("account.opened", name(phone=NUMBER, external={"shop": "7"}))

    shop.vouched("visit.attended", name(user_id="mia", phone=NUMBER))

    assert len(shop.customers) == 2


def detach(shop: Shop, customer: Customer, lost: Identifier) -> None:
    shop.process(
        Event(
            f"detach-{len(shop.customers.commits)}",
            "operators",
            IDENTIFIER_DETACHED,
            MONDAY,
            customer_id=customer.id,
            properties={"identifier": customer_id_for(lost, KEYS.customer_ids)},
        ),
        MONDAY,
    )


@pytest.mark.parametrize("lost", MIA)
def test_a_detached_identifier_leads_to_nobody_and_then_to_the_next(shop: Shop, lost: Identifier) -> None:
    shop.vouched("account.opened", MIA)
    mia = shop.who(user_id="mia")

    detach(shop, mia, lost)

    assert shop.customers.find([lost]).unclaimed == (lost,)
    left = shop.customers.load(mia.id).profile
    assert set(left.identifiers) == set(MIA) - {lost}
    assert left.get(lost.kind) is None

    shop.vouched("account.opened", (lost, *name(external={"shop": "8"})))
    (next_one,) = shop.customers.find([lost]).customers
    assert next_one.id != mia.id
    assert shop.customers.load(mia.id).id == mia.id


def test_running_journeys_no_longer_write_to_a_detached_address(shop: Shop) -> None:
    shop.vendor("payment.failed", name(email=MAIL, phone=NUMBER, external={"shop": "7"}))
    mia = shop.who(external={"shop": "7"})

    detach(shop, mia, *name(phone=NUMBER))

    (running,) = shop.customers.load(mia.id).enrollments.values()
    assert running.addresses is not None
    assert NUMBER not in running.addresses.values()


def merge(shop: Shop, one: Customer, other: Customer) -> None:
    """A person says that the other one is the same."""
    id_ = f"merge-{len(shop.customers.commits)}"
    order = Event(
        id_,
        "operators",
        CUSTOMERS_MERGED,
        MONDAY,
        customer_id=one.id,
        properties={"other": other.id, "actor": "ada"},
    )
    shop.process(order, MONDAY)


def test_a_person_makes_two_known_customers_one(shop: Shop) -> None:
    shop.vouched("account.opened", MIA, attributes={"first_name": "Mia"})
    shop.vouched("visit.attended", name(email=OTHER_MAIL), attributes={"city": "Lyon"})

    merge(shop, shop.who(email=OTHER_MAIL), shop.who(user_id="mia"))

    mia = shop.who(user_id="mia")
    assert shop.who(email=OTHER_MAIL).id == mia.id
    assert (mia.profile.get("first_name"), mia.profile.get("city")) == ("Mia", "Lyon")
    assert len(shop.customers) == 1


def test_a_second_order_to_merge_changes_nothing(shop: Shop) -> None:
    shop.vouched("account.opened", MIA)
    shop.vouched("visit.attended", name(email=OTHER_MAIL))
    mia, other = shop.who(user_id="mia"), shop.who(email=OTHER_MAIL)
    merge(shop, mia, other)
    profile = shop.who(user_id="mia").profile

    merge(shop, mia, other)

    assert shop.who(user_id="mia").profile.identifiers == profile.identifiers
    assert shop.who(user_id="mia").profile.merged == profile.merged


def test_a_persons_order_makes_no_typed_address_a_known_customers_own(shop: Shop) -> None:
    shop.vouched("account.opened", MIA)
    shop.typed("survey.answered", name(email=OTHER_MAIL))

    merge(shop, shop.who(user_id="mia"), shop.who(email=OTHER_MAIL))

    mia = shop.who(user_id="mia").profile
    assert mia.identifiers == MIA
    assert mia.get("email") == MAIL
    assert mia.activity["survey.answered"].count == 1
    assert shop.customers.find(name(email=OTHER_MAIL)).customers == ()
    assert shop.vouched("payment.failed", name(user_id="mia")) == [EVERYWHERE_MIA]


def test_nor_of_a_customer_who_has_none(shop: Shop) -> None:
    shop.vendor("account.opened", name(external={"shop": "7"}))
    shop.typed("survey.answered", name(email=OTHER_MAIL))

    merge(shop, shop.who(external={"shop": "7"}), shop.who(email=OTHER_MAIL))

    assert shop.who(external={"shop": "7"}).profile.identifiers == name(external={"shop": "7"})
    assert shop.who(external={"shop": "7"}).profile.get("email") is None


def test_two_visitors_are_made_one_visitor(shop: Shop) -> None:
    shop.typed("survey.answered", name(email=MAIL))
    shop.typed("survey.answered", name(phone=OTHER_NUMBER))

    merge(shop, shop.who(email=MAIL), shop.who(phone=OTHER_NUMBER))

    assert shop.who(email=MAIL).id == shop.who(phone=OTHER_NUMBER).id
    assert not shop.who(email=MAIL).profile.is_known


def test_accounts_of_one_system_stay_two_customers_whatever_a_person_orders(shop: Shop) -> None:
    shop.vouched("account.opened", MIA)
    shop.vouched("account.opened", name(user_id="mia-2", phone=OTHER_NUMBER))

    merge(shop, shop.who(user_id="mia"), shop.who(user_id="mia-2"))

    assert shop.who(user_id="mia").id != shop.who(user_id="mia-2").id
    assert shop.dropped() == {"customer.duplicate": "other_account"}


def test_a_merge_is_an_operators_order_alone(shop: Shop) -> None:
    shop.vouched("account.opened", MIA)
    shop.vouched("visit.attended", name(email=OTHER_MAIL))
    mia, other = shop.who(user_id="mia"), shop.who(email=OTHER_MAIL)
    claimed = Event("x", "track", CUSTOMERS_MERGED, MONDAY, customer_id=mia.id, properties={"other": other.id})

    shop.process(claimed, MONDAY)

    assert len(shop.customers) == 2
