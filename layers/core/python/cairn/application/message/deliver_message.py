"""Deliver a message: gate, render, claim, look again, provider, record. Only a message that is sent now is claimed.

One read serves a whole batch, so it is old by the time of the claim. The claim is conditional on the customer's contact
as it was read. What else forbids a message is stored elsewhere (a complaint of another customer at a shared address,
the end of a journey, an approval), so the sender reads again after its claim, and the gate decides again: whatever was
committed before the claim holds. With another verdict, the claim is given back.

A claimed message is settled by the process that claimed it, whatever fails: its outcome is recorded, or the claim is
given back. A write that fails is tried again, and then queued (Settlement). One case cannot be decided: a crash, or a
lost answer, between the provider's call and the record. Then marketing is not sent again, and transactional is.

What no time mends (a defect, met between the claim and the answer) tries the next channel where certainly nothing was
sent. On the last one the message is undecided, with its reason, and a dead letter, whose redrive delivers it anew.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from secrets import token_hex
from types import MappingProxyType
from typing import Any

from cairn.application.ports import (
    Attempts,
    DeferredMessages,
    Deliveries,
    Provider,
    RateLimiter,
    Renderer,
    Settlements,
    Switches,
    Tasks,
)
from cairn.application.values.messages import DeliveryContext, DeliveryRequest, Settlement
from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.effects import OpenTask
from cairn.domain.gate import gate, reasons
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.verdict import Defer, Send, Suppress, Verdict
from cairn.domain.message import rate_limit
from cairn.domain.message.message import Jurisdiction, Message, MessageStatus, Rendered
from cairn.domain.message.rate_limit import RESERVATION_TTL, Reservation
from cairn.domain.people.task import TaskKind
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import (
    ClaimedElsewhereError,
    ConflictError,
    ForeignLinkError,
    NotHandedOverError,
    ProviderBusyError,
    ProviderRejectedError,
    TemplateError,
    TextTooLongError,
)
from cairn.domain.shared.invites import shown
from cairn.settings import FUNCTION_TIMEOUT, SQS_MAX_DELAY

LEASE: timedelta = 2 * FUNCTION_TIMEOUT
"""Until then, the sender that made the claim may still be at work.

It claims and settles within one invocation, so it has one timeout; the other is for two clocks that differ. A sender
that is still alive has settled its message or queued the settlement by then: after the lease, its process has died.
"""

ATTEMPTS = 8
"""Attempts after a conflict. The queue retries after that."""

SETTLE_ATTEMPTS = 6
"""Attempts to write what became of a claimed message, before that is queued."""

QUEUE_SHARE = timedelta(minutes=2)
"""The last minutes of a wait are spent in SQS, which covers Scheduler's lateness."""

UNFIT = frozenset({ForeignLinkError.reason, TextTooLongError.reason})
"""What one channel's text shows of the values; another channel's template may be fit."""

NO_REJECTIONS: Mapping[str, str] = MappingProxyType({})

NOT_HANDED_OVER: Mapping[str, str] = MappingProxyType({"reason": "not_handed_over"})

PERHAPS_SENT: Mapping[str, str] = MappingProxyType({"reason": "crash_around_provider"})


