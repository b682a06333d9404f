"""Serve preferences: a choice behind a link becomes one event, stored before the response."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cairn.application.ports import Customers, Inbox, Tokens
from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.links import Link, LinkKind
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.event import Event
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.domain.identity.trust import PREFERENCES_SOURCE
from cairn.domain.policy import Policy
from cairn.domain.profile.addresses import addresses_of, is_owners_address
from cairn.domain.profile.attributes import LOCALE
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose
from cairn.domain.shared.errors import UnknownCustomerError
from cairn.domain.shared.hashing import short_hash

CONSENT_CHANGED = "consent.changed"

Topic = tuple[Channel, Purpose]
"""What a customer can choose to get."""


@dataclass(frozen=True, slots=True)
class ShownWording:
    """The wording that the customer saw: the evidence of the change."""

    version: str
    wording: Mapping[Topic, str]
    locale: str = ""
    ip: str = ""
    """Stored only as evidence of granted consent."""


@dataclass(frozen=True, slots=True)
class SubmittedForm:
    """A submitted form."""

    ticked: Collection[Topic]
    seen: Mapping[Topic, bool]
    """The boxes as the form showed them."""
    shown: ShownWording


@dataclass(frozen=True, slots=True)
class Preferences:
    """The current choices of a customer."""

    wanted: Mapping[Topic, bool]
    """Every topic of every channel with a consent change, or with an address that the customer left.

    An account is none: a business may show nothing in its app.
    """
    denied: frozenset[Topic] = frozenset()
    """Topics that the customer denied."""
    addresses: Mapping[Channel, str] = field(default_factory=dict)
    locale: str = ""


@dataclass(frozen=True, slots=True)
class ServePreferences:
    tokens: Tokens
    customers: Customers
    inbox: Inbox
    policy: Policy
    key: SuppressionKey

    def open(self, kind: LinkKind, token: str, now: datetime) -> Link:
        """Raises LinkInvalidError or LinkExpiredError."""
        return self.tokens.read(kind, token, now)

    def token_for(self, kind: LinkKind, link: Link) -> str:
        """A token of another kind, for the same customer and message, with the same expiry."""
        return self.tokens.token(kind, link)

    def preferences(self, link: Link) -> Preferences | None:
        """None where the customer was erased, or lost the address of the link. A merged customer is followed."""
        try:
            customer = self.customers.load(link.customer)
        except UnknownCustomerError:
            return None
        if not is_owners_address(customer.profile, link.channel, link.key, self.key):
            return None
        view = customer.profile.view()
        addresses = addresses_of(view)
        with_changes = {change.channel for change in customer.contact.consents.values()}
        left = {channel for channel in addresses if CHANNELS[channel].address.is_attribute}
        topics = [
            (channel, purpose)
            for channel in Channel
            if channel in {link.channel, *left, *with_changes}
            for purpose in (Purpose.MARKETING, Purpose.TRANSACTIONAL)
        ]
        return Preferences(
            wanted={topic: self._is_wanted(customer.contact, topic) for topic in topics},
            denied=frozenset(topic for topic in topics if customer.contact.consent(*topic) is ConsentStatus.DENIED),
            addresses=addresses,
            locale=str(view.get(LOCALE) or ""),
        )

    def unsubscribe(self, link: Link, shown: ShownWording, now: datetime) -> None:
        """Withdraw the consent that the link names. It reads nothing, so it works for erased customers too."""
        topic = (link.channel, link.purpose)
        self._store(LinkKind.UNSUBSCRIBE, link, [_denied(topic, Method.ONE_CLICK, shown, now)], now)

    def confirm(self, link: Link, shown: ShownWording, now: datetime) -> bool:
        """Confirm a double opt-in. False where the customer was erased."""
        known = self.preferences(link)
        if known is None:
            return False
        method = Method.DOUBLE_OPT_IN if self._sent_to_current_address(link, known) else Method.SINGLE_OPT_IN
        change = _granted((link.channel, link.purpose), method, shown, now)
        self._store(LinkKind.CONFIRM, link, [change], now)
        return True

    def choose(
        self, link: Link, filled: SubmittedForm, known: Preferences | None, now: datetime
    ) -> Mapping[Topic, bool]:
        """Save a form; `known` is what is stored now. Returns the choices from here on.

        An unticked box denies, unless it is denied already. Opting out of everything also suppresses the address. A
        ticked box grants only where the form showed it unticked: a box that the form had ticked is no consent.
        """
        self._store(LinkKind.PREFERENCES, link, [*self._changes(link, filled, known, now)], now)
        return {
            topic: topic in filled.ticked and (was or _is_known(known, topic)) for topic, was in filled.seen.items()
        }

    def _changes(
        self, link: Link, filled: SubmittedForm, known: Preferences | None, now: datetime
    ) -> Iterator[ConsentChange]:
        denied = known.denied if known else frozenset()
        own = self._sent_to_current_address(link, known)
        for topic, was in filled.seen.items():
            here = topic[0] is link.channel
            if topic not in filled.ticked and (topic not in denied or (here and not filled.ticked)):
                yield _denied(topic, Method.PREFERENCE_PAGE, filled.shown, now)
            if topic in filled.ticked and not was and _is_known(known, topic):
                # The link proves who reads one address. It proves nothing about the other addresses.
                method = Method.PREFERENCE_PAGE if own and here else Method.SINGLE_OPT_IN
                yield _granted(topic, method, filled.shown, now)

    def _store(self, kind: LinkKind, link: Link, changes: Iterable[ConsentChange], now: datetime) -> None:
        """Store one event. A double click within a second gives the same event."""
        consent = tuple(changes)
        if not consent:
            return
        second = int(now.timestamp())
        parts = sorted(f"{change.key}:{change.status}" for change in consent)
        event = Event(
            id=short_hash(kind, link.customer, link.message, link.key, *parts, str(second), length=26),
            source=PREFERENCES_SOURCE,
            type=CONSENT_CHANGED,
            occurred_at=now,
            customer_id=link.customer,
            properties={"keys": {link.channel.value: link.key}, "message_id": link.message},
            consent=consent,
        )
        self.inbox.put([event])

    def _is_wanted(self, contact: Contact, topic: Topic) -> bool:
        change = contact.change(*topic)
        if change is None or change.status is ConsentStatus.PENDING:
            return contact.implies_consent(*topic)
        if change.status is ConsentStatus.DENIED:
            return False
        channel, purpose = topic
        return change.confirmed or purpose is not Purpose.MARKETING or channel not in self.policy.double_opt_in

    def _sent_to_current_address(self, link: Link, known: Preferences | None) -> bool:
        """Whether the link was sent to the customer's current address."""
        address = known.addresses.get(link.channel) if known else None
        return address is not None and suppression_key(link.channel, address, self.key) == link.key


def _is_known(known: Preferences | None, topic: Topic) -> bool:
    """Whether the customer still exists: an old form does not undo an erasure."""
    return known is not None and topic in known.wanted


def _denied(topic: Topic, method: Method, shown: ShownWording, now: datetime) -> ConsentChange:
    return ConsentChange(*topic, ConsentStatus.DENIED, now, PREFERENCES_SOURCE, _evidence(topic, method, shown))


def _granted(topic: Topic, method: Method, shown: ShownWording, now: datetime) -> ConsentChange:
    evidence = _evidence(topic, method, shown) | ({"ip": shown.ip} if shown.ip else {})
    return ConsentChange(*topic, ConsentStatus.GRANTED, now, PREFERENCES_SOURCE, evidence)


def _evidence(topic: Topic, method: Method, shown: ShownWording) -> dict[str, str]:
    evidence = {"wording": shown.wording.get(topic, ""), "wording_version": shown.version, "locale": shown.locale}
    return {"method": method.value} | {name: text for name, text in evidence.items() if text}
