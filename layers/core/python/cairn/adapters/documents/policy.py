"""From the policy's document (docs/policy.md, already checked) to the rules of the gate.

Standard library only: this runs in the functions. `authoring.policy` reads and checks the files that people write.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cairn.adapters.documents.shares import share
from cairn.domain.consent.keywords import Intent
from cairn.domain.identity.placeholders import word_of
from cairn.domain.policy import (
    ERASURE_ORDERS_PER_HOUR,
    EVERY_CHANNEL,
    EVERY_DAY,
    EVERY_JOURNEY,
    MARKETING,
    MAX_IDENTIFIERS,
    Breaker,
    Cap,
    Closed,
    Cooldown,
    Forbidden,
    Hours,
    OverallHoldout,
    Policy,
    Rate,
    ReviewRule,
    WebhookEndpoint,
    Window,
)
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import duration

if TYPE_CHECKING:
    from cairn.application.values.facts import BusinessStage
    from cairn.domain.measurement.prices import Prices

Document = Mapping[str, Any]

READ = re.compile(r'profile\."?(\w+)')
"""An attribute that a condition reads."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
YEARLY = len("12-25")


def policy_at(path: Path) -> Policy:
    """The policy that the build wrote after `cairn check`."""
    return policy_from_document(json.loads(path.read_bytes()))


def prices_at(path: Path) -> "Prices":
    """What messages and work cost, from the same file."""
    from cairn.domain.measurement.prices import Prices  # noqa: PLC0415  with the statistics

    return Prices(**json.loads(path.read_bytes())["prices"])


def stages_at(path: Path) -> "list[BusinessStage]":
    """The stages of the business, from the same file, in their order."""
    from cairn.application.values.facts import BusinessStage  # noqa: PLC0415  as above

    return [BusinessStage(row["stage"], tuple(row["events"])) for row in json.loads(path.read_bytes()).get("kpis", ())]


def overall_plan_at(path: Path) -> Document | None:
    """The holdout across all journeys from the same file, as the document of a journey that is measured."""
    table = json.loads(path.read_bytes()).get("holdout")
    if table is None:
        return None
    about = {"holdout": table["share"], "goal": table["goal"], "analysis": table.get("analysis", {})}
    return {"journey": EVERY_JOURNEY, "version": holdout_version(table), **about}


def policy_from_document(document: Document) -> Policy:
    """The policy of a checked document. Raises KeyError or ValueError on an unchecked one."""
    given = {name: document[name] for name in PLAIN if name in document}
    given |= {name: duration(document[name]) for name in LENGTHS if name in document}
    given |= {name: tuple(read(row) for row in document.get(name, ())) for name, read in ROWS.items()}
    return Policy(
        **given,
        link_hosts=tuple(document.get("link_hosts", ())),
        webhook_endpoints=tuple(_webhook_endpoint(row) for row in document.get("subscribers", ())),
        breaker=_breaker(document.get("breaker", {})),
        holdout=_holdout(document["holdout"]) if "holdout" in document else None,
        max_identifiers=document.get("identity", {}).get("max_identifiers", MAX_IDENTIFIERS),
        guarded=frozenset(name for row in document.get("reviews", ()) for name in READ.findall(row.get("when", ""))),
        placeholders=frozenset(map(word_of, document.get("identity", {}).get("placeholders", ()))),
        erasure_orders_per_hour=document.get("privacy", {}).get("orders_per_hour", ERASURE_ORDERS_PER_HOUR),
        double_opt_in=frozenset(Channel(one) for one in document.get("double_opt_in", ())),
        regions={country: frozenset(codes) for country, codes in document.get("regions", {}).items()},
        countries_needing_registration=_by_channel(document.get("registration", ())),
        answers={
            language: {Intent(intent): text for intent, text in answers.items()}
            for language, answers in document.get("answers", {}).items()
        },
    )


def _territory(row: Document) -> dict[str, Any]:
    return {
        "jurisdiction": row["jurisdiction"],
        "channels": frozenset(Channel(one) for one in row.get("channels", EVERY_CHANNEL)),
        "purposes": _purposes(row),
        "zones": frozenset(row.get("zones", ())),
        "source": row["source"],
    }


