"""The customer's contact as an item: consents, last inbound messages, claims and deferrals."""

from pynamodb.expressions.update import Action

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.items import CONTACT, CustomerItem
from cairn.domain.consent.contact import Contact


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
    )


def contact_changes(before: Contact, after: Contact) -> list[Action]:
    """What changed. The sender's claims and deferrals stay, except those that were added or removed here."""
    new_claims = {message: claim for message, claim in after.claims.items() if message not in before.claims}
    removed = [message for message in before.claims if message not in after.claims]
    new_deferrals = {message: one for message, one in after.deferrals.items() if message not in before.deferrals}
    return [
        CustomerItem.consents.set(codec.consents_to_wire(after.consents)),
        CustomerItem.last_inbound.set(codec.last_inbound_to_wire(after.last_inbound)),
        CustomerItem.contact_version.set(CustomerItem.contact_version + 1),
        *(CustomerItem.claims[message].set(codec.claim_to_wire(claim)) for message, claim in new_claims.items()),
        *(CustomerItem.claims[message].remove() for message in removed),
        *(CustomerItem.deferrals[message].set(codec.deferral_to_wire(one)) for message, one in new_deferrals.items()),
    ]
