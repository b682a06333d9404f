"""Deliver a message: gate, render, claim, provider, record. Only a message that is sent now is claimed.

One read serves a whole batch. The claim is conditional on the state that was read, so a STOP or another message in
between means a new decision. One case cannot be decided: a crash between the provider's call and the record. Then
marketing is not sent again, and transactional is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cairn.application.ports import (
    DeferredMessages,
    Deliveries,
    DeliveryContext,
    DeliveryRequest,
    Provider,
    RateLimiter,
    Renderer,
    Switches,
    Tasks,
)
from cairn.domain.consent.contact import Claim, Deferral
from cairn.domain.effects import OpenTask
from cairn.domain.gate import gate, reasons
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.verdict import Defer, Send, Suppress
from cairn.domain.message import rate_limit
from cairn.domain.message.message import Jurisdiction, Message, MessageStatus, Rendered
from cairn.domain.message.rate_limit import RESERVATION_TTL, Reservation
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import (
    ClaimedElsewhereError,
    ConflictError,
    ForeignLinkError,
    ProviderBusyError,
    ProviderRejectedError,
    TemplateError,
    TextTooLongError,
)
from cairn.settings import FUNCTION_TIMEOUT, SQS_MAX_DELAY

LEASE: timedelta = 2 * FUNCTION_TIMEOUT
"""Until then, the sender that made the claim may still be at work."""

ATTEMPTS = 8
"""Attempts after a conflict. The queue retries after that."""

QUEUE_SHARE = timedelta(minutes=2)
"""The last minutes of a wait are spent in SQS, which covers Scheduler's lateness."""

UNFIT = frozenset({ForeignLinkError.reason, TextTooLongError.reason})
"""What one channel's text shows of the values; another channel's template may be fit."""

