"""A preference centre over ports in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from cairn.adapters.pages.links import SignedLinks
from cairn.adapters.pages.preference_centre import PreferenceCentre, Visit
from cairn.adapters.pages.render import Page, Pages
from cairn.application.consent.serve_preferences import ServePreferences
from cairn.application.values.customers import Commit
from cairn.domain.consent.changes import ConsentChange
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.links import LinkKind
from cairn.domain.customer.state import Customer, Reaction
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import customer_id_for
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import CairnError
from tests.unit.fakes import KEYS, Customers, Inbox, Secrets
from tests.unit.makers import ADA, MONDAY, message, name, profile

ADDRESS = "ada@example.com"
FORM = "application/x-www-form-urlencoded"

OLD_ADDRESS = "ada@old.example.com"
KNOWN_AS = (*name(user_id="ada", email=ADDRESS, phone="+12015550123"), *name(email=OLD_ADDRESS))

POLICY = Policy(
    brand="Northside <Fitness>",
    contact="hello@northside.example.com",
    postal_address="12 Harbor Road, Hoboken",
    double_opt_in=frozenset({Channel.EMAIL}),
)


@dataclass
class Visitor:
    """A customer who got a message, and the pages that they see."""

    policy: Policy = POLICY
    customers: Customers = field(default_factory=Customers)
    inbox: Inbox = field(default_factory=Inbox)
    secrets: Secrets = field(default_factory=lambda: Secrets(links=("a-secret-of-links",)))
    now: Any = MONDAY

    def __post_init__(self) -> None:
        self.links = SignedLinks(self.secrets, key=KEYS.suppressions, public_url="https://example.org")
        serve = ServePreferences(self.links, self.customers, self.inbox, self.policy, KEYS.suppressions)
        self.centre = PreferenceCentre(serve, Pages(self.policy))
        self.customer = customer_id_for(ADA[0], KEYS.customer_ids)

    def is_known(self, *consents: ConsentChange, **attributes: Any) -> None:
        """Ada is a customer who has said this so far."""
        known = {"email": ADDRESS, "phone": "+12015550123"} | attributes
        ada = Customer(profile(self.customer, who=KNOWN_AS, **known), Contact().after(consents))
        self.customers.commit(Commit(Reaction(ada, (), ()), (), MONDAY))

    def token(self, kind: LinkKind, channel: Channel = Channel.EMAIL, address: str = ADDRESS) -> str:
        got = message(customer=self.customer)
        return self.links.of(got, channel, address)[kind].rpartition("/")[2]

    def opens(self, kind: LinkKind, method: str = "GET", token: str = "", **more: Any) -> Page:
        visit = Visit(kind, token or self.token(kind), method, **more)
        try:
            return self.centre(visit, self.now)
        except CairnError as error:
            return self.centre.refuse(visit, error)[1]

    def posts(self, kind: LinkKind, fields: Any, **more: Any) -> Page:
        body = urlencode(fields, doseq=True).encode()
        return self.opens(kind, "POST", body=body, **{"content_type": FORM} | more)

    @property
    def event(self) -> Event:
        """The one event that was stored."""
        (one,) = self.inbox
        return one

    @property
    def said(self) -> dict[str, str]:
        """What the one event changes, and by which method."""
        return {change.key: f"{change.status} {change.evidence['method']}" for change in self.event.consent}


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


@pytest.fixture
def a_visitor() -> Callable[..., Visitor]:
    return Visitor
