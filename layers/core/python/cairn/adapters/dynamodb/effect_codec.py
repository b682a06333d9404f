"""How effects are written into JSON and read back. mypy reports an effect that either direction leaves out."""

from datetime import timedelta

from cairn.adapters.dynamodb.codec import (
    Wire,
    consent_change_from_wire,
    invite_from_wire,
    invite_to_wire,
    suppression_change_from_wire,
    suppression_change_to_wire,
)
from cairn.domain.effects import (
    AbsorbHistory,
    Announce,
    AnswerKeyword,
    CallWebhook,
    CloseTask,
    ContinueBroadcast,
    Effect,
    EffectKind,
    EmitEvent,
    EraseCustomer,
    EraseRecord,
    JoinAudience,
    LeaveAudience,
    NotifyMember,
    OpenTask,
    PauseEnrollment,
    RecordConsent,
    SendMessage,
    UpdateMessageStatus,
    WakeAt,
    WakeTask,
    WithdrawTasks,
)
from cairn.domain.event import consent_to_wire
from cairn.domain.identity.trust import JOURNEYS_SOURCE
from cairn.domain.people.notification import NotificationKind
from cairn.domain.people.task import Priority, TaskKind
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire

POSITION = ("shard", "partition", "sort", "until")
"""Where a member stands in the order of an audience; what is empty or zero is left out."""


def effect_to_wire(effect: Effect) -> Wire:
    kind: EffectKind = effect.KIND
    return {"do": kind, "id": effect.id, **_fields_to_wire(effect)}


def _fields_to_wire(effect: Effect) -> Wire:  # noqa: C901, PLR0911, PLR0912  one branch an effect
    match effect:
        case SendMessage():
            return {
                "enrollment": effect.enrollment,
                "step": effect.step,
                "channels": [channel.value for channel in effect.channels],
                "template": effect.template,
                "purpose": effect.purpose.value,
                "time_zone": effect.time_zone,
                **({} if effect.values is None else {"values": effect.values}),
                **({"version": effect.version} if effect.version else {}),
                **({"invite": invite_to_wire(effect.invite)} if effect.invite else {}),
            }
        case WakeAt():
            return {
                "enrollment": effect.enrollment,
                "sequence": effect.sequence,
                "at": instant_to_wire(effect.at),
            }
        case OpenTask():
            return {
                "enrollment": effect.enrollment,
                "step": effect.step,
                "queue": effect.queue,
                "title": effect.title,
                "due_at": instant_to_wire(effect.due_at),
                "context": effect.context,
                "script": effect.script,
                **({"customer": effect.customer} if effect.customer else {}),
                **_more_of_a_task(effect),
            }
        case WithdrawTasks():
            step = {"step": effect.step} if effect.step else {}
            at = instant_to_wire(effect.at)
            return {"enrollment": effect.enrollment, "because": effect.because, "at": at, **step}
        case WakeTask():
            return {"task": effect.task, "sequence": effect.sequence, "at": instant_to_wire(effect.at)}
        case NotifyMember():
            at = instant_to_wire(effect.at)
            return {"kind": effect.kind.value, "member": effect.member, "task": effect.task, "at": at}
        case EmitEvent():
            only_to = effect.only_to
            return {
                "enrollment": effect.enrollment,
                "event": effect.event,
                "properties": dict(effect.properties),
                **({"customer": dict(effect.customer)} if effect.customer else {}),
                **({} if only_to is None else {"only_to": {channel.value: one for channel, one in only_to.items()}}),
                **({} if effect.source == JOURNEYS_SOURCE else {"source": effect.source}),
                **({"attributes": dict(effect.attributes)} if effect.attributes else {}),
                **(
                    {"asks_consent": {one.value: what.value for one, what in effect.asks_consent.items()}}
                    if effect.asks_consent
                    else {}
                ),
            }
        case CallWebhook():
            return {
                "enrollment": effect.enrollment,
                "step": effect.step,
                "endpoint": effect.endpoint,
                "type": effect.type,
                "until": instant_to_wire(effect.until),
                "body": dict(effect.body),
            }
        case CloseTask():
            at = instant_to_wire(effect.at)
            return {"task": effect.task, "outcome": effect.outcome, "by": effect.by, "at": at}
        case UpdateMessageStatus():
            at = instant_to_wire(effect.at)
            uncounted = {} if effect.counts else {"uncounted": True}
            return {"message": effect.message, "status": effect.status, "at": at, **uncounted}
        case AbsorbHistory():
            return {"merged": effect.merged}
        case AnswerKeyword():
            return {
                "keyword": effect.keyword,
                "channel": effect.channel.value,
                "address": effect.address,
                "at": instant_to_wire(effect.at),
                "time_zone": effect.time_zone,
            }
        case RecordConsent():
            changes = [consent_to_wire(change) for change in effect.changes]
            suppressions = [suppression_change_to_wire(one) for one in effect.suppression_changes]
            return {"source": effect.source, "changes": changes, "told": suppressions}
        case PauseEnrollment():
            return {
                "enrollment": effect.enrollment,
                "sequence": effect.sequence,
                "target": effect.target,
            }
        case EraseCustomer():
            return {"by": effect.by, "at": instant_to_wire(effect.at)}
        case EraseRecord():
            record = {"source": effect.source, "ids": list(effect.ids)}
            return {"by": effect.by, "at": instant_to_wire(effect.at), **record}
        case JoinAudience():
            position = {name: getattr(effect, name) for name in POSITION if getattr(effect, name)}
            return {"audience": effect.audience, "version": effect.version, **position}
        case Announce():
            return {"type": effect.type.value, "at": instant_to_wire(effect.at), "data": dict(effect.data)}
        case ContinueBroadcast():
            return {"broadcast": effect.broadcast, "version": effect.version, "at": instant_to_wire(effect.at)}
        case LeaveAudience():
            return {"audience": effect.audience, "version": effect.version}


