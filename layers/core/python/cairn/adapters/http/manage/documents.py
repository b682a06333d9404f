"""The answers to operators, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cairn.domain.journey.arms import RULE
from cairn.domain.replies.thread import Utterance, last_reply
from cairn.domain.shared.instants import duration_text, instant_to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cairn.application.audience.ask_audiences import AudienceState, Overlap, Sample
    from cairn.application.audience.try_condition import Tried
    from cairn.application.customer.make_in_app_token import InAppToken
    from cairn.application.operations.choose_winner import ShownSplit
    from cairn.application.operations.count_standing import StandingPage
    from cairn.application.operations.migrate_journey import MigratedPage
    from cairn.application.people.manage_members import Leaving, MemberState
    from cairn.application.people.serve_inbox import Conversation
    from cairn.application.people.work_on_tasks import Shown
    from cairn.application.privacy.answer_requests import Answered
    from cairn.application.values.audiences import Member, MemberCount, MemberPage
    from cairn.application.values.privacy import PrivacyTask
    from cairn.application.values.reviews import UnderReview
    from cairn.domain.audience.audiences import Audience
    from cairn.domain.audience.broadcasts import Broadcast
    from cairn.domain.audience.estimate import Estimate
    from cairn.domain.consent.suppression import Suppression
    from cairn.domain.explain.explanations import CustomerExplanation, MessageExplanation, Sentence
    from cairn.domain.explain.leads import InPipeline, LeadExplanation
    from cairn.domain.operations.audit import AuditEntry
    from cairn.domain.operations.seen import SeenType
    from cairn.domain.operations.switches import PauseRecord, SwitchRecord, SwitchState
    from cairn.domain.people.members import Deal, Outcome
    from cairn.domain.people.task import Entry, Task

Json = dict[str, Any]


def board(state: SwitchState) -> Json:
    """The switches that are stopped and the pauses that last; an ended pause is left out."""
    return {
        "stopped": [{"target": target, **switched(note)} for target, note in sorted(state.stopped.items())],
        "paused": [pause_of(one) for one in state.pauses if one.pause.until is None],
    }


def in_app_token(made: InAppToken) -> Json:
    return {"customer": made.customer, "token": made.token, "expires_at": instant_to_wire(made.expires_at)}


def splits(shown: Iterable[ShownSplit]) -> Json:
    """The splits of a journey whose winner is chosen."""
    return {"splits": [_split(one) for one in shown]}


def standing(page: StandingPage) -> Json:
    counts = [{"version": version, "step": step, "count": count} for (version, step), count in page.counts.items()]
    return {"counts": counts, "after": page.following}


def audiences(states: Iterable[AudienceState]) -> Json:
    return {"audiences": [_audience(one) for one in states]}


def _audience(state: AudienceState) -> Json:
    one, filled = state.audience, state.filled
    about = {"partition": one.partition, "sort": one.sort, "until": one.until}
    return {
        "audience": one.name,
        "version": one.version,
        "when": one.condition,
        **{name: text or None for name, text in about.items()},
        "sorted_as": one.sorted_as.value if one.sort else None,
        "shards": one.shards,
        "filled": {"at": instant_to_wire(filled.at), "members": filled.members} if filled else None,
    }


def member_count(counted: MemberCount) -> Json:
    return {"count": counted.count, "after": counted.following}


def tried(one: Tried) -> Json:
    """`share` is that of the customers who were looked at; where it is 1, the numbers are exact."""
    return {
        "looked_at": one.looked_at,
        "share": one.share,
        "matched": _estimate(one.matched),
        "overlaps": [
            {"audience": name, "both": _estimate(both), "members": _estimate(members)}
            for name, both, members in one.overlaps
        ],
        "sample": [{"names": list(names)} for names in one.sample],
    }


def _estimate(one: Estimate) -> Json:
    return {"count": one.count, "low": one.low, "high": one.high}


def members_of(audience: Audience, page: MemberPage) -> Json:
    return {"members": [_member(audience, one) for one in page.members], "after": page.following}


def sample_of(audience: Audience, drawn: Sample) -> Json:
    shown = [_member(audience, one) for one in drawn.members]
    return {"members": shown, "among": drawn.among, "whole": drawn.is_whole}


def overlap(found: Overlap) -> Json:
    return {"members": found.members, "both": found.both, "after": found.following}


def _member(audience: Audience, member: Member) -> Json:
    from cairn.domain.audience.order import decoded, partition_named  # noqa: PLC0415  few requests are about audiences

    partition, sort, _ = member.position.split("#")
    shown: Json = {"customer": member.customer}
    if audience.partition:
        shown["partition"] = partition_named(partition)
    if audience.sort:
        shown["sort"] = decoded(sort, audience.sorted_as)
    if audience.until:
        shown["until"] = decoded(member.until, audience.sorted_as)
    return shown


def broadcasts(found: Sequence[Broadcast], *, is_full: bool) -> Json:
    before = f"{instant_to_wire(found[-1].created_at or found[-1].at)}#{found[-1].id}" if is_full and found else None
    return {"broadcasts": [broadcast(one) for one in found], "before": before}


def broadcast(one: Broadcast) -> Json:
    return {
        "broadcast": one.id,
        "state": one.state.value,
        "journey": one.journey or None,
        "event": one.type,
        "audience": one.audience,
        "at": instant_to_wire(one.at),
        "per_second": one.per_second,
        "members": one.planned,
        "put": one.put,
        "created_at": instant_to_wire(one.created_at) if one.created_at else None,
        "by": one.by,
        "approved_by": one.approved_by or None,
        "why": one.why or None,
    }


def message(explained: MessageExplanation) -> Json:
    return {
        "message": explained.id,
        "customer": explained.customer,
        "about": explained.origin,
        "zone": explained.zone,
        "history": [_sentence(one) for one in explained.history],
    }


def customer(explained: CustomerExplanation) -> Json:
    return {
        "customer": explained.id,
        "zone": explained.zone,
        "profile": explained.profile,
        "lead": explained.lead,
        "consents": explained.consents,
        "suppressions": explained.suppressions,
        "waiting": explained.waiting,
        "decisions": [{"message": one.message, "about": one.origin, **_sentence(one)} for one in explained.decisions],
    }


def lead(customer_id: str, explained: LeadExplanation) -> Json:
    score = explained.score
    return {
        "customer": customer_id,
        "at": instant_to_wire(explained.at),
        "pipelines": [_in_pipeline(one, explained.at) for one in explained.pipelines],
        "score": None
        if score is None
        else {
            "total": score.total,
            "hot": explained.hot,
            "groups": [{"group": one.group, "points": round(one.points, 1), "cap": one.cap} for one in score.groups],
            "rules": [
                {"rule": one.rule, "group": one.group, "points": round(one.points, 1), "events": one.count}
                for one in score.lines
            ],
            "days": explained.days,
        },
        "fields": explained.fields,
    }


def _in_pipeline(one: InPipeline, now: datetime) -> Json:
    return {
        "pipeline": one.pipeline,
        "stage": one.present.stage,
        "queue": one.queue,
        "goal": one.goal,
        "goal_reached": one.goal_reached,
        "allowed": list(one.allowed),
        "history": [
            {
                "stage": stay.stage,
                "since": instant_to_wire(stay.since),
                "until": instant_to_wire(stay.until) if stay.until else None,
                "seconds": int(((stay.until or now) - stay.since).total_seconds()),
                "by": stay.by,
            }
            for stay in one.history
        ],
    }


def open_conversation(one: Task) -> Json:
    return {
        "task": one.id,
        "customer": one.customer,
        "queue": one.queue,
        "owner": one.owner or None,
        "opened_at": instant_to_wire(one.opened_at),
        "due_at": instant_to_wire(one.due_at),
        "context": one.context,
    }


def conversation(shown: Conversation) -> Json:
    """`latest` names the customer's last text: an answer that names it is given to that text, and to no later one."""
    heard = last_reply(shown.lines)
    return {
        "customer": shown.customer,
        "lines": [{name: value for name, value in _line(one).items() if value != ""} for one in shown.lines],
        "earlier": shown.earlier,
        "latest": heard.id if heard is not None else None,
        "waits": open_conversation(shown.task) if shown.task is not None else None,
    }


