"""What a person decides about one customer: enter a journey, leave one, be one with another customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.operations.operator_commands import Attribution, CommandReceipt, OperatorCommands
from cairn.application.ports import JourneyDirectory, JourneyVersions
from cairn.domain.customer.customer import on_event
from cairn.domain.customer.state import JOURNEY_ENTERED, JOURNEY_LEFT, Customer
from cairn.domain.event import Event
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.enrollment import Status
from cairn.domain.operations.targets import near_target
from cairn.domain.profile.profile import survivor
from cairn.domain.shared.errors import InvalidRequestError, OrderRefusedError, UnknownTargetError


@dataclass(frozen=True, slots=True)
class ChangeCustomer:
    """Each is refused at once where it is clear that nothing would come of it, else audited and sent as an event.

    Raises the errors of FindCustomer, UnknownTargetError for an unknown journey, and OrderRefusedError.
    """

    find: FindCustomer
    commands: OperatorCommands
    versions: JourneyVersions
    directory: JourneyDirectory

    def enroll(
        self, name: str, journey: str, key: str, data: Mapping[str, Any], attribution: Attribution
    ) -> CommandReceipt:
        """Into the deployed version. `key` names the enrollment where a customer may have several in the journey.

        Raises InvalidRequestError for a key that is missing, or that the journey does not have.
        """
        entered = self._deployed(journey)
        has_key = entered.entry.keys != (None,)
        if has_key != bool(key):
            of = ", ".join(filter(None, entered.entry.keys))
            raise InvalidRequestError([f"key: {'say which, of ' + of if has_key else f'{journey} has none'}"])
        customer = self.find(name)
        about = {"journey": journey, "key": key, "data": dict(data), "actor": attribution.by}
        event = self.commands.event(JOURNEY_ENTERED, customer.id, attribution, about)
        if reason := self._against(customer, event, attribution):
            raise OrderRefusedError(f"the customer does not enter {journey}: {reason}")
        return self.commands.submit("enroll", event, customer.id, attribution, {"journey": journey})

    def leave(self, name: str, journey: str, attribution: Attribution) -> CommandReceipt:
        """Its messages and tasks that still wait are dropped, as after an event of its `exit_on`."""
        self._known(journey)
        customer = self.find(name)
        inside = [one for one in customer.enrollments.values() if one.journey == journey]
        if not any(one.status is Status.ACTIVE for one in inside):
            held_out = any(one.status is Status.HELD_OUT for one in inside)
            why = "is in its holdout, and gets nothing of it" if held_out else "is not in it"
            raise OrderRefusedError(f"the customer cannot leave {journey}: {why}")
        about = {"journey": journey, "actor": attribution.by}
        event = self.commands.event(JOURNEY_LEFT, customer.id, attribution, about)
        return self.commands.submit("leave", event, customer.id, attribution, {"journey": journey})

    def merge(self, name: str, other_name: str, attribution: Attribution) -> CommandReceipt:
        """The receipt is about the customer whose id stays. It cannot be undone (docs/trust.md).

        Raises NotMergedError as well.
        """
        one, other = self.find(name), self.find(other_name)
        if one.id == other.id:
            raise OrderRefusedError("both names lead to the same customer already")
        stays = survivor((one.profile, other.profile)).id
        first, second = (one, other) if stays == one.id else (other, one)
        return self.commands.merge(first, second, attribution)

    def _against(self, customer: Customer, event: Event, attribution: Attribution) -> str:
        """Why the customer would not enter, as far as can be seen now; empty where nothing is against it."""
        done = on_event(customer, event, self.versions, attribution.at)
        return next((str(one.detail["reason"]) for one in done.facts if one.kind == "not_entered"), "")

    def _deployed(self, journey: str) -> Journey:
        found = self.versions.current(journey)
        if found is None:
            raise UnknownTargetError(f"no journey {journey} is deployed{self._near(journey)}")
        return found

    def _known(self, journey: str) -> None:
        if self.directory.deployed(journey) is None and not self.directory.stored(journey):
            raise UnknownTargetError(f"journey {journey} does not exist{self._near(journey)}")

    def _near(self, journey: str) -> str:
        near = near_target(journey, self.directory.names())
        return f"; did you mean {near}?" if near else ""
