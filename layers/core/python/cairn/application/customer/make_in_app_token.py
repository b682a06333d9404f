"""Make a token for a customer's in-app inbox, as the business's server asks for it when the customer has signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.operations.operator_commands import Attribution
from cairn.application.ports import Audit, InboxTokens
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.profile.addresses import addresses_to_send_to
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import NotAllowedError

ACTION = "in_app_token"
"""The action in the audit."""

USUAL_MINUTES, MOST_MINUTES = 60, 24 * 60


@dataclass(frozen=True, slots=True)
class InAppToken:
    customer: str
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class MakeInAppToken:
    find: FindCustomer
    audit: Audit
    tokens: InboxTokens

    def __call__(self, name: str, minutes: int, attribution: Attribution) -> InAppToken:
        """Audited first: who has the token reads the customer's messages.

        Raises the errors of FindCustomer, and NotAllowedError where no message can reach the inbox.
        """
        customer = self.find(name)
        if Channel.IN_APP not in addresses_to_send_to(customer.profile):
            raise NotAllowedError("nothing reaches this inbox: send the customer's user_id with an event first")
        by, why = attribution.by, attribution.why
        self.audit.write(AuditEntry(attribution.at, by, ACTION, customer.id, why, {"minutes": minutes}))
        expires_at = attribution.at + timedelta(minutes=minutes)
        return InAppToken(customer.id, self.tokens.token(customer.id, expires_at), expires_at)
