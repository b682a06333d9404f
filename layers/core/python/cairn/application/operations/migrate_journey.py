"""Move the customers under way in a journey to another version: first a report, then the orders to do it.

Each of them waits and has a due time, so the index of due times lists them all, and the table is not scanned. An order
is an event of the customer, as every change that an operator orders: `process_event` decides anew, in its one commit.
So this may stop anywhere and be repeated: customers who have moved are not on the old version any more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from cairn.application.ports import Audit, Customers, Inbox, JourneyDirectory, WaitingIndex
from cairn.application.values.waiting import UnreadableItem, WaitingEnrollments
from cairn.domain.customer.state import JOURNEY_MIGRATED, Customer
from cairn.domain.event import Event
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.journey.enrollment import Enrollment, Status
from cairn.domain.journey.migration import Because, Migrated, Outcome, ReportRow, Stays, migrate, row_of
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.targets import near_target
from cairn.domain.shared.errors import (
    InvalidRequestError,
    UnknownCustomerError,
    UnknownJourneyError,
    UnknownTargetError,
)
from cairn.domain.shared.hashing import short_hash

ACTION = "migrate"


@dataclass(frozen=True, slots=True)
class Route:
    """From one version, or where it is empty from all others, to another one; empty: the deployed one."""

    journey: str
    from_version: str = ""
    to_version: str = ""


@dataclass(frozen=True, slots=True)
class MigratedPage:
    to_version: str
    """Empty where the journey is not deployed, and no version was named."""
    counts: Mapping[ReportRow, int]
    following: str | None
    """What gives the next page; None after the last one."""


@dataclass(frozen=True, slots=True)
class MigrateJourney:
    """Each call is about one page of the enrollments that wait.

    Raises UnknownTargetError for an unknown journey or version, InvalidRequestError where there is nothing to move to.
    """

    directory: JourneyDirectory
    index: WaitingIndex
    customers: Customers
    inbox: Inbox
    audit: Audit

    def report(self, route: Route, after: str, now: datetime) -> MigratedPage:
        """Count who would move where, and who would stay."""
        return self._page(self._checked(route), after, now)[0]

    def order(self, route: Route, after: str, *, by: str, why: str, now: datetime) -> MigratedPage:
        """Audit and order the moves of this page."""
        route = self._checked(route)
        if not route.to_version:
            raise InvalidRequestError([f"to: {route.journey} is not deployed; name the version to move to"])
        page, moving = self._page(route, after, now)
        if moving:
            page_id = short_hash(*moving, length=10)  # two pages of one instant are two entries
            about = {"from": route.from_version, "to": route.to_version, "customers": len(moving), "page": page_id}
            detail = {name: one for name, one in about.items() if one}
            self.audit.write(AuditEntry(now, by, ACTION, f"journey:{route.journey}", why, detail))
            self.inbox.put([_event(customer, route, by, now) for customer in moving])
        return page

    def _checked(self, route: Route) -> Route:
        """With the deployed version, if there is one and no other is named."""
        deployed = self.directory.deployed(route.journey)
        known = sorted({*self.directory.stored(route.journey), *([deployed] if deployed else [])})
        if not known:
            near = near_target(route.journey, self.directory.names())
            meant = f"; did you mean {near}?" if near else ""
            raise UnknownTargetError(f"journey {route.journey} does not exist{meant}")
        for version in filter(None, (route.from_version, route.to_version)):
            if version not in known:
                raise UnknownTargetError(f"{route.journey} has no version {version}; it has {', '.join(known)}")
        route = replace(route, to_version=route.to_version or deployed or "")
        if route.to_version and route.from_version == route.to_version:
            raise InvalidRequestError(["from, to: the same version"])
        return route

    def _page(self, route: Route, after: str, now: datetime) -> tuple[MigratedPage, list[str]]:
        """The page, and the customers who have something to move."""
        page = self.index.page(after)
        counts: Counter[ReportRow] = Counter()
        moving: dict[str, None] = {}
        for waiting in page.found:
            if isinstance(waiting, UnreadableItem):
                counts[ReportRow("", "", because=Because.UNREADABLE)] += 1
                continue
            for customer, enrollment in self._concerned(waiting, route):
                outcome = self._outcome(customer, enrollment, route, now)
                counts[row_of(enrollment, outcome, now)] += 1
                if isinstance(outcome, Migrated):
                    moving[customer.id] = None
        return MigratedPage(route.to_version, counts, page.following), list(moving)

    def _concerned(self, waiting: WaitingEnrollments, route: Route) -> Iterator[tuple[Customer, Enrollment]]:
        """Enrollments of the journey in another version, each with its customer, as they are now."""
        ids = [one.id for one in waiting.enrollments.values() if _concerns(route, one)]
        if not ids:
            return
        try:
            customer = self.customers.load(waiting.customer, ids[0] if len(ids) == 1 else "")
        except UnknownCustomerError:  # erased a moment ago
            return
        for enrollment in map(customer.enrollments.get, ids):
            if enrollment is not None and _concerns(route, enrollment):
                yield customer, enrollment

    def _outcome(self, customer: Customer, enrollment: Enrollment, route: Route, now: datetime) -> Outcome:
        if not route.to_version:
            return Stays(Because.NOT_DEPLOYED)
        try:
            old = self.directory.version(route.journey, enrollment.version)
        except UnknownJourneyError:
            return Stays(Because.LOST_VERSION)
        new = self.directory.version(route.journey, route.to_version)
        return migrate(enrollment, old, new, customer.profile, now)


def _concerns(route: Route, one: Enrollment) -> bool:
    """Whether an enrollment is to be moved. The holdout does not wait, so the index does not always list it."""
    is_ours = one.journey == route.journey and one.version != route.to_version
    return is_ours and one.status is Status.ACTIVE and route.from_version in {"", one.version}


def _event(customer: str, route: Route, by: str, now: datetime) -> Event:
    properties = {"journey": route.journey, "to": route.to_version, "actor": by}
    properties |= {"from": route.from_version} if route.from_version else {}
    return Event(
        id=short_hash(JOURNEY_MIGRATED, customer, by, now.isoformat(), str(properties), length=26),
        source=OPERATORS_SOURCE,
        type=JOURNEY_MIGRATED,
        occurred_at=now,
        customer_id=customer,
        properties=properties,
    )
