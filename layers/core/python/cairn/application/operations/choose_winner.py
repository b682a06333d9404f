"""Show the splits of a journey with what their arms brought, and choose their winners: a person, or the rule."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cairn.application.conflicts import until_committed
from cairn.application.ports import ArmCounts, Attempts, ChoiceBoard, JourneyDirectory
from cairn.application.values.arms import ArmCount
from cairn.domain.journey.arms import RULE, Winner
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.split import Split
from cairn.domain.journey.winner import ArmResult, winner_of
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.choices import Choices, ChosenArm, SplitOf
from cairn.domain.operations.switches import SwitchRecord, switch_record
from cairn.domain.operations.targets import near_target
from cairn.domain.shared.errors import UnknownJourneyError, UnknownTargetError


@dataclass(frozen=True, slots=True)
class ShownSplit:
    """A split of the deployed version. Its counts are of all versions that divide customers alike."""

    journey: str
    step: str
    winner: Winner
    arms: Mapping[str, ArmResult]
    chosen: ChosenArm | None = None
    """None where customers are divided by weight; one without an arm: since a person has said so."""

    @property
    def chosen_arm(self) -> str:
        """The arm that new customers get; empty where weights decide, also since the chosen one is gone."""
        arm = self.chosen.arm if self.chosen else ""
        return arm if arm in self.arms and self.arms[arm].weight else ""


@dataclass(frozen=True, slots=True)
class ChooseWinner:
    """Raises UnknownTargetError for a journey, a split or an arm that there is not.

    InvalidSwitchError where `by` or `why` is missing, or there is nothing to reopen; AlreadySwitchedError where the arm
    is chosen already; ConflictError where other changes kept coming first.
    """

    directory: JourneyDirectory
    counts: ArmCounts
    board: ChoiceBoard
    attempts: Attempts = range

    def show(self, journey: str) -> Sequence[ShownSplit]:
        return self._shown(self._deployed(journey), self.board.board())

    def choose(  # noqa: PLR0913  who, when and why belong to every order
        self, journey: str, step: str, arm: str, *, by: str, why: str, now: datetime
    ) -> Sequence[ShownSplit]:
        """New customers get this arm, within a minute. Customers who have one stay on it."""
        version = self._deployed(journey)
        split = _split_of(version, step)
        if split.arm(arm) is None:
            arms = [one.name for one in split.arms if one.weight]
            raise UnknownTargetError(f"{step} has no arm {arm} that customers get; {_meant(arm, arms)}")
        record = switch_record(by, why, now)
        this = SplitOf(journey, step, split.salt)
        order = _order("choose", this, record, {"arm": arm})
        return self._shown(version, self._update(order, lambda board: board.choosing(this, arm, record)))

    def reopen(self, journey: str, step: str, *, by: str, why: str, now: datetime) -> Sequence[ShownSplit]:
        """New customers are divided by weight again, and no rule chooses."""
        version = self._deployed(journey)
        record = switch_record(by, why, now)
        this = SplitOf(journey, step, _split_of(version, step).salt)
        order = _order("reopen", this, record, {})
        return self._shown(version, self._update(order, lambda board: board.reopening(this, record)))

    def by_rule(self, now: datetime) -> Sequence[SplitOf]:
        """Choose the winners of which rules have seen enough. Returns their splits."""
        found = []
        journeys = self.directory.choosing_by_rule()
        board = self.board.board() if journeys else Choices()
        for journey in journeys:
            for shown in self._shown(journey, board):
                arm = winner_of(shown.arms, shown.winner) if shown.winner.by == RULE else None
                this = SplitOf(journey.name, shown.step, _split_of(journey, shown.step).salt)
                if arm is None or this in board.chosen:
                    continue
                record = SwitchRecord(RULE, now, _because(arm, shown))
                order = _order("choose", this, record, {"arm": arm})
                self._update(order, _unless_chosen(this, arm, record))
                found.append(this)
        return found

    def _shown(self, journey: Journey, board: Choices) -> list[ShownSplit]:
        counts = self.counts.of(journey.name) if journey.measured else {}
        versions = {one.version for one in counts}
        alike = {version: self._splits(journey, version) for version in versions}
        shown = []
        for split in journey.measured:
            of = {arm.name: ArmResult(arm.weight) for arm in split.arms}
            for this, count in counts.items():
                if this.step == split.id and split.id in alike[this.version] and this.arm in of:
                    of[this.arm] = _more(of[this.arm], count)
            chosen = board.chosen.get(SplitOf(journey.name, split.id, split.salt))
            shown.append(ShownSplit(journey.name, split.id, split.winner or Winner(), of, chosen))
        return shown

    def _splits(self, journey: Journey, version: str) -> frozenset[str]:
        """The splits of a version that divide customers as those of the deployed one."""
        try:
            other = self.directory.version(journey.name, version)
        except UnknownJourneyError:
            return frozenset()
        divides = {split.id: split.divides for split in other.measured}
        return frozenset(split.id for split in journey.measured if divides.get(split.id) == split.divides)

    def _deployed(self, name: str) -> Journey:
        version = self.directory.deployed(name)
        if version is None:
            raise UnknownTargetError(f"journey {name} is not deployed; {_meant(name, self.directory.names())}")
        return self.directory.version(name, version)

    def _update(self, order: AuditEntry, change: Callable[[Choices], Choices]) -> Choices:

        def attempt() -> Choices:
            before = self.board.board()
            after = change(before)
            if after == before:
                return before
            self.board.put(after, order)
            return replace(after, version=after.version + 1)

        return until_committed(self.attempts, attempt, "others keep choosing arms; try once more")


def _split_of(journey: Journey, step: str) -> Split:
    for split in journey.measured:
        if split.id == step:
            return split
    if isinstance(journey.steps.get(step), Split):
        raise UnknownTargetError(f"{step} does not say how its winner is chosen; add `winner: person` and deploy it")
    raise UnknownTargetError(
        f"{journey.name} has no split {step}; {_meant(step, [one.id for one in journey.measured])}"
    )


def _meant(name: str, known: Collection[str]) -> str:
    names = sorted(known)
    near = near_target(name, names)
    return f"did you mean {near}?" if near else f"there is {', '.join(names) or 'none'}"


def _more(result: ArmResult, count: ArmCount) -> ArmResult:
    return replace(result, entered=result.entered + count.entered, reached=result.reached + count.reached)


def _unless_chosen(this: SplitOf, arm: str, record: SwitchRecord) -> Callable[[Choices], Choices]:
    """A person may have chosen meanwhile."""
    return lambda board: board if this in board.chosen else board.choosing(this, arm, record)


def _order(what: str, split: SplitOf, record: SwitchRecord, detail: Mapping[str, str]) -> AuditEntry:
    salt = {"salt": split.salt} if split.salt else {}
    about = {"step": split.step, **salt, **detail}
    return AuditEntry(record.at, record.by, what, f"journey:{split.journey}", record.why, about)


def _because(arm: str, shown: ShownSplit) -> str:
    counts = ", ".join(f"{name} {one.reached} of {one.entered}" for name, one in shown.arms.items() if one.weight)
    return f"{arm} is better: {counts} reached the goal (error at most {shown.winner.error:g})"