def _line(line: Utterance) -> Json:
    direction = "in" if line.inbound else "out"
    shown = {name: getattr(line, name) for name in ("id", "at", "channel", "text", "status", "subject", "by", "reason")}
    return {"direction": direction, **shown, "intent": line.intent}


def reviews(waiting: Iterable[UnderReview]) -> list[Json]:
    return [
        {
            "message": one.message,
            "customer": one.customer,
            "deadline": one.deadline,
            "queue": one.queue,
            **one.about,
            "context": one.context,
        }
        for one in waiting
    ]


def privacy_tasks(waiting: Iterable[PrivacyTask]) -> list[Json]:
    return [
        {
            "task": one.id,
            "customer": one.customer,
            "opened_at": one.opened_at,
            "due_at": one.due_at,
            "title": one.title,
            "script": one.script,
            "context": dict(one.context),
        }
        for one in waiting
    ]


def members(states: Iterable[MemberState], now: datetime) -> list[Json]:
    return [
        {
            "member": one.member.id,
            "name": one.member.name,
            "queues": list(one.queues),
            "open": len(one.work.open),
            "capacity": one.member.capacity or None,
            "away_until": instant_to_wire(until) if (until := one.away_until(now)) else None,
            "left": instant_to_wire(one.left) if one.left else None,
        }
        for one in states
    ]