def effect_from_wire(wire: Wire) -> Effect:  # noqa: C901, PLR0911, PLR0912  one branch an effect
    """Raises ValueError for a kind that this version does not know."""
    kind: EffectKind = wire["do"]
    match kind:
        case "send":
            return SendMessage(
                id=wire["id"],
                enrollment=wire["enrollment"],
                step=wire["step"],
                channels=tuple(Channel(one) for one in wire["channels"]),
                template=wire["template"],
                purpose=Purpose(wire["purpose"]),
                time_zone=wire["time_zone"],
                values=wire.get("values"),
                version=wire.get("version", ""),
                invite=invite_from_wire(wire["invite"]) if "invite" in wire else None,
            )
        case "wake":
            return WakeAt(wire["id"], wire["enrollment"], wire["sequence"], instant_from_wire(wire["at"]))
        case "task":
            return OpenTask(
                id=wire["id"],
                enrollment=wire["enrollment"],
                step=wire["step"],
                queue=wire["queue"],
                title=wire["title"],
                due_at=instant_from_wire(wire["due_at"]),
                context=wire["context"],
                script=wire["script"],
                customer=wire.get("customer", ""),
                kind=TaskKind(wire.get("kind", TaskKind.TODO)),
                priority=Priority(wire.get("priority", Priority.NORMAL)),
                due=timedelta(seconds=wire["due"]) if "due" in wire else None,
                reason=wire.get("reason", ""),
                skills=tuple(wire.get("skills", ())),
                member=wire.get("member", ""),
                time_zone=wire.get("time_zone", ""),
            )
        case "withdraw":
            at = instant_from_wire(wire["at"])
            return WithdrawTasks(wire["id"], wire["enrollment"], wire["because"], at, wire.get("step", ""))
        case "wake_task":
            return WakeTask(wire["id"], wire["task"], wire["sequence"], instant_from_wire(wire["at"]))
        case "notify":
            at = instant_from_wire(wire["at"])
            return NotifyMember(wire["id"], NotificationKind(wire["kind"]), wire["member"], wire["task"], at)
        case "emit":
            only_to = wire.get("only_to")
            return EmitEvent(
                id=wire["id"],
                enrollment=wire["enrollment"],
                event=wire["event"],
                properties=wire["properties"],
                customer=wire.get("customer", {}),
                only_to=None if only_to is None else {Channel(channel): one for channel, one in only_to.items()},
                source=wire.get("source", JOURNEYS_SOURCE),
                attributes=wire.get("attributes", {}),
                asks_consent={Channel(one): Purpose(what) for one, what in wire.get("asks_consent", {}).items()},
            )
        case "call":
            until = instant_from_wire(wire["until"])
            about = (wire["enrollment"], wire["step"], wire["endpoint"], wire["type"])
            return CallWebhook(wire["id"], *about, until, wire["body"])
        case "close":
            return CloseTask(wire["id"], wire["task"], wire["outcome"], wire["by"], instant_from_wire(wire["at"]))
        case "move":
            at, counts = instant_from_wire(wire["at"]), not wire.get("uncounted", False)
            return UpdateMessageStatus(wire["id"], wire["message"], wire["status"], at, counts)
        case "absorb":
            return AbsorbHistory(wire["id"], wire["merged"])
        case "answer":
            channel = Channel(wire["channel"])
            at = instant_from_wire(wire["at"])
            return AnswerKeyword(wire["id"], wire["keyword"], channel, wire["address"], at, wire["time_zone"])
        case "record":
            changes = tuple(consent_change_from_wire(one) for one in wire["changes"])
            suppressions = tuple(suppression_change_from_wire(one) for one in wire["told"])
            return RecordConsent(wire["id"], wire["source"], changes, suppressions)
        case "park":
            return PauseEnrollment(wire["id"], wire["enrollment"], wire["sequence"], wire["target"])
        case "erase":
            return EraseCustomer(wire["id"], wire["by"], instant_from_wire(wire["at"]))
        case "erase_record":
            at = instant_from_wire(wire["at"])
            return EraseRecord(wire["id"], wire["by"], at, wire["source"], tuple(wire["ids"]))
        case "join":
            position = {name: wire[name] for name in POSITION if name in wire}
            return JoinAudience(wire["id"], wire["audience"], wire["version"], **position)
        case "page":
            return ContinueBroadcast(wire["id"], wire["broadcast"], wire["version"], instant_from_wire(wire["at"]))
        case "announce":
            type_, at = AnnouncedType(wire["type"]), instant_from_wire(wire["at"])
            return Announce(wire["id"], type_, at, wire["data"])
        case "leave":
            return LeaveAudience(wire["id"], wire["audience"], wire["version"])
    raise ValueError(f"no effect is called {kind}")


def _more_of_a_task(task: OpenTask) -> Wire:
    """What few tasks have."""
    return {
        **({} if task.kind is TaskKind.TODO else {"kind": task.kind.value}),
        **({} if task.priority is Priority.NORMAL else {"priority": task.priority.value}),
        **({} if task.due is None else {"due": task.due.total_seconds()}),
        **({"reason": task.reason} if task.reason else {}),
        **({"skills": list(task.skills)} if task.skills else {}),
        **({"member": task.member} if task.member else {}),
        **({"time_zone": task.time_zone} if task.time_zone else {}),
    }