def _new_attempt() -> str:
    return token_hex(4)


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    deliveries: Deliveries
    deferred: DeferredMessages
    tasks: Tasks
    renderer: Renderer
    providers: Mapping[Channel, Provider]
    switches: Switches
    rate_limiter: RateLimiter
    settlements: Settlements
    jurisdiction_of: Callable[[Message], Jurisdiction]
    time_may_mend: Callable[[BaseException], bool] = lambda _: True
    """Whether an error around a provider's call may pass by itself."""
    attempts: Attempts = range
    new_attempt: Callable[[], str] = _new_attempt

    def contexts(self, requests: Sequence[DeliveryRequest]) -> list[DeliveryContext | None]:
        """A first look at these messages, in one read for half the price: as they were a moment ago.

        None where none was found; then it is looked at again.
        """
        return self.deliveries.contexts(requests, may_lag=True)

    def __call__(
        self, request: DeliveryRequest, now: datetime, context: DeliveryContext | None
    ) -> MessageStatus | None:
        """The new status; None where the customer was erased. Raises where the queue must deliver it again.

        CLAIMED: what became of it is queued, and is delivered instead of this. A context that lags decides only that
        the message is claimed, since the claim is followed by a consistent read. For anything else it is read again.
        """
        reserved = None
        if context is not None and context.lags and not isinstance(request, Settlement):
            try:
                return self._decide(request, now, context)
            except _LaggingError as error:
                reserved = error.reserved
        if context is None or context.lags:
            (context,) = self.deliveries.contexts([request])
        if isinstance(request, Settlement):
            return self._follow(request, now, context)
        return self._decide(request, now, context, reserved)

    def _follow(self, settlement: Settlement, now: datetime, context: DeliveryContext | None) -> MessageStatus | None:
        """Write what became of a message earlier. One that was not sent is delivered now."""
        if context is None:
            return None
        if context.settled:
            return context.status
        if settlement.status is not None:
            return self._record(context, settlement.status, settlement.at or now, settlement.detail)
        others = _others(context.contact, settlement.id)
        self.deliveries.release(context.message, settlement.claim, settlement.deferral, others)
        (context,) = self.deliveries.contexts([settlement.message])
        return self._decide(settlement.message, now, context)

    def _decide(
        self,
        request: DeliveryRequest,
        now: datetime,
        context: DeliveryContext | None,
        reserved: "tuple[Channel, Reservation] | None" = None,
    ) -> MessageStatus | None:
        rejected = NO_REJECTIONS
        for _ in self.attempts(ATTEMPTS):
            if context is None:
                return None
            if context.settled:
                _refuse_lagging(context)
                return context.status
            delivery = _Delivery(context, rejected, now, reserved)
            try:
                return self._deliver(delivery)
            except _TryNextChannelError as error:
                rejected = {**rejected, f"rejected_{error.channel}": error.code}
            except _QueuedError:
                return MessageStatus.CLAIMED
            except _ChangedError as error:
                context = error.context
                continue
            except ConflictError:
                pass
            (context,) = self.deliveries.contexts([request])
        raise ConflictError("the customer keeps changing; the message is delivered once more")

    def _deliver(self, delivery: "_Delivery") -> MessageStatus | None:
        message, now = delivery.context.message, delivery.now
        earlier = delivery.context.contact.claims.get(message.id)
        if earlier is not None:
            _refuse_lagging(delivery.context)
            if now - earlier.at < LEASE:
                raise ClaimedElsewhereError("the message is being sent; if not, the lease ends soon")
            if message.purpose is Purpose.MARKETING:
                perhaps_sent = {**PERHAPS_SENT, "channel": earlier.channel.value}
                return self._record(delivery.context, MessageStatus.UNDECIDED, now, perhaps_sent)
        context = self._with_terms(delivery.context, delivery.rejected)
        verdict = self._verdict(context, now)
        match verdict:
            case Suppress():
                detail = {"reason": verdict.reason.value, "why": verdict.why, **delivery.rejected}
                return self._record(context, MessageStatus.SUPPRESSED, now, detail)
            case Defer():
                return self._defer(context, verdict, now)
            case Send():
                return self._send(replace(delivery, context=context), verdict)

    def _with_terms(self, context: DeliveryContext, rejected: Mapping[str, str]) -> DeliveryContext:
        """With what the gate needs besides what is read."""
        message = context.message
        left = tuple(channel for channel in message.channels if f"rejected_{channel}" not in rejected)
        message = replace(
            message, channels=left, terms=self.renderer.terms(message), jurisdiction=self.jurisdiction_of(message)
        )
        return replace(context, message=message)

    def _verdict(self, context: DeliveryContext, now: datetime) -> Verdict:
        return gate.decide(context.message, context.contact, context.contact.claims, self.switches.current(now), now)

    def _send(self, delivery: "_Delivery", verdict: Send) -> MessageStatus | None:
        context, now, channel = delivery.context, delivery.now, verdict.channel
        message = context.message
        try:
            rendered = self.renderer.render(message, channel, verdict.address)
        except TemplateError as error:
            if error.reason in UNFIT and channel != message.channels[-1]:
                raise _TryNextChannelError(channel, error.reason) from error
            failed = {"reason": error.reason, "error": str(error)}
            return self._record(context, MessageStatus.FAILED, now, delivery.detail(verdict) | failed)
        reservation = self._reserve(delivery, channel)
        if reservation.at > now:
            _refuse_lagging(context, (channel, reservation))
            return self._defer(context, _wait_for(reservation, message, channel), now)
        claim = Claim(now, message.purpose, channel, message.journey, self.new_attempt())
        claimed = self._claim(delivery, claim)
        if claimed.settled and claimed.status is not context.status:
            return claimed.status
        again = self._verdict(claimed, now)
        if not isinstance(again, Send) or (again.channel, again.address) != (channel, verdict.address):
            self._give_back(delivery, claim)
            raise ConflictError("something that forbids or moves the message was committed before the claim")
        return self._hand_over(replace(delivery, context=claimed), again, claim, rendered)

    def _claim(self, delivery: "_Delivery", claim: Claim) -> DeliveryContext:
        """Claim the message, and read again, consistently: what was committed before the claim is read now.

        A failed claim may have been made all the same: its answer was lost, and then the SDK's own retry met it. So the
        read decides. Raises _ChangedError where the contact has changed, perhaps by another sender's claim.
        """
        context = delivery.context
        message = context.message
        failure: Exception = ConflictError("the contact changed in between")
        try:
            limits = self.switches.current(claim.at).policy.limits
            self.deliveries.claim(message, context.contact.pruned(claim.at, limits), claim)
        except Exception as error:  # noqa: BLE001  raised below, unless the claim was made
            failure = error
        try:
            (read,) = self.deliveries.contexts([message])
        except Exception:
            self._give_back(delivery, claim)
            raise
        own = read.contact.claims.get(message.id) if read else None
        if read is None or own is None or own.attempt != claim.attempt:
            raise _ChangedError(read) if isinstance(failure, ConflictError) else failure
        deferral = context.contact.deferrals.get(message.id)  # ended by the claim; a pause counts from it
        deferrals = {**read.contact.deferrals, **({message.id: deferral} if deferral else {})}
        read = replace(read, contact=replace(read.contact, deferrals=deferrals))
        return self._with_terms(read, delivery.rejected)

    def _hand_over(self, delivery: "_Delivery", verdict: Send, claim: Claim, rendered: Rendered) -> MessageStatus:
        """Give the claimed message to its provider, and settle it."""
        message, channel = delivery.context.message, verdict.channel
        provider = self.providers[channel]
        detail = delivery.detail(verdict) | {"provider": provider.name}
        try:
            provider_id = provider.send(message, rendered)
        except ProviderRejectedError as error:
            if channel != message.channels[-1]:
                self._give_back(delivery, claim)
                raise _TryNextChannelError(channel, error.code) from error
            failed = detail | {"reason": "provider", "error": error.code}
            return self._settle(delivery, claim, MessageStatus.FAILED, failed)
        except ProviderBusyError:
            self._give_back(delivery, claim)
            raise
        except NotHandedOverError as error:
            self._give_back(delivery, claim)
            if channel != message.channels[-1]:
                raise _TryNextChannelError(channel, error.code) from error
            undecided = {**detail, **NOT_HANDED_OVER, "error": error.code}
            self._record(delivery.context, MessageStatus.UNDECIDED, delivery.now, undecided)
            raise
        except Exception as error:
            is_marketing = message.purpose is Purpose.MARKETING
            if not is_marketing and self.time_may_mend(error):
                raise  # it is sent again after the lease
            perhaps_sent = {**detail, **PERHAPS_SENT, "error": type(error).__name__}
            status = self._settle(delivery, claim, MessageStatus.UNDECIDED, perhaps_sent)
            if is_marketing:
                return status
            raise
        details = {"subject": rendered.subject, "body": rendered.redacted_text, "provider_id": provider_id}
        sent = detail | {key: text for key, text in details.items() if text} | _invited(rendered)
        return self._settle(delivery, claim, MessageStatus.SENT, sent)

    def _settle(
        self, delivery: "_Delivery", claim: Claim, status: MessageStatus, detail: Mapping[str, Any]
    ) -> MessageStatus:
        """Record the outcome of a claimed message, or queue it: a message that was sent is not sent again."""
        context, now = delivery.context, delivery.now
        if not self._has_written(lambda: self.deliveries.record(context, status, now, detail)):
            self.settlements.put(Settlement(context.message, claim, None, status, now, detail))
        return status

    def _give_back(self, delivery: "_Delivery", claim: Claim) -> None:
        """Give back the claim of a message that was certainly not sent.

        A deferral comes back with the instant: while the queue tries again, the message is not stuck. Where that
        fails, it is queued to be given back and delivered. Raises _QueuedError.
        """
        message, contact = delivery.context.message, delivery.context.contact
        deferral, others = contact.deferrals.get(message.id), _others(contact, message.id)
        if deferral is not None:
            deferral = replace(deferral, tried_at=delivery.now)
        if not self._has_written(lambda: self.deliveries.release(message, claim, deferral, others)):
            self.settlements.put(Settlement(message, claim, deferral))
            raise _QueuedError

    def _has_written(self, write: Callable[[], None]) -> bool:
        """Try a write that settles a message, and try again: whatever fails, its process is the only one to know."""
        for _ in self.attempts(SETTLE_ATTEMPTS):
            with suppress(Exception):
                write()
                return True
        return False

    def _reserve(self, delivery: "_Delivery", channel: Channel) -> Reservation:
        """When the provider has capacity. A message keeps its reservation until it expires."""
        if delivery.reserved is not None and delivery.reserved[0] is channel:
            return delivery.reserved[1]
        context, now = delivery.context, delivery.now
        earlier = _reservation_of(context, channel)
        if earlier is not None and earlier.at > now:
            return earlier
        after = earlier.limit if earlier is not None and now - earlier.at <= RESERVATION_TTL else ""
        country = context.message.jurisdiction.countries.get(channel, "")
        return self.rate_limiter.reserve(channel, country, context.message.purpose, now, after)

    def _defer(self, context: DeliveryContext, verdict: Defer, now: datetime) -> MessageStatus:
        """Defer the message and schedule its next delivery. Each step is idempotent: the queue retries all of them."""
        _refuse_lagging(context)
        message = context.message
        if isinstance(verdict.because, reasons.Review):
            try:
                self._ask_for_review(message, verdict.because, verdict.until or now, now)
            except TemplateError as error:
                return self._record(context, MessageStatus.FAILED, now, {"reason": error.reason, "error": str(error)})
        about = (message.enrollment, *message.order, message.purpose)
        priority = gate.priority_while(verdict, message)
        deferral = Deferral(verdict.until, verdict.reason, *about, priority=priority)
        self.deliveries.defer(context, deferral, verdict, now)
        if verdict.until is not None:
            self.deferred.schedule(message, _scheduled_at(verdict, verdict.until, now), now)
        return MessageStatus.DEFERRED

    def _ask_for_review(self, message: Message, review: reasons.Review, due_at: datetime, now: datetime) -> None:
        channel = review.channel
        rendered = self.renderer.render(message, channel, message.addresses[channel])
        context = {
            "message": message.id,
            "template": message.template,
            "channel": channel.value,
            **_texts(rendered),
            **_invited(rendered),
            "profile": message.variables.get("profile", {}),
            "data": message.variables.get("data", {}),
        }
        task = OpenTask(
            id=message.id,
            enrollment=message.enrollment,
            step=message.step,
            queue=review.queue,
            title="Approve or reject a message",
            due_at=due_at,
            context=context,
            kind=TaskKind.REVIEW,
        )
        self.tasks.open(message.customer, message.journey, task, now)

    def _record(
        self, context: DeliveryContext, status: MessageStatus, now: datetime, detail: Mapping[str, Any]
    ) -> MessageStatus:
        _refuse_lagging(context)
        self.deliveries.record(context, status, now, detail)
        return status