def leaving(left: Leaving) -> Json:
    """The tasks that were passed on, each with its owner now, and how many are still to be."""
    passed_on = [
        {
            "task": one.id,
            "customer": one.customer,
            "queue": one.queue,
            "owner": one.owner or None,
            "why": one.history[-1].why if one.history else "",
        }
        for one in left.passed_on
    ]
    return {"passed_on": passed_on, "rest": left.rest}


def deal(registered: Deal | None) -> Json | None:
    if registered is None:
        return None
    return {"partner": registered.partner, "until": instant_to_wire(registered.until)}


def answered(done: Answered) -> Json:
    """A receipt where something is being erased, and the document where data was asked for."""
    answer = {"task": done.task, "customer": done.customer, "choice": done.choice.value}
    answer |= {"receipt": done.receipt} if done.receipt else {}
    return answer | ({"document": done.document} if done.document is not None else {})


def task(one: Task, now: datetime) -> Json:
    """Empty fields are left out, but for the owner."""
    optional = {
        "journey": one.journey,
        "step": one.step,
        "claimed_at": instant_to_wire(one.claimed_at) if one.claimed_at else "",
        "comes_back_at": instant_to_wire(one.remind_at) if one.tries and one.remind_at else "",
        "outcome": one.outcome,
        "done_by": one.done_by,
    }
    return {
        "task": one.id,
        "customer": one.customer,
        "queue": one.queue,
        "kind": one.kind.value,
        "priority": one.priority.value,
        "status": one.status.value,
        "title": one.title,
        "owner": one.owner or None,
        "opened_at": instant_to_wire(one.opened_at),
        "due_at": instant_to_wire(one.due_at),
        "overdue": one.is_open and now >= one.due_at,
        **{name: value for name, value in optional.items() if value},
    }


def shown_task(shown: Shown, now: datetime) -> Json:
    one, explained = shown.task, shown.explained
    return {
        **task(one, now),
        "script": one.script or None,
        **({"script_title": shown.script.title} if shown.script else {}),
        "context": dict(one.context),
        "answers": dict(one.answers),
        "outcomes": [_outcome(outcome) for outcome in shown.outcomes],
        "history": [_entry(entry) for entry in one.history],
        "notes": [_entry(entry) for entry in one.notes],
        "about": {
            "zone": explained.zone,
            "profile": explained.profile,
            "attributes": dict(shown.attributes),
            "consents": explained.consents,
            "suppressions": explained.suppressions,
            "waiting": explained.waiting,
            "messages": [_sentence(said) for said in shown.messages],
            "events": [{"at": event["at"], "type": event["type"]} for event in shown.events],
        },
    }


