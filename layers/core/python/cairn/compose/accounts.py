"""What providers and vendors say about our own account with them, and only a person can end."""

from collections.abc import Mapping, Sequence
from typing import Any

from cairn.domain.event import ACCOUNT_FAILURE, Event
from cairn.telemetry import need_person


def note_account_failures(events: Sequence[Event]) -> None:
    """Messages that a provider took, and did not send: the account lacks the money, or is locked."""
    failed = [event for event in events if event.properties.get(ACCOUNT_FAILURE) is True]
    if failed:
        need_person(
            "AccountFailure",
            "the provider sends nothing for this account",
            do="pause the channel, mend the account, resume: docs/runbook.md, An account that may not send",
            each=[{"channel": one.channel, "reason": one.properties.get("reason")} for one in failed],
        )


def note_account_alarms(alarms: Sequence[Mapping[str, Any]]) -> None:
    """A template, a number or the account that the vendor has refused, paused or limited (`alarms` of a mapping)."""
    if alarms:
        need_person(
            "AccountAlarm",
            "a vendor has refused, paused or limited something of this account",
            do="mend it with the vendor: docs/runbook.md, An account that may not send",
            each=alarms,
        )
