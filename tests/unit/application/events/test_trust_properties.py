"""The law of trust: no sequence of events that visitors typed moves a message of one person to another's address.

Three people: each has an account with us, one at a shop, one at a payment provider, an e-mail address, and a number.
Our own API vouches for accounts and addresses. The shop and the provider vouch for their own account only, and visitors
type addresses as they like: their own, another's, nobody's. A message is compared with the events that its enrollment
has data of: it goes only where all of them allow.

"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cairn.application.events.process_event import ProcessEvent
from cairn.application.events.relay_effects import message_of
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.effects import SendMessage, WakeAt
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.fakes import KEYS, ChosenArms, Customers, ErasureOrders, Sent, Switches
from tests.unit.makers import MONDAY, Deployed, journey, name, wait

STEPS = 25
SEQUENCES = 200


def send(id_: str) -> dict[str, Any]:
    return {"id": id_, "send": {"channel": ["email", "sms"], "template": id_, "purpose": "transactional"}}


def texts(id_: str) -> dict[str, Any]:
    return {"id": id_, "send": {"channel": ["sms", "email"], "template": id_, "purpose": "transactional"}}


ORDERS = journey(
    send("thanks"),
    texts("thanks-by-text"),
    wait("an-hour", "1h"),
    send("tips"),
    texts("tips-by-text"),
    entry={"event": "order.created", "again": "when-ended"},
    refresh_on=[{"event": "order.changed"}],
)


@dataclass(frozen=True, slots=True)
class Person:
    account: str
    email: str
    phone: str

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset({self.account, self.email, self.phone})


PEOPLE = (
    Person("mia", "mia@example.com", "+12015550123"),
    Person("bob", "bob@example.com", "+12015550124"),
    Person("eve", "eve@example.com", "+12015550125"),
)
ACCOUNTS = {one.account: one for one in PEOPLE}
people = st.sampled_from(PEOPLE)
events = st.sampled_from(["order.created", "order.changed", "visit.attended"])
emails = st.sampled_from(["", *(one.email for one in PEOPLE), "new@example.com"])
phones = st.sampled_from(["", *(one.phone for one in PEOPLE), "+12015550199"])
TYPED_ATTRIBUTES = {
    "first_name": "Typed",
    "time_zone": "Asia/Tokyo",
    "tags": ["vip"],
    "plan": "free",
    "email": "x@x.example",
}


class Visitors(RuleBasedStateMachine):
    """Each way around the law that it found is a story of its own in test_trust.py."""

    def __init__(self) -> None:
        super().__init__()
        self.customers = Customers()
        self.process = ProcessEvent(
            self.customers,
            Deployed(ORDERS),
            lambda text, *_: text,
            KEYS,
            Sent(),
            Switches(),
            ChosenArms(),
            ErasureOrders(),
        )
        self.now = MONDAY
        self.allowed: dict[str, AbstractSet[str]] = {}
        """By an event's id, the addresses at which it may be answered."""
        self.paid_from: dict[str, set[str]] = {}
        """By an account of the payment provider, the addresses that its owner has, or types sooner or later."""
        self.due: list[tuple[datetime, str, WakeAt]] = []
        self.written_to: dict[str, str] = {}
        """By an address, the customer whose message went there last, with a link to confirm."""
        self.vouched_for: set[str] = set()
        """The people whom our own API has named."""

    @rule(who=people, kind=events, email=st.booleans(), phone=st.booleans(), shop=st.booleans())
    def our_own_system_reports(self, *, who: Person, kind: str, email: bool, phone: bool, shop: bool) -> None:
        names = name(
            user_id=who.account,
            email=who.email if email else "",
            phone=who.phone if phone else "",
            external={"shop": who.account} if shop else None,
        )
        self.vouched_for.add(who.account)
        self.happens(kind, names, who.addresses, attributes={"time_zone": "Europe/Berlin", "plan": "paid"})

    @rule(kind=events, email=emails, phone=phones)
    def a_visitor_types(self, kind: str, email: str, phone: str) -> None:
        names = name(email=email, phone=phone)
        if names:
            self.happens(kind, names, frozenset({email, phone}), source="form", vouched=frozenset())

    @rule(who=people, kind=events, email=emails, phone=phones)
    def a_customer_pays(self, who: Person, kind: str, email: str, phone: str) -> None:
        """The provider knows its account, whose owner types the addresses."""
        names = name(email=email, phone=phone, external={"pay": who.account})
        self.paid_from.setdefault(who.account, set(who.addresses)).update({email, phone})
        self.happens(kind, names, self.paid_from[who.account], source="pay", vouched=frozenset({"external_ids"}))

    @rule(who=people, kind=events, phone=phones)
    def a_guest_orders(self, who: Person, kind: str, phone: str) -> None:
        """The shop finds an account by the e-mail that a guest types, and takes the guest's number with it."""
        names = name(email=who.email, phone=phone, external={"shop": who.account})
        self.happens(kind, names, who.addresses | {phone}, source="shop", vouched=frozenset({"external_ids"}))

    @rule(who=people, kind=st.sampled_from(["message.replied", "message.delivered"]))
    def a_person_replies(self, who: Person, kind: str) -> None:
        self.happens(
            kind, name(phone=who.phone), who.addresses, "twilio", attributes={}, channel="sms", address=who.phone
        )

    @rule(who=people, channel=st.sampled_from([Channel.EMAIL, Channel.SMS]))
    def a_person_confirms(self, who: Person, channel: Channel) -> None:
        """With a link that was sent to this person's address, for whichever customer."""
        address = who.email if channel is Channel.EMAIL else who.phone
        customer = self.written_to.get(address)
        if customer is None:
            return
        given = ConsentChange(
            channel, Purpose.MARKETING, ConsentStatus.GRANTED, self.now, "preferences", {"method": "double_opt_in"}
        )
        keys = {channel.value: suppression_key(channel, address, KEYS.suppressions)}
        self.happens(
            "consent.changed", (), who.addresses, "preferences", attributes={}, of=customer, consent=(given,), keys=keys
        )

    @rule(hours=st.integers(1, 3))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        for due in sorted((one for one in self.due if one[0] <= self.now), key=lambda one: one[0]):
            self.due.remove(due)
            _, customer, timer = due
            self.process.wake(customer, timer.enrollment, timer.sequence, self.now)
            self.deliver()

    def happens(  # noqa: PLR0913, PLR0917  the parts of an event
        self,
        kind: str,
        names: tuple[Identifier, ...],
        allowed: AbstractSet[str],
        source: str = "track",
        vouched: frozenset[str] = frozenset({"*"}),
        attributes: dict[str, Any] = TYPED_ATTRIBUTES,
        of: str | None = None,
        consent: tuple[ConsentChange, ...] = (),
        **properties: Any,
    ) -> None:
        self.now += timedelta(seconds=1)
        # A start may be older than the change that came before it.
        occurred_at = self.now - timedelta(seconds=90 if kind == "order.created" and len(self.allowed) % 2 else 0)
        id_ = str(len(self.allowed))
        self.allowed[id_] = allowed
        ticked = ConsentChange(Channel.SMS, Purpose.MARKETING, ConsentStatus.GRANTED, self.now, source)
        self.process(
            Event(
                id_,
                source,
                kind,
                occurred_at,
                names,
                customer_id=of,
                properties={f"from_{kind.replace('.', '_')}": id_, **properties},
                attributes=attributes,
                consent=(ticked,) if source in {"form", "pay", "shop"} else consent,
                vouched=vouched,
                settable=frozenset({"first_name", "time_zone", "tags", "email"}),
            ),
            self.now,
        )
        self.deliver()

    def deliver(self) -> None:
        commit = self.customers.commits[-1]
        reaction, customer = commit.reaction, commit.reaction.customer
        self.due += [(one.at, customer.id, one) for one in reaction.effects if isinstance(one, WakeAt)]
        for effect in reaction.effects:
            if isinstance(effect, SendMessage):
                message = message_of(effect, customer.profile, customer.enrollments[effect.enrollment], self.now)
                contained = [value for key, value in message.variables["data"].items() if key.startswith("from_")]
                account = message.variables["profile"].get("user_id")
                for channel, address in message.addresses.items():
                    self.written_to[address] = customer.id
                    if account:  # the text may show what is known of this person
                        assert address in ACCOUNTS[account].addresses, (
                            f"{channel} to {address}, with {account}'s profile"
                        )
                    for id_ in contained:
                        assert address in self.allowed[id_], f"{channel} to {address}, with data of event {id_}"

    @invariant()
    def people_whom_we_know_stay_themselves(self) -> None:
        """Nobody is merged, and nobody's name or address becomes another's."""
        for who in PEOPLE:
            if who.account not in self.vouched_for:
                continue
            (mine,) = self.customers.find(name(user_id=who.account)).customers
            profile = mine.profile
            others = {one.account for one in PEOPLE} - {who.account}
            assert {one.value for one in profile.identifiers if one.kind == "user_id"} == {who.account}
            assert not {one.value for one in profile.identifiers if one.kind.startswith("external:")} & others
            if not profile.typed:
                addresses = {one.value for one in profile.identifiers if one.kind in {"email", "phone"}}
                assert addresses <= who.addresses
            assert profile.get("time_zone") == "Europe/Berlin"
            assert profile.get("plan") == "paid"
            assert not profile.tags


Visitors.TestCase.settings = settings(max_examples=SEQUENCES, stateful_step_count=STEPS)
test_no_sequence_of_typed_events_moves_a_message = Visitors.TestCase
