"""Deliver a message: claim, gate, render, provider, record. Three AWS calls for one that goes out.

A claim is made once, so a message is sent once. The one window that nobody can see into, a crash between the
provider's call and the record, is settled by purpose: marketing is not sent again, transactional is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from cairn.application.ports import Deliveries, Provider, Renderer, Switches
from cairn.domain import gate
from cairn.domain.consent import Channel, Purpose
from cairn.domain.contact import Contact
from cairn.domain.errors import ClaimedElsewhereError, ProviderBusyError, ProviderRejectedError, TemplateError
from cairn.domain.message import Message, MessageStatus
from cairn.settings import FUNCTION_TIMEOUT

LEASE: timedelta = 2 * FUNCTION_TIMEOUT
"""How long a claim without an outcome may still be somebody's who is at work."""


NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    deliveries: Deliveries
    renderer: Renderer
    providers: Mapping[Channel, Provider]
    switches: Switches

    def __call__(self, message: Message, now: datetime) -> MessageStatus:
        """What became of it. Raises where the same message must be delivered again."""
        queued = message
        message, contact, earlier = self.deliveries.claim(queued, now)
        if earlier is not None:
            # Where its customer was merged, the record moves from the old id to the new one at some point.
            outcome = self.deliveries.outcome(queued) or self.deliveries.outcome(message)
            if outcome is not None:
                return outcome
            if now - earlier.at < LEASE:
                raise ClaimedElsewhereError("the message is being sent; if not, the lease ends soon")
            if message.purpose is Purpose.MARKETING:
                return self._record(message, MessageStatus.UNDECIDED, now, {"reason": "crash_around_provider"})
            self.deliveries.take_over(message, earlier, now)
        return self._send(message, contact, now)

    def _send(
        self,
        message: Message,
        contact: Contact,
        now: datetime,
        rejected: Mapping[str, str] = NOTHING,
    ) -> MessageStatus:
        """Send on the first channel that the gate lets it take; on the next one where a provider will never have it."""
        try:
            verdict = gate.decide(message, contact, contact.claims, self.switches.current(now), now)
        except Exception:  # the switches cannot be read: certainly nothing was sent
            self.deliveries.release(message)
            raise
        if isinstance(verdict, gate.Suppress):
            return self._record(message, MessageStatus.SUPPRESSED, now, {"reason": verdict.reason.value, **rejected})
        detail: dict[str, Any] = {"channel": verdict.channel.value, **rejected}
        try:
            rendered = self.renderer.render(message, verdict.channel, verdict.address)
        except TemplateError as error:
            return self._record(message, MessageStatus.FAILED, now, detail | {"reason": "template", "why": str(error)})
        except Exception:  # the journey's version is gone, or cannot be read
            self.deliveries.release(message)
            raise
        try:
            provider_id = self.providers[verdict.channel].send(message, rendered)
        except ProviderRejectedError as error:
            left = message.channels[message.channels.index(verdict.channel) + 1 :]
            if left:
                rejected = {**rejected, f"rejected_{verdict.channel}": error.code}
                return self._send(replace(message, channels=left), contact, now, rejected)
            return self._record(message, MessageStatus.FAILED, now, detail | {"reason": "provider", "why": error.code})
        except ProviderBusyError:
            self.deliveries.release(message)
            raise
        said = {"subject": rendered.subject, "body": rendered.text, "provider_id": provider_id}
        return self._record(
            message, MessageStatus.SENT, now, detail | {key: text for key, text in said.items() if text}
        )

    def _record(
        self, message: Message, status: MessageStatus, now: datetime, detail: Mapping[str, Any]
    ) -> MessageStatus:
        self.deliveries.record(message, status, now, detail)
        return status
