"""Show a customer: the profile in short, the timeline in sentences, and where they stand in journeys."""

from collections.abc import Sequence
from dataclasses import dataclass

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.operations.operator_commands import Attribution
from cairn.application.ports import Audit, ChosenArms, History, JourneyVersions, SwitchBoard
from cairn.domain.customer.chosen_arms import arms_for
from cairn.domain.customer.state import Customer
from cairn.domain.explain.explanations import ZoneOfJourney, last_journey
from cairn.domain.explain.lines import TimelineLine, lines_of
from cairn.domain.explain.upcoming import Upcoming, upcoming
from cairn.domain.journey.definition import ENTRY, Journey
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.profile.addresses import addresses_to_send_to
from cairn.domain.shared.errors import UnknownJourneyError

SHOW, TIMELINE, ENROLLMENTS = "show_customer", "show_timeline", "show_enrollments"
"""The actions in the audit."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An open enrollment and what comes next. `upcoming` is None where nobody has its version any more."""

    enrollment: Enrollment
    upcoming: Upcoming | None


@dataclass(frozen=True, slots=True)
class TimelinePage:
    customer: str
    zone: str
    lines: Sequence[TimelineLine]
    """The newest first."""
    following: str | None
    """What gives the page of older lines; None after the oldest."""


@dataclass(frozen=True, slots=True)
class ShowCustomer:
    """Each reading follows an entry in the audit: what cannot be audited is not shown.

    Raises the errors of FindCustomer.
    """

    find: FindCustomer
    history: History
    audit: Audit
    versions: JourneyVersions
    board: SwitchBoard
    chosen: ChosenArms
    zone_of_journey: ZoneOfJourney

    def profile(self, name: str, reader: Attribution) -> Customer:
        return self._found(name, SHOW, reader)

    def timeline(self, name: str, limit: int, after: str, reader: Attribution) -> TimelinePage:
        """`after`: the `following` of the page before. Raises InvalidRequestError for any other."""
        customer = self._found(name, TIMELINE, reader)
        entries = self.history.entries(customer.id)
        zone = customer.zone(self.zone_of_journey(last_journey(entries)))
        lines, following = lines_of(entries, zone, limit, after)
        return TimelinePage(customer.id, zone.key, lines, following)

    def enrollments(self, name: str, reader: Attribution) -> tuple[Customer, Sequence[Standing]]:
        """The open ones, the one whose timer fires first before the others."""
        customer = self._found(name, ENROLLMENTS, reader)
        pauses = tuple(one.pause for one in self.board.board().pauses)
        reachable = addresses_to_send_to(customer.profile)
        found = []
        for one in customer.enrollments.values():
            if not one.open:
                continue
            journey = self._journey(one)
            if journey is None:
                found.append(Standing(one, None))
                continue
            follows = upcoming(
                journey,
                one,
                customer.profile,
                pauses=pauses,
                arms=arms_for(journey, customer.entered, lambda name: self.chosen.of(name, reader.at)),
                reachable=reachable,
                now=reader.at,
                zone=customer.zone(journey.time_zone),
            )
            found.append(Standing(one, follows))
        return customer, sorted(found, key=lambda one: (one.enrollment.timer_at or reader.at, one.enrollment.id))

    def _journey(self, enrollment: Enrollment) -> Journey | None:
        """Before its beginning, the version that counts is the deployed one."""
        if enrollment.step == ENTRY:
            return self.versions.current(enrollment.journey)
        try:
            return self.versions.version(enrollment.journey, enrollment.version)
        except UnknownJourneyError:
            return None

    def _found(self, name: str, action: str, reader: Attribution) -> Customer:
        customer = self.find(name)
        self.audit.write(AuditEntry(reader.at, reader.by, action, customer.id, reader.why))
        return customer