def _outcome(one: Outcome) -> Json:
    follows = {
        "again_after": duration_text(one.again) if one.again else "",
        "needs_at": one.at_hour_of_choice,
        "event": one.event,
    }
    return {"outcome": one.name, "title": one.title, **{name: value for name, value in follows.items() if value}}


def _entry(one: Entry) -> Json:
    said = {"owner": one.owner, "why": one.why}
    return {
        "at": instant_to_wire(one.at),
        "by": one.by,
        "what": one.what,
        **{name: text for name, text in said.items() if text},
    }


def suppressions(standing: Iterable[Suppression]) -> list[Json]:
    return [
        {
            "cause": one.cause.value,
            "since": instant_to_wire(one.at),
            "purpose": one.purpose.value if one.purpose else "all",
        }
        for one in standing
    ]


def still_suppressed(standing: Sequence[Suppression]) -> Json:
    """What to say where a consent was recorded and its address stays suppressed; nothing else."""
    if not standing:
        return {}
    causes = ", ".join(sorted({one.cause.value.replace("_", " ") for one in standing}))
    note = f"recorded, but the address stays suppressed because of: {causes}; releasing the address lifts it"
    return {"suppressed": suppressions(standing), "note": note}


def audit(entries: Iterable[AuditEntry]) -> list[Json]:
    return [
        {
            "id": one.id,
            "at": instant_to_wire(one.at),
            "who": one.actor,
            "identity": dict(one.identity),
            "what": one.action,
            "target": one.target,
            "why": one.reason,
            "detail": dict(one.detail),
        }
        for one in entries
    ]


def seen_types(found: Iterable[SeenType]) -> list[Json]:
    return [
        {
            "source": one.source,
            "type": one.type,
            "vendors_type": one.vendors_type,
            "counts": {because.value: count for because, count in one.counts.items()},
            "first_at": instant_to_wire(one.first_at),
            "last_at": instant_to_wire(one.last_at),
            "shape": one.shape,
        }
        for one in found
    ]


def migrated(page: MigratedPage) -> Json:
    """A page of enrollments that wait: how many move where, and how many stay why."""
    moves, stays = [], []
    for line, count in page.counts.items():
        here = {"version": line.version, "step": line.step, "count": count}
        if line.timer is None:
            stays.append({**here, "because": line.because})
        else:
            moves.append({**here, "to_step": line.to_step or None, "timer": line.timer})
    return {"to": page.to_version or None, "moves": moves, "stays": stays, "after": page.following}


def switched(note: SwitchRecord) -> Json:
    return {"by": note.by, "at": instant_to_wire(note.at), "why": note.why}


def pause_of(one: PauseRecord) -> Json:
    pause = one.pause
    chosen = {"policy": pause.policy.value, "window": duration_text(pause.window)}
    return {"target": pause.target, "since": instant_to_wire(pause.since), **chosen, **switched(one.record)}


def _sentence(one: Sentence) -> Json:
    document = {"at": instant_to_wire(one.at), "local": one.local, "kind": one.kind, "says": one.text}
    return document | ({"audit_id": one.audit_id} if one.audit_id else {})


def _split(shown: ShownSplit) -> Json:
    rule, chosen, weights = shown.winner, shown.chosen, sum(one.weight for one in shown.arms.values())
    return {
        "journey": shown.journey,
        "step": shown.step,
        "winner": {"by": rule.by} | ({"after": rule.after, "error": rule.error} if rule.by == RULE else {}),
        "arms": [
            {"arm": name, "share": one.weight / weights, "entered": one.entered, "reached": one.reached}
            for name, one in shown.arms.items()
        ],
        "chosen": {"arm": chosen.arm, **switched(chosen.record)} if chosen else None,
        "in_force": shown.chosen_arm,
    }