def _hours(row: Document) -> Hours:
    start, end = time.fromisoformat(row["from"]), time.fromisoformat(row["to"])
    days = _weekdays(row["days"]) if "days" in row else EVERY_DAY
    return Hours(**_territory(row), start=start, end=end, days=days, clock=row.get("clock", ""))


def _closed(row: Document) -> Closed:
    dates = row.get("dates", ())
    return Closed(
        **_territory(row),
        days=_weekdays(row.get("days", ())),
        yearly=frozenset(one for one in dates if len(one) == YEARLY),
        dates=frozenset(date.fromisoformat(one) for one in dates if len(one) != YEARLY),
    )


def _cap(row: Document) -> Cap:
    window: Window = row["window"] if row["window"] in {"day", "week"} else duration(row["window"])
    return Cap(
        limit=row["limit"],
        window=window,
        reserved=row.get("reserved", 0),
        channel=_channel(row),
        purposes=_purposes(row),
        journey=row.get("journey", ""),
    )


def _cooldown(row: Document) -> Cooldown:
    return Cooldown(length=duration(row["length"]), channel=_channel(row), purposes=_purposes(row))


def _forbidden(row: Document) -> Forbidden:
    return Forbidden(
        channel=Channel(row["channel"]), purpose=Purpose(row["purpose"]), country=row["country"], source=row["source"]
    )


def _rate(row: Document) -> Rate:
    channel, reserved = Channel(row["channel"]), share(row.get("reserved", 0))
    return Rate(channel=channel, per_second=float(row["per_second"]), country=row.get("country", ""), reserved=reserved)


def _review(row: Document) -> ReviewRule:
    return ReviewRule(
        queue=row["queue"],
        within=duration(row["within"]),
        otherwise=row["otherwise"],
        steps=frozenset(row.get("steps", ())),
        templates=frozenset(row.get("templates", ())),
        when=row.get("when", ""),
    )


def _webhook_endpoint(row: Document) -> WebhookEndpoint:
    return WebhookEndpoint(
        name=row["name"],
        url=row["url"],
        secret=row["secret"],
        consent=row.get("consent", True),
        events=frozenset(map(AnnouncedType, row.get("events", ()))),
    )


def _breaker(table: Document) -> Breaker:
    given = dict(table)
    given |= {name: share(table[name]) for name in ("failure", "bounce", "complaint") if name in table}
    given |= {"window": duration(table["window"])} if "window" in table else {}
    return Breaker(**given)


def _holdout(table: Document) -> OverallHoldout:
    goal, value = table["goal"], table["goal"].get("value", {})
    return OverallHoldout(
        version=holdout_version(table),
        share=share(table["share"]),
        exclude=table.get("analysis", {}).get("exclude", ""),
        event=goal["event"],
        where=goal.get("where"),
        within=duration(goal["within"]),
        amount=value.get("amount", ""),
        currency=value.get("currency", ""),
        major=value.get("unit") == "major",
    )


def holdout_version(table: Document) -> str:
    return short_hash(json.dumps(table, sort_keys=True), length=16)


def _channel(row: Document) -> Channel | None:
    return Channel(row["channel"]) if "channel" in row else None


def _purposes(row: Document) -> frozenset[Purpose]:
    return frozenset(Purpose(one) for one in row.get("purposes", MARKETING))


def _weekdays(names: Iterable[str]) -> frozenset[int]:
    return frozenset(WEEKDAYS.index(name) + 1 for name in names)


def _by_channel(rows: Iterable[Document]) -> dict[Channel, frozenset[str]]:
    found: dict[Channel, frozenset[str]] = {}
    for row in rows:
        channel = Channel(row["channel"])
        found[channel] = found.get(channel, frozenset()) | {row["country"]}
    return found


PLAIN = ("brand", "contact", "postal_address", "revoke_all", "unknown_region", "dlt_entity")
LENGTHS = ("preferred_hour_window", "max_hold")
ROWS = {
    "hours": _hours,
    "closed": _closed,
    "caps": _cap,
    "cooldowns": _cooldown,
    "forbidden": _forbidden,
    "rates": _rate,
    "reviews": _review,
}
