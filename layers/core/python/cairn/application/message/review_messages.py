"""Review messages: a person approves or rejects a message, which then goes to the gate at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.ports import Audit, MessageQueue, Reviews
from cairn.application.values.reviews import UnderReview
from cairn.domain.message.message import Approval
from cairn.domain.operations.audit import AuditEntry

APPROVE, REJECT = "approve", "reject"

LIST_REVIEWS, REVIEWS = "list_reviews", "reviews"
"""The action and the target in the audit of who has read messages under review."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    message: str
    customer: str


@dataclass(frozen=True, slots=True)
class ReviewMessages:
    find: FindCustomer
    reviews: Reviews
    messages: MessageQueue
    audit: Audit

    def waiting(self, limit: int, after: str = "", *, by: str, now: datetime) -> Sequence[UnderReview]:
        """Messages under review, after an entry in the audit that names them. None shown, none audited."""
        waiting = self.reviews.waiting(limit, after)
        if waiting:
            shown = {"messages": [one.message for one in waiting]}
            self.audit.write(AuditEntry(now, by, LIST_REVIEWS, REVIEWS, "", shown))
        return waiting

    def decide(  # noqa: PLR0913  who, when and why belong to every decision
        self, message: str, name: str, *, granted: bool, by: str, why: str, now: datetime
    ) -> Reviewed:
        """Record the decision. The gate still checks consent, hours and caps of an approved message.

        Where the queue fails, the same call again brings the message to the gate.
        Raises NotUnderReviewError, ConflictError and the errors of FindCustomer.
        """
        message_id, _, _ = message.strip().partition(".")
        customer = self.find.of_message(message_id, name)
        audited = AuditEntry(now, by, APPROVE if granted else REJECT, message_id, why, {"customer": customer.id})
        purpose = self.reviews.decide(customer.id, message_id, Approval(granted, by, now), audited)
        self.messages.put_deferred(customer.id, message_id, purpose)
        return Reviewed(message_id, customer.id)
