"""Find a customer by any identifier, or by one of its messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cairn.application.ports import Customers, History
from cairn.domain.customer.state import Customer
from cairn.domain.effects import split_effect_id
from cairn.domain.identity.addresses import is_whatsapp_user
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.identifiers import (
    CUSTOMER_ID,
    EMAIL,
    EXTERNAL,
    PHONE,
    USER_ID,
    WHATSAPP,
    Identifier,
    identifier,
    strongest_first,
)
from cairn.domain.shared.errors import (
    AmbiguousNameError,
    UnknownCustomerError,
    UnknownIdentifierError,
    UnknownMessageError,
)


@dataclass(frozen=True, slots=True)
class FindCustomer:
    customers: Customers
    history: History
    normal_phone: Callable[[str], str | None]

    def __call__(self, name: str) -> Customer:
        """By canonical id, user id, e-mail address, phone number or `<system>:<external id>`.

        Raises UnknownCustomerError, or AmbiguousNameError where several customers have that name.
        """
        name = name.strip()
        if CUSTOMER_ID.fullmatch(name):
            return self.customers.load(name)
        found = self.customers.find(strongest_first(self._readings(name))).customers
        if not found:
            raise UnknownCustomerError("nobody is known by that name")
        if len(found) > 1:
            ids = ", ".join(customer.id for customer in found)
            raise AmbiguousNameError(f"several go by that name; give one of {ids}")
        return found[0]

    def identifier_of(self, customer: Customer, name: str) -> Identifier:
        """The identifier of a customer that a name means. Raises UnknownIdentifierError."""
        own = customer.profile.identifiers
        found = next((one for one in self._readings(name.strip()) if one in own), None)
        if found is None:
            kinds = ", ".join(sorted({one.kind for one in own})) or "none"
            raise UnknownIdentifierError(
                f"the customer has no such identifier; there are: {kinds}. `cairn export` shows them"
            )
        return found

    def of_message(self, message_id: str, name: str = "") -> Customer:
        """The customer of a message. An answer to a keyword has no enrollment, so it needs the customer's name.

        Raises UnknownMessageError; with a name, the errors of a call with that name.
        """
        if name:
            return self(name)
        enrollment, *_ = split_effect_id(message_id)
        customer_id = self.history.customer_of(enrollment) if enrollment else None
        if customer_id is None:
            raise UnknownMessageError("no such message is on record; name its customer too, in case it is an old one")
        return self.customers.load(customer_id)

    def _readings(self, name: str) -> Iterator[Identifier]:
        """Every identifier that the name may mean."""
        yield identifier(USER_ID, name)
        if canonical_email(name):
            yield identifier(EMAIL, name)
        number = self.normal_phone(name)
        if number:
            yield identifier(PHONE, number)
        if is_whatsapp_user(name):
            yield identifier(WHATSAPP, name)
        system, _, external = name.partition(":")
        if external:
            yield identifier(EXTERNAL + system, external)