def _refuse_lagging(context: DeliveryContext, reserved: tuple[Channel, Reservation] | None = None) -> None:
    if context.lags:
        raise _LaggingError(reserved)


def _wait_for(reservation: Reservation, message: Message, channel: Channel) -> Defer:
    """Wait for the reservation; without one, retry at that time."""
    if reservation.limit:
        return Defer(reservation.at, reasons.Rate(channel, reservation.limit))
    return Defer(rate_limit.retry_at(reservation, message.id), reasons.Rate(channel))


def _reservation_of(context: DeliveryContext, channel: Channel) -> Reservation | None:
    """The reservation that the message waits for, if any."""
    deferral = context.contact.deferrals.get(context.message.id)
    if deferral is None or deferral.until is None or deferral.reason != Reason.RATE or not context.decisions:
        return None
    rate = reasons.Rate.from_wire(context.decisions[-1]["why"])
    return Reservation(deferral.until, rate.limit) if rate.limit and rate.channel is channel else None


def _others(contact: Contact, message_id: str) -> list[Deferral]:
    return [one for id_, one in contact.deferrals.items() if id_ != message_id]


def _scheduled_at(verdict: Defer, until: datetime, now: datetime) -> datetime:
    """Scheduler has a resolution of one minute, so the last part of a long wait for a reservation is spent in SQS."""
    reserved = isinstance(verdict.because, reasons.Rate) and verdict.because.limit
    far = reserved and until - now >= SQS_MAX_DELAY
    return until - QUEUE_SHARE if far else until


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One attempt to deliver a message."""

    context: DeliveryContext
    rejected: Mapping[str, str]
    """By `rejected_<channel>`, why a channel cannot take it."""
    now: datetime
    reserved: tuple[Channel, Reservation] | None = None
    """The reservation of the first look, so that there is no second one."""

    def detail(self, verdict: Send) -> dict[str, Any]:
        """What its record says of the verdict."""
        why = {"why": verdict.why} if verdict.why else {}
        return {"channel": verdict.channel.value, "reason": verdict.reason.value, **self.rejected, **why}


class _ChangedError(Exception):
    """The contact is not as it was read. It has been read again; None where its customer was erased."""

    def __init__(self, context: DeliveryContext | None) -> None:
        self.context = context
        super().__init__("the contact changed in between")


class _LaggingError(Exception):
    """What follows holds only for what is read consistently."""

    def __init__(self, reserved: tuple[Channel, Reservation] | None) -> None:
        self.reserved = reserved
        super().__init__("the context may be as it was a moment ago")


class _QueuedError(Exception):
    """The table cannot be written; what became of the message is queued, and is delivered instead of it."""


class _TryNextChannelError(Exception):
    """The message cannot go out on this channel; the step's next one may take it."""

    def __init__(self, channel: Channel, code: str) -> None:
        self.channel = channel
        self.code = code
        super().__init__(code)


def _invited(rendered: Rendered) -> dict[str, Any]:
    if rendered.invite is None:
        return {}
    return {"invite": {name: rendered.redacted(text) for name, text in shown(rendered.invite).items()}}


def _texts(rendered: Rendered) -> dict[str, str]:
    parts = {"subject": rendered.subject, "text": rendered.redacted_text}
    return {name: text for name, text in parts.items() if text}
