"""Events that are committed to the table as the use case does it, without its queues."""

from dataclasses import replace
from datetime import datetime

from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.application.events.identify_customer import IdentifyCustomer
from cairn.application.values.customers import Commit
from cairn.domain.customer.customer import may_concern, on_event
from cairn.domain.customer.state import Customer
from cairn.domain.event import Event
from cairn.domain.journey.definition import Journey
from cairn.domain.policy import Policy
from cairn.domain.shared.errors import ConflictError
from tests.unit.fakes import KEYS
from tests.unit.makers import Deployed

CUSTOMERS = DynamoCustomers(KEYS)
ATTEMPTS = 8


def committed(happened: Event, journeys: tuple[Journey, ...], at: datetime) -> Customer:
    """The customer as an event and its commit leave it; after each conflict, both are tried again."""
    deployed = Deployed(*journeys)
    for _ in range(ATTEMPTS):
        found = IdentifyCustomer(CUSTOMERS, KEYS, Policy())(happened, at, may_concern(happened, deployed))
        reaction = on_event(found.known.customer, happened, deployed, at)
        reaction = replace(reaction, effects=found.known.effects + reaction.effects)
        try:
            CUSTOMERS.commit(Commit(reaction, found.before, at, happened, found.claimed, found.released))
        except ConflictError:
            continue
        return reaction.customer
    raise AssertionError("never committed")
