"""Customers are moved to another version of a journey, a page at a time: counted, audited and ordered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from cairn.application.operations.migrate_journey import MigrateJourney, Route
from cairn.application.values.waiting import UnreadableItem, WaitingEnrollments, WaitingPage
from cairn.domain.customer.customer import on_event
from cairn.domain.customer.state import Customer
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.migration import Because, ReportRow, Timer
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import InvalidRequestError, UnknownJourneyError, UnknownTargetError
from tests.unit.fakes import Customers, Inbox
from tests.unit.makers import MONDAY, entered, event, journey, profile, send, wait

OLD = journey(wait("pause", "7d"), send("offer"), version="old")
NEW = journey(wait("pause", "1d"), send("offer"), version="new")
OTHER = journey(wait("pause", "7d"), version="other")


@dataclass
class Directory:
    """The journey `visit`, of which `new` is deployed."""

    is_deployed: bool = True

    def names(self) -> Sequence[str]:
        return ["visit"] if self.is_deployed else []

    def deployed(self, name: str) -> str | None:
        return "new" if name == "visit" and self.is_deployed else None

    def stored(self, name: str) -> Sequence[str]:
        return ["old", "other", "lost"] if name == "visit" else []

    def listening(self, event_type: str) -> tuple[Journey, ...]:  # noqa: ARG002
        return ()

    def watching(self) -> Mapping[str, tuple[Journey, ...]]:
        return {}

    def version(self, name: str, version: str) -> Journey:
        found = {one.version: one for one in (OLD, NEW, OTHER)}.get(version)
        if found is None:
            raise UnknownJourneyError(f"{name} {version}")
        return found


@dataclass
class Index:
    pages: list[WaitingPage] = field(default_factory=list)

    def page(self, after: str = "") -> WaitingPage:
        return self.pages[int(after or 0)]


class Audit(list[AuditEntry]):
    def write(self, audited: AuditEntry) -> None:
        self.append(audited)

    def latest(self, limit: int, before: str = "") -> Sequence[AuditEntry]:
        raise NotImplementedError


class OneCustomer(Customers):
    def __init__(self, customer: Customer) -> None:
        super().__init__()
        self._by_id[customer.id] = customer


def ada(*versions: Journey) -> Customer:
    """Ada waits in each of these versions."""
    waiting = [entered(one, key=one.version).enrollment for one in versions]
    return Customer(profile(), enrollments={one.id: one for one in waiting})


def migration(customer: Customer, *, is_deployed: bool = True, more: tuple[UnreadableItem, ...] = ()) -> MigrateJourney:
    index = Index([WaitingPage([WaitingEnrollments(customer.id, customer.enrollments, 1, "open#state"), *more])])
    return MigrateJourney(Directory(is_deployed), index, OneCustomer(customer), Inbox(), Audit())


NOW = MONDAY + timedelta(hours=1)


def test_a_report_counts_and_orders_nothing() -> None:
    migrate = migration(ada(OLD, OTHER, NEW))

    page = migrate.report(Route("visit"), "", NOW)

    assert page.to_version == "new"
    assert page.counts == {
        ReportRow("old", "pause", "pause", Timer.SET_ANEW): 1,
        ReportRow("other", "pause", "pause", Timer.SET_ANEW): 1,
    }
    assert (migrate.inbox, migrate.audit) == ([], [])


def test_only_the_named_version_is_moved() -> None:
    page = migration(ada(OLD, OTHER)).report(Route("visit", from_version="old"), "", NOW)

    assert [line.version for line in page.counts] == ["old"]


def test_an_order_is_audited_and_is_one_event_of_the_customer() -> None:
    migrate = migration(ada(OLD, OTHER))

    migrate.order(Route("visit"), "", by="ada", why="too slow", now=NOW)

    (event_,), (entry,) = migrate.inbox, migrate.audit  # type: ignore[misc]
    assert (event_.source, event_.type, event_.customer_id) == ("operators", "journey.migrated", "c_ada")
    assert (entry.actor, entry.action, entry.target, entry.reason) == ("ada", "migrate", "journey:visit", "too slow")
    assert entry.detail["customers"] == 1


def test_the_event_moves_the_enrollments_as_the_report_said_and_a_second_one_changes_nothing() -> None:
    customer = ada(OLD, OTHER, NEW)
    migrate = migration(customer)
    migrate.order(Route("visit", from_version="old"), "", by="ada", why="too slow", now=NOW)
    (ordered,) = migrate.inbox  # type: ignore[misc]

    done = on_event(customer, ordered, Directory(), NOW)
    again = on_event(done.customer, ordered, Directory(), NOW)

    assert sorted(one.version for one in done.customer.enrollments.values()) == ["new", "new", "other"]
    assert [fact.kind for fact in done.facts] == ["migrated", "waiting"]
    assert done.customer.profile == customer.profile
    assert (again.customer, again.effects, again.facts) == (done.customer, (), ())


def test_only_an_operators_event_moves_anybody() -> None:
    customer = ada(OLD)
    said = {"journey": "visit", "to": "new"}

    done = on_event(customer, event("journey.migrated", properties=said), Directory(), NOW)

    assert [one.version for one in done.customer.enrollments.values()] == ["old"]


def test_who_cannot_be_moved_is_counted_with_the_reason() -> None:
    lost = replace(OLD, version="lost")
    unreadable = UnreadableItem("c_bob", "open#state", MONDAY, "KeyError")

    page = migration(ada(lost), more=(unreadable,)).report(Route("visit"), "", NOW)

    assert page.counts == {
        ReportRow("lost", "pause", because=Because.LOST_VERSION): 1,
        ReportRow("", "", because=Because.UNREADABLE): 1,
    }


def test_of_a_removed_journey_a_report_says_who_is_under_way() -> None:
    migrate = migration(ada(OLD), is_deployed=False)

    assert migrate.report(Route("visit"), "", NOW).counts == {
        ReportRow("old", "pause", because=Because.NOT_DEPLOYED): 1
    }
    with pytest.raises(InvalidRequestError, match="name the version to move to"):
        migrate.order(Route("visit"), "", by="ada", why="x", now=NOW)
    assert migrate.report(Route("visit", to_version="other"), "", NOW).counts.keys() == {
        ReportRow("old", "pause", "pause", Timer.UNCHANGED)
    }


@pytest.mark.parametrize(
    ("route", "says"),
    [
        (Route("vist"), "journey vist does not exist; did you mean visit"),
        (Route("visit", to_version="newer"), "visit has no version newer; it has lost, new, old, other"),
        (Route("visit", from_version="older"), "visit has no version older"),
    ],
)
def test_an_unknown_journey_or_version_is_named(route: Route, says: str) -> None:
    with pytest.raises(UnknownTargetError, match=says):
        migration(ada(OLD)).report(route, "", NOW)


def test_from_a_version_to_itself_nothing_moves() -> None:
    with pytest.raises(InvalidRequestError, match="the same version"):
        migration(ada(OLD)).report(Route("visit", from_version="new"), "", NOW)


def test_a_customer_who_was_erased_meanwhile_is_left_out() -> None:
    migrate = migration(ada(OLD))
    empty = replace(migrate, customers=Customers())

    assert empty.report(Route("visit"), "", NOW).counts == {}
