"""Send a message once more that failed, or that was not sent: through the gate, as any other."""

from dataclasses import dataclass

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.operations.operator_commands import Attribution, CommandReceipt, OperatorCommands
from cairn.application.ports import History
from cairn.domain.customer.state import RESEND_ORDERED
from cairn.domain.effects import split_effect_id
from cairn.domain.message.message import MessageStatus
from cairn.domain.shared.errors import OrderRefusedError, UnknownMessageError

RESENDABLE = frozenset({MessageStatus.SUPPRESSED, MessageStatus.FAILED, MessageStatus.BOUNCED, MessageStatus.UNDECIDED})
"""How a message has ended that its reader does not have, or perhaps does not have."""

AGAIN = "r"
"""Between a message's id and the number of the further try."""


@dataclass(frozen=True, slots=True)
class Resent:
    receipt: CommandReceipt
    message: str
    """The id of the new try."""


@dataclass(frozen=True, slots=True)
class ResendMessage:
    find: FindCustomer
    history: History
    commands: OperatorCommands

    def __call__(self, message: str, name: str, attribution: Attribution) -> Resent:
        """Raises OrderRefusedError, UnknownMessageError and the errors of FindCustomer."""
        message_id, _, _ = message.strip().partition(".")
        enrollment, step, attempt = split_effect_id(message_id)
        customer = self.find.of_message(message_id, name)
        own = [one for one in self.history.entries(customer.id) if one.get("message_id")]
        outcomes = [one.get("status") for one in own if one["message_id"] == message_id]
        if not outcomes:
            raise UnknownMessageError("nothing was decided on that message yet, or its record has expired")
        if outcomes[-1] not in RESENDABLE:
            state = "it still waits" if outcomes[-1] is None else f"it is {outcomes[-1]}"
            raise OrderRefusedError(f"only a message that was not sent, or failed, is sent again; {state}")
        if enrollment not in customer.enrollments:
            why = "it belongs to no journey" if not enrollment else "the journey has ended, and its data is gone"
            raise OrderRefusedError(f"the message cannot be made again: {why}")
        first = f"{enrollment}-{step}-{attempt.partition(AGAIN)[0]}"
        tries = {one["message_id"] for one in own if one["message_id"].startswith(f"{first}{AGAIN}")}
        again = f"{first}{AGAIN}{len(tries) + 1}"
        about = {"message": message_id, "again": again, "actor": attribution.by}
        event = self.commands.event(RESEND_ORDERED, customer.id, attribution, about)
        done = self.commands.submit("resend", event, customer.id, attribution, {"message": message_id, "again": again})
        return Resent(done, again)
