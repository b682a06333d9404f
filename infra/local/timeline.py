"""What happened to customers, read from the table of the local deployment."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import MESSAGE, RecordItem
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.domain.customer.state import Customer
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID, identifier
from cairn.domain.shared.errors import ErasedCustomerError

TimelineEntry = dict[str, Any]


def entries(customers: DynamoCustomers, customer_id: str) -> Iterator[TimelineEntry]:
    """A customer's timeline, as `replay --json` prints it."""
    customer = _load(customers, customer_id)
    if customer is None or customer.id != customer_id:
        return  # erased; or merged, and the surviving customer has the entries
    view = customer.profile.view()
    name = view.get(USER_ID) or view.get(EMAIL) or view.get(PHONE) or customer_id
    for entry in DynamoTimeline().entries(customer_id):
        first = {"at": entry.pop("at"), "kind": entry.pop("kind"), "customer": name}
        yield first | entry | {"customer_id": customer_id}


def customer_ids(customers: DynamoCustomers, name: str, known: Collection[str]) -> list[str]:
    """The canonical ids that a name may stand for; `known` are canonical ids that are names themselves."""
    if name in known:
        return [one.id for one in [_load(customers, name)] if one]
    system, _, external = name.partition(":")
    kinds = [(USER_ID, name), (EMAIL, name), (PHONE, name)]
    kinds += [(f"external:{system}", external)] if external else []
    found = [customers.find([identifier(*one)]) for one in kinds]
    return list({one.id: None for each in found for one in each.customers})


def report_references(customers: DynamoCustomers, known: Iterable[str]) -> dict[str, str]:
    """The ids that a provider's report may refer to, of these customers.

    `customer`, and of each step's latest message `message:<step>` and `provider:<step>`. `message:<step>#2` is the
    second message of the step that a provider took.
    """
    found = {}
    for customer in {one.id for customer_id in known if (one := _load(customers, customer_id))}:
        found["customer"] = customer
        taken: Counter[str] = Counter()
        messages = RecordItem.query(customer, RecordItem.sk.startswith(MESSAGE))
        for item in sorted(messages, key=lambda one: (one.at or "", one.sk)):
            body = item.body or {}
            step, provider = str(body.get("step")), body.get("provider_id", "")
            taken[step] += bool(provider)
            for name in [step, *([f"{step}#{taken[step]}"] if provider else [])]:
                found[f"message:{name}"] = item.sk.removeprefix(MESSAGE)
                found[f"provider:{name}"] = provider
    return found


def _load(customers: DynamoCustomers, customer_id: str) -> Customer | None:
    """The customer who has this id now; None after an erasure."""
    try:
        return customers.load(customer_id)
    except ErasedCustomerError:
        return None
