"""The route of one customer: found by any name, what happened, where they stand, and what a person changes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.adapters.http.manage.forms import Form
from cairn.adapters.http.manage.router import MAX_CURSOR, MAX_PAGE, PAGE, Answer, OperatorRequest
from cairn.adapters.pages.masks import HIDDEN, masked
from cairn.application.customer.change_customer import ChangeCustomer
from cairn.application.customer.show_customer import ShowCustomer, Standing, TimelinePage
from cairn.application.operations.operator_commands import Attribution
from cairn.domain.customer.state import Customer
from cairn.domain.explain.lines import TimelineLine
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID
from cairn.domain.operations.switches import MAX_REASON_LENGTH
from cairn.domain.profile.addresses import addresses_to_send_to
from cairn.domain.profile.attributes import FIRST_NAME, LAST_NAME
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.instants import instant_to_wire

Json = dict[str, Any]

IN_SHORT = ("stage", "score", "owner", "locale", "country", "region", "time_zone", "tags")
"""Of a profile, beside its names."""

CHANGES = frozenset({"enroll", "leave", "merge"})


@dataclass(frozen=True, slots=True)
class CustomerRoutes:
    show: ShowCustomer
    change: ChangeCustomer
    normal_phone: Callable[[str], str | None]

    def __call__(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do = form.one_of("do", "find", "timeline", "enrollments", "enroll", "leave", "merge")
        name = form.text("customer")
        why = form.text("why", required=do in CHANGES, most=MAX_REASON_LENGTH)
        attribution = Attribution(call.actor, why, now)
        if do in CHANGES:
            return self._change(do, name, form, attribution)
        if do == "timeline":
            limit = form.number("limit", MAX_PAGE) if form.has("limit") else PAGE
            after = form.text("after", required=False, most=MAX_CURSOR)
            form.check()
            return Answer(200, timeline(self.show.timeline(name, limit, after, attribution)))
        if do == "enrollments":
            form.check()
            customer, standing = self.show.enrollments(name, attribution)
            return Answer(200, {"customer": customer.id, "enrollments": [_standing(one) for one in standing]})
        hidden = form.flag("masked")
        form.check()
        return Answer(200, in_short(self.show.profile(name, attribution), now, hidden=hidden))

    def _change(self, do: str, name: str, form: Form, attribution: Attribution) -> Answer:
        if do == "merge":
            other = form.text("other")
            form.check()
            done = self.change.merge(name, other, attribution)
        else:
            journey = form.text("journey")
            key, data = form.text("key", required=False), form.object("data")
            if do == "leave" and (key or data):
                form.wrong("key, data: of enroll only")
            form.check()
            if do == "enroll":
                done = self.change.enroll(name, journey, key, data, attribution)
            else:
                done = self.change.leave(name, journey, attribution)
        return Answer(202, {"customer": done.about, "event": done.id})


def in_short(customer: Customer, now: datetime, *, hidden: bool) -> Json:
    """The names and the profile in short. `hidden`: names as only their owner recognises them."""
    view = customer.profile.view(now)
    kinds = (USER_ID, EMAIL, PHONE, FIRST_NAME, LAST_NAME)
    named = _masked if hidden else lambda _, value: str(value)
    external = {system: named(system, value) for system, value in sorted(view["external_ids"].items())}
    return {
        "customer": customer.id,
        "names": {kind: named(kind, view[kind]) for kind in kinds if view.get(kind)},
        "external_ids": external,
        "profile": {name: view[name] for name in IN_SHORT if view.get(name)},
        "known": customer.profile.is_known,
        "channels": sorted(channel.value for channel in addresses_to_send_to(customer.profile)),
        "open_enrollments": sum(one.open for one in customer.enrollments.values()),
        "since": instant_to_wire(customer.profile.created_at),
        "last_activity": instant_to_wire(customer.profile.last_activity),
        "masked": hidden,
    }


def _masked(kind: str, value: object) -> str:
    match kind:
        case "email":
            return masked(Channel.EMAIL, str(value))
        case "phone":
            return masked(Channel.SMS, str(value))
        case "first_name" | "last_name":
            return f"{str(value)[:1]}{HIDDEN}"
        case _:
            return HIDDEN


def timeline(page: TimelinePage) -> Json:
    entries = [_line(one) for one in page.lines]
    return {"customer": page.customer, "zone": page.zone, "entries": entries, "after": page.following}


def _line(line: TimelineLine) -> Json:
    said, entry = line.sentence, line.entry
    about = {name: entry.get(name) for name in ("journey", "step", "channel", "reason")} | {"message": said.message}
    texts = {name: value for name, value in about.items() if isinstance(value, str) and value}
    return {"at": instant_to_wire(said.at), "local": said.local, "kind": said.kind, "text": said.text, **texts}


def _standing(one: Standing) -> Json:
    enrollment, follows = one.enrollment, one.upcoming
    since = enrollment.reached_at or enrollment.entered_at
    next_at = follows.at if follows else None
    return {
        "enrollment": enrollment.id,
        "journey": enrollment.journey,
        "version": enrollment.version,
        "key": enrollment.key,
        "status": enrollment.status.value,
        "step": enrollment.step,
        "since": instant_to_wire(since),
        "waits_for": follows.waits_for if follows else "",
        "next_at": instant_to_wire(next_at) if next_at else None,
        "next": follows.text if follows else "Nobody has this version of the journey any more.",
    }
