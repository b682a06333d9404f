"""A decision of the gate as the timeline stores it, and the words for its sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cairn.domain.consent.changes import Method
from cairn.domain.consent.suppression import Cause
from cairn.domain.effects import split_effect_id
from cairn.domain.gate.codes import Reason, Why
from cairn.domain.gate.reasons import reason_class
from cairn.domain.shared.channels import CHANNELS, Channel
from cairn.domain.shared.instants import instant_from_wire, zone_named

TimelineEntry = Mapping[str, Any]
"""An entry of the timeline, as `cairn replay --json` prints it."""

METHODS = {
    Method.SINGLE_OPT_IN: "by a form",
    Method.DOUBLE_OPT_IN: "confirmed by the customer",
    Method.IMPORT: "by an import",
    Method.REPLY: "by a reply",
    Method.STOP: "by replying STOP",
    Method.START: "by replying START",
    Method.PREFERENCE_PAGE: "on the preference page",
    Method.ONE_CLICK: "by the link to unsubscribe",
    Method.API: "by the API",
    Method.OPERATOR: "by one of our own people",
}

CAUSES = {
    Cause.HARD_BOUNCE: "mail to it bounced for good",
    Cause.COMPLAINT: "a message was reported as spam there",
    Cause.STOP: "whoever is there replied STOP",
    Cause.UNSUBSCRIBE: "whoever is there unsubscribed",
    Cause.INVALID_NUMBER: "the number turned out not to be in service",
    Cause.OPERATOR: "one of our own people suppressed it",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A word that the entry lacks is empty or general."""

    entry: TimelineEntry
    zone: ZoneInfo

    @property
    def why(self) -> Why:
        why = self.entry.get("why")
        return why if isinstance(why, Mapping) else {}

    @property
    def reason(self) -> Reason:
        return Reason(self.entry["reason"])

    @property
    def channel(self) -> Channel | None:
        named = self.entry.get("channel") or self.why.get("channel")
        channels = [named] if named else self.entry.get("channels", ())
        return Channel(channels[0]) if len(channels) == 1 and channels[0] in set(Channel) else None

    @property
    def purpose(self) -> str:
        return str(self.entry.get("purpose") or self.why.get("purpose") or "")

    @property
    def what(self) -> str:
        """`marketing texts`."""
        return f"{self.purpose} {self.plural}".strip()

    @property
    def plural(self) -> str:
        return CHANNELS[self.channel].plural if self.channel else "messages"

    def because(self, reason: Reason | None = None) -> str:
        return reason_class(reason or self.reason).sentence(self)

    def text(self, name: str, default: str = "") -> str:
        """One field of the reason."""
        return str(self.why.get(name, default))

    def ahead(self, name: str) -> str:
        return self.ahead_of(self.why.get(name))

    def ahead_of(self, wire: Any) -> str:
        """`09:00 on Tuesday 3 March in Europe/Paris`: on the clock that the rule used; with the year if it changes."""
        at = _instant(wire)
        if at is None:
            return ""
        zone = zone_named(self.why.get("zone"), self.zone.key)
        local, now = at.astimezone(zone), _instant(self.entry.get("at"))
        year = f" {local.year}" if now is None or now.astimezone(zone).year != local.year else ""
        return f"{local:%H:%M} on {local:%A} {local.day} {local:%B}{year} in {zone.key}"

    def on_day(self, *names: str) -> str:
        """` on 3 March 2026, 14:02`, of the first field that exists."""
        at = _instant(next((self.why[name] for name in names if self.why.get(name)), None))
        return f" {on_day(at, self.zone)}" if at else ""

    def source(self) -> str:
        """The rule, by its source."""
        jurisdiction = str(self.why.get("jurisdiction") or self.why.get("country") or "")
        named = str(self.why.get("source") or "")
        return named or (f"the law of {jurisdiction}" if jurisdiction not in {"", "*"} else "a rule of our own")

    def also(self) -> str:
        """The other rules that make the wait longer."""
        others = [Decision({**self.entry, "why": one}, self.zone).source() for one in self.why.get("also", ())]
        return f", and then {' and '.join(dict.fromkeys(others))}" if others else ""

    def proof(self) -> str:
        """When the customer gave or withdrew consent, how, and which source reported it."""
        source = f" (source {self.why['source']})" if self.why.get("source") else ""
        return f"{self.on_day('at')}{how(self.why.get('method'))}{source}"

    def suppressed_by(self) -> str:
        return suppressed_by(self.why.get("cause"))

    def limited(self) -> str:
        """What a limit counts: `marketing texts of journey welcome`."""
        purposes = " and ".join(self.why.get("purposes", ()))
        journey = f" of journey {self.why['journey']}" if self.why.get("journey") else ""
        channel = self.why.get("channel")
        noun = CHANNELS[Channel(channel)].plural if channel in set(Channel) else "messages"
        return f"{purposes} {noun}{journey}".strip()

    def yields(self) -> str:
        """The more important message that it yields to, if it does: by its step, which is part of its id."""
        to = self.text("yields_to")
        return f"it yields to the more important step {split_effect_id(to)[1]} ({to})" if to else ""

    def target(self, name: str) -> str:
        """The target of a switch, in words."""
        kind, _, value = str(self.why.get(name) or "").partition(":")
        match kind:
            case "all":
                return "all sending"
            case "channel" if value in set(Channel):
                return f"sending {CHANNELS[Channel(value)].plural}"
            case "template":
                journey, _, template = value.partition("/")
                return f"template {template} of journey {journey}"
            case "country":
                return f"sending to {value}"
            case _:
                return f"{kind} {value}".strip()


def how(method: Any) -> str:
    return f" {METHODS[Method(method)]}" if method in set(Method) else ""


def suppressed_by(cause: Any) -> str:
    return CAUSES.get(cause, str(cause).replace("_", " "))


def on_day(at: datetime, zone: ZoneInfo) -> str:
    """`on 3 March 2026, 14:02`."""
    local = at.astimezone(zone)
    return f"on {local.day} {local:%B} {local.year}, {local:%H:%M}"


def _instant(wire: Any) -> datetime | None:
    return instant_from_wire(wire) if isinstance(wire, str) and wire else None
