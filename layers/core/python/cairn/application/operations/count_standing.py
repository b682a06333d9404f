"""Count who stands at each step of a journey, from the index of due times: each of them waits, so it lists them all."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cairn.application.ports import JourneyDirectory, WaitingIndex
from cairn.application.values.waiting import WaitingEnrollments
from cairn.domain.journey.enrollment import Status
from cairn.domain.operations.targets import near_target
from cairn.domain.shared.errors import UnknownTargetError


@dataclass(frozen=True, slots=True)
class StandingPage:
    counts: Mapping[tuple[str, str], int]
    """By version and step."""
    following: str | None
    """What gives the next page; None after the last one."""


@dataclass(frozen=True, slots=True)
class CountStanding:
    directory: JourneyDirectory
    index: WaitingIndex

    def page(self, journey: str, after: str = "") -> StandingPage:
        """The counts of one page of the index, which lists the enrollments of all journeys, each once.

        Raises UnknownTargetError for an unknown journey.
        """
        if self.directory.deployed(journey) is None and not self.directory.stored(journey):
            near = near_target(journey, self.directory.names())
            raise UnknownTargetError(f"journey {journey} does not exist{f'; did you mean {near}?' if near else ''}")
        page = self.index.page(after)
        waiting = (one for one in page.found if isinstance(one, WaitingEnrollments))
        standing = (one for some in waiting for one in some.enrollments.values() if one.status is Status.ACTIVE)
        counts = Counter((one.version, one.step) for one in standing if one.journey == journey and one.step)
        return StandingPage(counts, page.following)