NO_REJECTIONS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    deliveries: Deliveries
    deferred: DeferredMessages
    tasks: Tasks
    renderer: Renderer
    providers: Mapping[Channel, Provider]
    switches: Switches
    rate_limiter: RateLimiter
    jurisdiction_of: Callable[[Message], Jurisdiction]

    def contexts(self, requests: Sequence[DeliveryRequest]) -> list[DeliveryContext | None]:
        """The delivery contexts of these messages, in one read; None where the customer was erased."""
        return self.deliveries.contexts(requests)

    def __call__(
        self, request: DeliveryRequest, now: datetime, context: DeliveryContext | None
    ) -> MessageStatus | None:
        """The new status; None where the customer was erased. Raises where the queue must deliver it again."""
        rejected = NO_REJECTIONS
        for _ in range(ATTEMPTS):
            if context is None:
                return None
            if context.settled:
                return context.status
            try:
                return self._deliver(context, rejected, now)
            except _TryNextChannelError as error:
                rejected = {**rejected, f"rejected_{error.channel}": error.code}
            except ConflictError:
                pass
            (context,) = self.deliveries.contexts([request])
        raise ConflictError("the customer keeps changing; the message is delivered once more")

    def _deliver(self, context: DeliveryContext, rejected: Mapping[str, str], now: datetime) -> MessageStatus:
        message = context.message
        earlier = context.contact.claims.get(message.id)
        if earlier is not None:
            if now - earlier.at < LEASE:
                raise ClaimedElsewhereError("the message is being sent; if not, the lease ends soon")
            if message.purpose is Purpose.MARKETING:
                return self._record(context, MessageStatus.UNDECIDED, now, {"reason": "crash_around_provider"})
        left = tuple(channel for channel in message.channels if f"rejected_{channel}" not in rejected)
        message = replace(
            message, channels=left, terms=self.renderer.terms(message), jurisdiction=self.jurisdiction_of(message)
        )
        context = replace(context, message=message)
        verdict = gate.decide(message, context.contact, context.contact.claims, self.switches.current(now), now)
        match verdict:
            case Suppress():
                detail = {"reason": verdict.reason.value, "why": verdict.why, **rejected}
                return self._record(context, MessageStatus.SUPPRESSED, now, detail)
            case Defer():
                return self._defer(context, verdict, now)
            case Send():
                return self._send(context, verdict, rejected, now)

    def _send(
        self, context: DeliveryContext, verdict: Send, rejected: Mapping[str, str], now: datetime
    ) -> MessageStatus:
        message, channel = context.message, verdict.channel
        detail: dict[str, Any] = {"channel": channel.value, "reason": verdict.reason.value, **rejected}
        why = verdict.why
        detail |= {"why": why} if why else {}
        try:
            rendered = self.renderer.render(message, channel, verdict.address)
        except TemplateError as error:
            if error.reason in UNFIT and channel != message.channels[-1]:
                raise _TryNextChannelError(channel, error.reason) from error
            return self._record(
                context, MessageStatus.FAILED, now, detail | {"reason": error.reason, "error": str(error)}
            )
        reservation = self._reserve(context, channel, now)
        if reservation.at > now:
            return self._defer(context, _wait_for(reservation, message, channel), now)
        claim = Claim(now, message.purpose, channel, message.journey)
        self.deliveries.claim(message, context.contact, claim)
        try:
            provider_id = self.providers[channel].send(message, rendered)
        except ProviderRejectedError as error:
            if channel != message.channels[-1]:
                self.deliveries.release(message)
                raise _TryNextChannelError(channel, error.code) from error
            return self._record(
                context, MessageStatus.FAILED, now, detail | {"reason": "provider", "error": error.code}
            )
        except ProviderBusyError:
            self.deliveries.release(message)
            raise
        details = {"subject": rendered.subject, "body": rendered.redacted_text, "provider_id": provider_id}
        return self._record(
            context, MessageStatus.SENT, now, detail | {key: text for key, text in details.items() if text}
        )

    def _reserve(self, context: DeliveryContext, channel: Channel, now: datetime) -> Reservation:
        """When the provider has capacity. A message keeps its reservation until it expires."""
        earlier = _reservation_of(context, channel)
        if earlier is not None and earlier.at > now:
            return earlier
        after = earlier.limit if earlier is not None and now - earlier.at <= RESERVATION_TTL else ""
        country = context.message.jurisdiction.countries.get(channel, "")
        return self.rate_limiter.reserve(channel, country, context.message.purpose, now, after)

    def _defer(self, context: DeliveryContext, verdict: Defer, now: datetime) -> MessageStatus:
        """Defer the message and schedule its next delivery. Each step is idempotent: the queue retries all of them."""
        message = context.message
        if isinstance(verdict.because, reasons.Review):
            try:
                self._ask_for_review(message, verdict.because, verdict.until or now, now)
            except TemplateError as error:
                return self._record(context, MessageStatus.FAILED, now, {"reason": error.reason, "error": str(error)})
        deferral = Deferral(verdict.until, verdict.reason, message.enrollment, *message.order, message.purpose)
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
        )
        self.tasks.open(message.customer, message.journey, task, now)

    def _record(
        self, context: DeliveryContext, status: MessageStatus, now: datetime, detail: Mapping[str, Any]
    ) -> MessageStatus:
        self.deliveries.record(context, status, now, detail)
        return status


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


def _scheduled_at(verdict: Defer, until: datetime, now: datetime) -> datetime:
    """Scheduler has a resolution of one minute, so the last part of a long wait for a reservation is spent in SQS."""
    reserved = isinstance(verdict.because, reasons.Rate) and verdict.because.limit
    far = reserved and until - now >= SQS_MAX_DELAY
    return until - QUEUE_SHARE if far else until


class _TryNextChannelError(Exception):
    """The message cannot go out on this channel; the step's next one may take it."""

    def __init__(self, channel: Channel, code: str) -> None:
        self.channel = channel
        self.code = code
        super().__init__(code)


def _texts(rendered: Rendered) -> dict[str, str]:
    parts = {"subject": rendered.subject, "text": rendered.redacted_text}
    return {name: text for name, text in parts.items() if text}
