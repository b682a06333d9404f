"""Choosing the winner of a split: by a person, who may take it back, and by the rule, which chooses once."""

from collections.abc import Callable
from typing import Any

import pytest

from cairn.application.operations.choose_winner import ChooseWinner, ShownSplit
from cairn.domain.journey.arms import ArmOutcome
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.winner import ArmResult
from cairn.domain.operations.choices import ChosenArm
from cairn.domain.operations.switches import SwitchRecord
from cairn.domain.shared.errors import (
    AlreadySwitchedError,
    InvalidSwitchError,
    UnknownJourneyError,
    UnknownTargetError,
)
from tests.unit.fakes import ArmCounts, ChoiceBoard
from tests.unit.makers import MONDAY, journey

BY: Any = {"by": "mia", "why": "sells more", "now": MONDAY}


def offer(*, version: str = "v1", weight: float = 1, winner: Any = "person", salt: str = "") -> Journey:
    arms = [{"arm": "gift", "weight": 1}, {"arm": "discount", "weight": weight}]
    split = {"arms": arms, "salt": salt} | ({"winner": winner} if winner else {})
    return journey({"id": "offer", "split": split}, version=version, goal={"event": "order.placed"})


class Directory:
    """The first version is deployed."""

    def __init__(self, *versions: Journey) -> None:
        self.versions = list(versions)

    def names(self) -> list[str]:
        return ["visit"]

    def deployed(self, name: str) -> str | None:
        return self.versions[0].version if name == "visit" else None

    def version(self, name: str, version: str) -> Journey:
        for one in self.versions:
            if one.version == version:
                return one
        raise UnknownJourneyError(f"no version {version} of {name}")

    def stored(self, name: str) -> list[str]:  # noqa: ARG002
        return [one.version for one in self.versions]

    def choosing_by_rule(self) -> list[Journey]:
        return [self.versions[0]]


@pytest.fixture
def counts() -> ArmCounts:
    return ArmCounts()


@pytest.fixture
def board() -> ChoiceBoard:
    return ChoiceBoard()


@pytest.fixture
def winner(counts: ArmCounts, board: ChoiceBoard) -> Callable[..., ChooseWinner]:
    return lambda *versions: ChooseWinner(Directory(*(versions or [offer()])), counts, board)


def brings(counts: ArmCounts, arm: str, entered: int, reached: int, version: str = "v1") -> None:
    for number in range(entered):
        this = f"{arm}-{version}-{number}"
        counts.add(ArmOutcome("visit", version, "offer", arm, "entered", this), MONDAY)
        if number < reached:
            counts.add(ArmOutcome("visit", version, "offer", arm, "reached", this), MONDAY)


def only(shown: Any) -> ShownSplit:
    (split,) = shown
    assert isinstance(split, ShownSplit)
    return split


def test_counts_are_of_all_versions_that_divide_alike(winner: Callable[..., ChooseWinner], counts: ArmCounts) -> None:
    brings(counts, "gift", 5, 2)
    brings(counts, "gift", 3, 1, version="v0")
    brings(counts, "gift", 9, 9, version="other-weights")
    brings(counts, "gift", 9, 9, version="other-salt")
    brings(counts, "gift", 9, 9, version="lost")
    versions = (
        offer(),
        offer(version="v0"),
        offer(version="other-weights", weight=2),
        offer(version="other-salt", salt="x"),
    )

    shown = only(winner(*versions).show("visit"))

    assert shown.arms == {"gift": ArmResult(1, 8, 3), "discount": ArmResult(1)}


def test_a_person_chooses_and_takes_it_back_and_both_are_audited(
    winner: Callable[..., ChooseWinner], board: ChoiceBoard
) -> None:
    chosen = only(winner().choose("visit", "offer", "gift", **BY))
    assert chosen.chosen == ChosenArm("gift", SwitchRecord("mia", MONDAY, "sells more"))
    assert board.board().of("visit") == {("offer", ""): "gift"}

    reopened = only(winner().reopen("visit", "offer", **BY | {"why": "sells less"}))

    assert reopened.chosen_arm == ""
    assert board.board().of("visit") == {}
    assert [(one.action, one.actor, one.target, one.reason, dict(one.detail)) for one in board.audit] == [
        ("choose", "mia", "journey:visit", "sells more", {"step": "offer", "arm": "gift"}),
        ("reopen", "mia", "journey:visit", "sells less", {"step": "offer"}),
    ]


