"""The contracts of reviews, audit, timeline and suppressions for operators, run on moto and on an independent store."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from cairn.adapters.dynamodb.audit import DynamoAudit
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import AUDIT, CONTACT, MESSAGE, REVIEWS, TASK, CustomerItem, RecordItem
from cairn.adapters.dynamodb.reviews import DynamoReviews
from cairn.adapters.dynamodb.suppressions import DynamoSuppressions
from cairn.adapters.dynamodb.table import read_all
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.domain.consent.suppression import Cause, Mark, Suppression, SuppressionChange
from cairn.domain.effects import Fact, OpenTask
from cairn.domain.message.message import Approval, MessageStatus
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import CairnError, ConflictError, NotUnderReviewError, UnknownMessageError
from cairn.domain.shared.instants import instant_to_wire
from tests.unit.fakes import KEYS

pytestmark = pytest.mark.usefixtures("table")

NOW = datetime(2026, 3, 2, 14, 0, 0, 5, tzinfo=UTC)
MIA = "c_mia"
UNDER_REVIEW = DynamoReviews()
TIMELINE = DynamoTimeline()


def entry(action: str, at: datetime = NOW) -> AuditEntry:
    return AuditEntry(at, "ada", action, "e-hello-1", "fine", {"customer": MIA})


def defer(message_id: str = "e-hello-1", *, minutes: int = 0, reason: str = "review", task: bool = True) -> None:
    """Store a deferred message, as the sender does."""
    deadline = instant_to_wire(NOW + timedelta(minutes=minutes))
    CustomerItem(MIA, CONTACT, contact_version=0).save()
    RecordItem(
        MIA,
        MESSAGE + message_id,
        body={"journey": "shop", "step": "hello", "template": "hello", "purpose": "marketing"},
        status="held",
        rank=MessageStatus.DEFERRED.rank,
        decisions=[{"at": instant_to_wire(NOW), "reason": reason, "until": deadline, "why": {}}],
        gsi1pk=REVIEWS if reason == "review" else "paused#all",
        gsi1sk=deadline,
    ).save()
    if task:
        TIMELINE.open(
            MIA, "shop", OpenTask(message_id, "e", "hello", "compliance", "Approve", NOW, {"text": "Hi"}), NOW
        )


def decide(message_id: str = "e-hello-1", *, granted: bool = True) -> Purpose:
    action = "approve" if granted else "reject"
    return UNDER_REVIEW.decide(MIA, message_id, Approval(granted, "ada", NOW), entry(action))


def test_messages_under_review_are_listed_with_their_context_by_deadline() -> None:
    defer("e-b-1", minutes=9)
    defer("e-a-1", minutes=5)
    defer("e-c-1", minutes=7, task=False)
    defer("e-d-1", minutes=1, reason="paused")

    found = UNDER_REVIEW.waiting(10)

    assert [(one.message, one.queue) for one in found] == [
        ("e-a-1", "compliance"),
        ("e-c-1", ""),
        ("e-b-1", "compliance"),
    ]
    assert found[0].context == {"text": "Hi"}
    assert [one.message for one in UNDER_REVIEW.waiting(1)] == ["e-a-1"]


@pytest.mark.parametrize("task", [True, False])
def test_a_decision_is_written_to_the_message_the_task_and_the_audit(task: bool) -> None:  # noqa: FBT001
    defer(task=task)

    assert decide() is Purpose.MARKETING

    message = RecordItem.get(MIA, MESSAGE + "e-hello-1")
    assert message.approval == {"granted": True, "by": "ada", "at": instant_to_wire(NOW)}
    assert message.gsi1pk is None
    assert UNDER_REVIEW.waiting(10) == []
    assert [one.action for one in DynamoAudit().latest(10)] == ["approve"]
    tasks = list(RecordItem.query(MIA, RecordItem.sk.startswith(TASK)))
    assert [(one.status, one.gsi1pk, (one.body or {})["outcome"]) for one in tasks] == [
        ("done", None, "approved")
    ] * task


@pytest.mark.atomic_writes
def test_only_one_of_several_concurrent_decisions_is_written() -> None:
    defer()

    def one(number: int) -> str:
        try:
            decide(granted=number % 2 == 0)
        except (ConflictError, NotUnderReviewError):
            return "refused"
        return "done"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(one, range(8)))

    granted = (RecordItem.get(MIA, MESSAGE + "e-hello-1").approval or {})["granted"]
    assert all(outcome == "refused" for number, outcome in enumerate(outcomes) if (number % 2 == 0) != granted)
    assert [one.action for one in DynamoAudit().latest(10)] == ["approve" if granted else "reject"]


@pytest.mark.parametrize("status", ["sent", "suppressed", "failed"])
def test_a_settled_message_cannot_be_decided(status: str) -> None:
    defer()
    RecordItem(MIA, MESSAGE + "e-hello-1").update([RecordItem.status.set(status)])

    with pytest.raises(NotUnderReviewError, match=f"it is {status}"):
        decide()
    assert DynamoAudit().latest(10) == []


def test_a_decision_conflicts_with_a_message_that_is_settled_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    from cairn.adapters.dynamodb import reviews

    defer()
    found = read_all([(MIA, MESSAGE + "e-hello-1"), (MIA, TASK + "e-hello-1")])
    RecordItem(MIA, MESSAGE + "e-hello-1").update([RecordItem.status.set("suppressed")])
    monkeypatch.setattr(reviews, "read_all", lambda _: found)

    with pytest.raises(ConflictError):
        decide()
    assert RecordItem.get(MIA, MESSAGE + "e-hello-1").approval is None
    assert RecordItem.get(MIA, TASK + "e-hello-1").status == "open"
    assert list(RecordItem.query(AUDIT)) == []


def test_a_decision_conflicts_with_a_pause_that_comes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    from cairn.adapters.dynamodb import reviews

    defer(task=False)
    found = read_all([(MIA, MESSAGE + "e-hello-1")])
    RecordItem(MIA, MESSAGE + "e-hello-1").update([RecordItem.gsi1pk.set("paused#all")])
    monkeypatch.setattr(reviews, "read_all", lambda _: found)

    with pytest.raises(ConflictError):
        decide()
    assert [item.sk for item in RecordItem.by_index.query("paused#all")] == [MESSAGE + "e-hello-1"]


def test_a_decision_leaves_a_paused_message_in_the_index() -> None:
    defer()
    RecordItem(MIA, MESSAGE + "e-hello-1").update([RecordItem.gsi1pk.set("paused#all")])

    decide()

    assert [item.sk for item in RecordItem.by_index.query("paused#all")] == [MESSAGE + "e-hello-1"]


@pytest.mark.parametrize(("message", "error"), [("e-none-1", UnknownMessageError), ("e-paused-1", NotUnderReviewError)])
def test_a_decision_needs_a_message_under_review(message: str, error: type[CairnError]) -> None:
    defer("e-paused-1", reason="paused", task=False)

    with pytest.raises(error):
        decide(message)


def test_the_audit_is_read_latest_first() -> None:
    entries = [entry(f"do-{number}", NOW + timedelta(minutes=number)) for number in range(5)]
    for one in [*entries, *entries]:
        DynamoAudit().write(one)

    assert DynamoAudit().latest(10) == entries[::-1]
    assert DynamoAudit().latest(2, before=entries[3].id) == [entries[2], entries[1]]


def test_a_customer_is_found_by_the_enrollment() -> None:
    facts = [Fact("merged"), Fact("entered", "one", "shop"), Fact("entered", "two", "shop"), Fact("waiting", "two")]

    TIMELINE.remember(MIA, "000000001", facts, NOW)
    TIMELINE.remember(MIA, "000000002", [Fact("ended", "one", "shop")], NOW)

    assert [TIMELINE.customer_of(name) for name in ("one", "two", "three")] == [MIA, MIA, None]
    assert [line["kind"] for line in TIMELINE.entries(MIA)] == ["merged", "entered", "entered", "waiting", "ended"]


def test_an_enrollment_finds_the_survivor_after_a_merge() -> None:
    TIMELINE.remember("c_old", "000000001", [Fact("entered", "one", "shop")], NOW)

    TIMELINE.absorb(MIA, "c_old")

    assert TIMELINE.customer_of("one") == MIA


def test_only_active_suppressions_are_listed() -> None:
    suppressed = Mark(Cause.OPERATOR, NOW)
    released = Mark(Cause.COMPLAINT, NOW, lifted=True)
    mail, number = "mia@example.com", "+12015550123"
    DynamoCustomers(KEYS).record_suppressions(
        [
            SuppressionChange(Channel.EMAIL, suppressed, mail),
            SuppressionChange(Channel.EMAIL, released, mail),
            SuppressionChange(Channel.SMS, released, number),
        ]
    )

    suppressions = DynamoSuppressions(KEYS.suppressions).current(
        {Channel.EMAIL: mail, Channel.SMS: number, Channel.PUSH: "arn"}
    )

    assert suppressions == {Channel.EMAIL: (Suppression(Cause.OPERATOR, NOW),)}
    assert DynamoSuppressions(KEYS.suppressions).current({}) == {}


def timeline_of(*reasons: str, status: str, **body: str) -> list[dict[str, object]]:
    """The timeline of a message that was deferred for these reasons, an hour each."""
    deferrals = [
        {
            "at": instant_to_wire(NOW + timedelta(hours=number)),
            "reason": reason,
            "until": None,
            "why": {"paused": "all"},
        }
        for number, reason in enumerate(reasons)
    ]
    at = instant_to_wire(NOW + timedelta(hours=len(reasons)))
    about = {"journey": "shop", "step": "hello", "channels": ["sms"]}
    RecordItem(MIA, MESSAGE + "e-hello-1", at=at, body=about | body, status=status, decisions=deferrals).save()
    return TIMELINE.entries(MIA)


def test_each_decision_has_its_own_line_and_audit_id() -> None:
    first, second, outcome = timeline_of(
        "review", "paused", status="delivered", reason="granted", channel="sms", body="Hi"
    )

    assert [one["kind"] for one in (first, second, outcome)] == ["deferred", "deferred", "message"]
    assert [one["audit_id"] for one in (first, second, outcome)] == ["e-hello-1.1", "e-hello-1.2", "e-hello-1.3"]
    assert {one["message_id"] for one in (first, second, outcome)} == {"e-hello-1"}
    assert [one["reason"] for one in (first, second, outcome)] == ["review", "paused", "granted"]
    assert [one.get("body") for one in (first, second, outcome)] == [None, None, "Hi"]
    assert {one["step"] for one in (first, second, outcome)} == {"hello"}


def test_an_audit_entry_is_never_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    first = entry("export")
    other = AuditEntry(NOW, "bob", "export", "e-hello-1", "something else")
    DynamoAudit().write(first)
    DynamoAudit().write(first)  # sent twice, the same entry is one

    monkeypatch.setattr(AuditEntry, "id", first.id)  # as if two hashes were the same
    with pytest.raises(ConflictError):
        DynamoAudit().write(other)

    monkeypatch.undo()
    (found,) = DynamoAudit().latest(10)
    assert (found, found.id) == (first, first.id)


def test_a_decision_does_not_overwrite_an_audit_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    defer()
    first = entry("export")
    DynamoAudit().write(first)

    monkeypatch.setattr(AuditEntry, "id", first.id)
    with pytest.raises(ConflictError):
        decide()

    monkeypatch.undo()
    assert DynamoAudit().latest(10) == [first]


def test_a_deferred_message_has_only_deferrals_in_the_timeline() -> None:
    assert [one["kind"] for one in timeline_of("review", status="held")] == ["deferred"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [("suppressed", "suppressed"), ("failed", "failed"), ("undecided", "undecided"), ("sent", "message")],
)
def test_each_outcome_has_its_kind_of_line(status: str, kind: str) -> None:
    (line,) = timeline_of(status=status, reason="x")

    assert (line["kind"], line["audit_id"]) == (kind, "e-hello-1.1")
