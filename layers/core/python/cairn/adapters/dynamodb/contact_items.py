"""The customer's contact as an item: consents, last inbound messages, claims and deferrals.

Every writer sets the version to the number after the one that it read, on condition that it is still that: nobody
writes over a change that it has not read.
"""

from pynamodb.expressions.condition import Condition

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.due_times import due_keys
from cairn.adapters.dynamodb.items import CONTACT, CustomerItem
from cairn.domain.consent.contact import Contact
from cairn.domain.customer.overdue import next_decision


def contact_from_item(item: CustomerItem | None) -> Contact:
    if item is None:
        return Contact()
    claims: dict[str, str] = item.claims.as_dict() if item.claims else {}
    deferrals: dict[str, str] = item.deferrals.as_dict() if item.deferrals else {}
    return Contact(
        consents=codec.consents_from_wire(item.consents or []),
        claims={message: codec.claim_from_wire(claim) for message, claim in claims.items()},
        deferrals={message: codec.deferral_from_wire(deferral) for message, deferral in deferrals.items()},
        last_inbound=codec.last_inbound_from_wire(item.last_inbound or {}),
        version=int(item.contact_version or 0),
    )


def contact_item(customer_id: str, contact: Contact) -> CustomerItem:
    return CustomerItem(
        customer_id,
        CONTACT,
        consents=codec.consents_to_wire(contact.consents),
        last_inbound=codec.last_inbound_to_wire(contact.last_inbound),
        claims={message: codec.claim_to_wire(claim) for message, claim in contact.claims.items()},
        deferrals={message: codec.deferral_to_wire(deferral) for message, deferral in contact.deferrals.items()},
        contact_version=contact.version,
        **due_keys(customer_id, next_decision(contact.deferrals.values())),
    )


def next_contact_item(customer_id: str, before: Contact, after: Contact) -> CustomerItem:
    """The contact after a change, whole: the change is written on condition that the contact is still as it was read.

    An update of single claims would be longer than an update expression may be (DynamoDB quota: 4 KB).
    """
    item = contact_item(customer_id, after)
    item.contact_version = before.version + 1
    return item


def is_as_read(contact: Contact) -> Condition:
    """That nobody has written the contact since it was read."""
    return CustomerItem.contact_version == contact.version
