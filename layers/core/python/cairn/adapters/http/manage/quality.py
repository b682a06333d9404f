"""The routes of a quality run's report, and of the decision whether two customers are one person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.adapters.http.manage.forms import Form
from cairn.adapters.http.manage.router import Answer, OperatorRequest
from cairn.application.operations.operator_commands import Attribution
from cairn.application.quality.manage_quality import ManageQuality
from cairn.domain.customer.state import Customer
from cairn.domain.operations.switches import MAX_REASON_LENGTH
from cairn.domain.quality.reports import MOST_PARTS, Section
from cairn.domain.shared.errors import InvalidRequestError
from cairn.domain.shared.instants import instant_to_wire

BEGIN, ADD, PUBLISH, COMPARE, MERGE, DISTINGUISH = "begin", "add", "publish", "compare", "merge", "distinguish"


@dataclass(frozen=True, slots=True)
class QualityRoutes:
    quality: ManageQuality
    normal_phone: Callable[[str], str | None]

    def __call__(self, call: OperatorRequest, now: datetime) -> Answer:
        return self._show(call.query or {}) if call.route.startswith("GET") else self._order(call, now)

    def _show(self, query: Mapping[str, str]) -> Answer:
        """The report, or rows of one of its sections with the `after` of the next ones."""
        if "section" not in query:
            return Answer(200, dict(self.quality.report()))
        name, after = query["section"], query.get("after") or "0"
        if name not in set(Section):
            raise InvalidRequestError([f"section: one of {', '.join(Section)}"])
        if not (after.isascii() and after.isdecimal() and int(after[:9]) < MOST_PARTS):
            raise InvalidRequestError(["after: as the page before says it"])
        rows, more = self.quality.part(Section(name), int(after) + 1)
        return Answer(200, {name: rows, "after": str(int(after) + 1) if more else None})

    def _order(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do = form.one_of("do", BEGIN, ADD, PUBLISH, COMPARE, MERGE, DISTINGUISH)
        if do in {COMPARE, MERGE, DISTINGUISH}:
            return self._decide(form, do, call.actor, now)
        run = form.text("run")
        if do == ADD:
            section, part, rows = form.choice("section", Section), form.number("part", MOST_PARTS), form.list("rows")
            form.check()
            self.quality.add_part(run, section, part, rows, now)
            return Answer(200, {"run": run})
        attribution = Attribution(call.actor, form.why(), now)
        if do == BEGIN:
            form.check()
            self.quality.begin(run, attribution)
            return Answer(200, {"run": run, "at": instant_to_wire(now)})
        report, parts = form.object("report"), form.object("parts")
        form.check()
        self.quality.publish(run, report, parts, attribution)
        return Answer(200, {"run": run})

    def _decide(self, form: Form, do: str, actor: str, now: datetime) -> Answer:
        customer, other = form.text("customer"), form.text("other")
        why = form.text("why", required=do != COMPARE, most=MAX_REASON_LENGTH)
        form.check()
        attribution = Attribution(actor, why, now)
        if do == COMPARE:
            both = self.quality.compare(customer, other, attribution)
            return Answer(200, {"customers": [_compared(one) for one in both]})
        if do == MERGE:
            done = self.quality.merge(customer, other, attribution)
            return Answer(202, {"customer": done.about, "event": done.id})
        pair = self.quality.distinguish(customer, other, attribution)
        return Answer(200, {"customers": [pair.a, pair.b]})


def _compared(customer: Customer) -> dict[str, Any]:
    """What a person compares: names and attributes, and where they come from."""
    profile = customer.profile
    return {
        "customer": profile.id,
        "identifiers": [
            {"kind": one.kind, "value": one.value, "vouched": one.key not in profile.typed}
            for one in profile.identifiers
        ],
        "attributes": {
            name: {"value": one.value, "at": instant_to_wire(one.at)}
            for name, one in sorted(profile.attributes.items())
            if one.value is not None
        },
        "sources": sorted(profile.sources),
        "created_at": instant_to_wire(profile.created_at),
        "last_activity": instant_to_wire(profile.last_activity),
        "journeys": sorted({one.journey for one in customer.enrollments.values() if one.open}),
    }