def test_an_order_that_is_repeated_finds_itself(winner: Callable[..., ChooseWinner], board: ChoiceBoard) -> None:
    for _ in range(2):
        winner().choose("visit", "offer", "gift", **BY)
    with pytest.raises(AlreadySwitchedError, match=r"gift is the chosen arm of offer already, since .* by mia"):
        winner().choose("visit", "offer", "gift", **BY | {"by": "noor"})
    for _ in range(2):
        winner().reopen("visit", "offer", **BY)
    with pytest.raises(InvalidSwitchError, match="no arm of offer is chosen"):
        winner().reopen("visit", "offer", **BY | {"by": "noor"})

    assert len(board.audit) == 2


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (("vist", "offer", "gift"), "journey vist is not deployed; did you mean visit?"),
        (("visit", "ofer", "gift"), "visit has no split ofer; did you mean offer?"),
        (("visit", "offer", "gifts"), "offer has no arm gifts that customers get; did you mean gift?"),
        (("visit", "offer", "x"), "offer has no arm x that customers get; there is discount, gift"),
    ],
)
def test_what_there_is_not_is_named_with_what_was_meant(
    winner: Callable[..., ChooseWinner], order: tuple[str, str, str], said: str
) -> None:
    with pytest.raises(UnknownTargetError) as error:
        winner().choose(*order, **BY)

    assert str(error.value) == said


def test_an_arm_without_weight_and_a_split_without_a_winner_are_not_chosen(
    winner: Callable[..., ChooseWinner],
) -> None:
    with pytest.raises(UnknownTargetError, match="no arm discount that customers get"):
        winner(offer(weight=0)).choose("visit", "offer", "discount", **BY)
    with pytest.raises(UnknownTargetError, match="add `winner: person`"):
        winner(offer(winner=None)).choose("visit", "offer", "gift", **BY)


def test_somebody_says_who_and_why(winner: Callable[..., ChooseWinner]) -> None:
    with pytest.raises(InvalidSwitchError, match="say why"):
        winner().choose("visit", "offer", "gift", by="mia", why=" ", now=MONDAY)


def test_a_chosen_arm_that_the_deployed_version_has_no_more_is_not_in_force(
    winner: Callable[..., ChooseWinner],
) -> None:
    winner().choose("visit", "offer", "discount", **BY)

    shown = only(winner(offer(version="v2", weight=0)).show("visit"))

    assert shown.chosen is not None
    assert (shown.chosen.arm, shown.chosen_arm) == ("discount", "")


def test_the_rule_chooses_once_it_has_seen_enough(
    winner: Callable[..., ChooseWinner], counts: ArmCounts, board: ChoiceBoard
) -> None:
    tested = offer(winner={"by": "rule", "after": 100})
    brings(counts, "gift", 99, 90)
    brings(counts, "discount", 120, 10)
    assert winner(tested).by_rule(MONDAY) == []

    brings(counts, "gift", 100, 90)
    found = [winner(tested).by_rule(MONDAY) for _ in range(2)]

    assert [len(one) for one in found] == [1, 0]
    assert board.board().of("visit") == {("offer", ""): "gift"}
    (entry,) = board.audit
    assert (entry.actor, entry.action) == ("rule", "choose")
    assert entry.reason == "gift is better: gift 90 of 100, discount 10 of 120 reached the goal (error at most 0.05)"


def test_the_rule_leaves_alone_what_is_a_persons(
    winner: Callable[..., ChooseWinner], counts: ArmCounts, board: ChoiceBoard
) -> None:
    brings(counts, "gift", 500, 400)
    brings(counts, "discount", 500, 10)
    assert winner(offer(winner="person")).by_rule(MONDAY) == []
    by_rule = winner(offer(winner="rule"))
    by_rule.choose("visit", "offer", "discount", **BY)
    assert by_rule.by_rule(MONDAY) == []

    by_rule.reopen("visit", "offer", **BY)

    assert by_rule.by_rule(MONDAY) == []
    assert board.board().of("visit") == {}


def test_a_person_who_is_faster_than_the_rule_decides(
    winner: Callable[..., ChooseWinner], counts: ArmCounts, board: ChoiceBoard
) -> None:
    brings(counts, "gift", 500, 400)
    brings(counts, "discount", 500, 10)
    by_rule = winner(offer(winner="rule"))
    board.meanwhile = lambda: by_rule.choose("visit", "offer", "discount", **BY)

    by_rule.by_rule(MONDAY)

    assert board.board().of("visit") == {("offer", ""): "discount"}
