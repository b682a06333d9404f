"""From the people's document (docs/people.md, already checked) to queues and members.

Standard library only: this runs in the functions. `authoring.people` reads and checks the file that people write.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cairn.domain.people.members import (
    Absence,
    Member,
    NotifyBy,
    Outcome,
    People,
    Queue,
    Strategy,
    Territory,
    WebhookForm,
)
from cairn.domain.shared.calendars import Calendar
from cairn.domain.shared.instants import duration, instant_from_wire

Document = Mapping[str, Any]

OF_MEMBERS = ("email", "phone", "webhook", "zone", "capacity", "manager")
OF_QUEUES = ("sticky", "fallback", "reassign", "escalate_to")
"""Keys whose values are those of the domain."""


def people_at(path: Path) -> People:
    """The people whom the build wrote after `cairn check`."""
    return people_from_document(json.loads(path.read_bytes()))


def people_from_document(document: Document) -> People:
    """The people of a checked document. Raises KeyError or ValueError on an unchecked one."""
    calendars = {name: Calendar.from_document(one) for name, one in document.get("calendars", {}).items()}
    return People(
        queues={name: _queue(name, one, calendars) for name, one in document.get("queues", {}).items()},
        members={id_: _member(id_, one, calendars) for id_, one in document.get("members", {}).items()},
        deal_keys=tuple(document.get("deal_keys", ())),
    )


def _queue(name: str, document: Document, calendars: Mapping[str, Calendar]) -> Queue:
    given: dict[str, Any] = {key: document[key] for key in OF_QUEUES if key in document}
    given |= {key: duration(document[key]) for key in ("due", "remind") if key in document}
    if "calendar" in document:
        given["calendar"] = calendars[document["calendar"]]
    return Queue(
        name=name,
        title=document["title"],
        members=document["members"],
        strategy=Strategy(document.get("strategy", Strategy.ROUND_ROBIN)),
        territories=_territories(document),
        branches=tuple(document.get("branches", ())),
        outcomes={key: _outcome(key, one) for key, one in document.get("outcomes", {}).items()},
        **given,
    )


def _outcome(name: str, document: Document) -> Outcome:
    again = duration(document["again"]) if "again" in document else None
    chosen = document.get("at_hour_of_choice", False)
    return Outcome(name, document["title"], again, chosen, document.get("event", ""))


def _member(id_: str, document: Document, calendars: Mapping[str, Calendar]) -> Member:
    given: dict[str, Any] = {key: document[key] for key in OF_MEMBERS if key in document}
    if "calendar" in document:
        given["calendar"] = calendars[document["calendar"]]
    elif "hours" in document:
        given["calendar"] = Calendar.from_document(document)
    return Member(
        id=id_,
        name=document["name"],
        webhook_form=WebhookForm(document.get("webhook_form", WebhookForm.EVENT)),
        notify_by=_notify_by(document),
        notify_every=duration(document["notify_every"]) if "notify_every" in document else None,
        languages=frozenset(document.get("languages", ())),
        skills=frozenset(document.get("skills", ())),
        territories=_territories(document),
        absences=tuple(Absence(*map(instant_from_wire, one)) for one in document.get("absences", ())),
        **given,
    )


def _notify_by(document: Document) -> NotifyBy | None:
    """As it says; else by whatever there is, a webhook before an e-mail before a text."""
    written = document.get("notify_by")
    if written is not None:
        return None if written == "nothing" else NotifyBy(written)
    keys = {"webhook": NotifyBy.WEBHOOK, "email": NotifyBy.EMAIL, "phone": NotifyBy.SMS}
    return next((by for key, by in keys.items() if key in document), None)


def _territories(document: Document) -> tuple[Territory, ...]:
    return tuple(_territory(one) for one in document.get("territories", ()))


def _territory(document: Document) -> Territory:
    region = document.get("region", "")
    return Territory(**{**document, "country": document.get("country") or region.partition("-")[0]})
