"""The routes of operators: each reads its form, calls one use case and answers with the result."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cairn.adapters.http.manage import documents
from cairn.adapters.http.manage.forms import MAX_WORDING, Form, count_in, names_in
from cairn.application.message.review_messages import APPROVE, REJECT, ReviewMessages
from cairn.application.operations.operator_commands import Attribution, ConsentStatement, OperatorCommands
from cairn.application.operations.switch import Switch
from cairn.application.ports import Audit, SeenTypes, SwitchBoard
from cairn.application.privacy.export_customer import ExportForOperator
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.event import MAX_ID_LENGTH
from cairn.domain.operations.actor import identity_of
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.once import RequestKey, is_done_once
from cairn.domain.operations.pauses import WINDOW, PausePolicy
from cairn.domain.operations.roles import PREVIEW_OF_CUSTOMER, Role, check_role, is_for_own_work
from cairn.domain.operations.switches import MAX_REASON_LENGTH
from cairn.domain.policy import EVERY_JOURNEY
from cairn.domain.privacy.requests import Choice
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import InvalidRequestError, NotSignedInError
from cairn.domain.shared.hashing import short_hash

if TYPE_CHECKING:
    from cairn.adapters.http.manage.customers import CustomerRoutes
    from cairn.adapters.http.manage.messages import MessageRoutes
    from cairn.adapters.http.manage.people import PeopleRoutes
    from cairn.adapters.http.manage.quality import QualityRoutes
    from cairn.application.audience.ask_audiences import AskAudiences
    from cairn.application.audience.manage_broadcasts import ManageBroadcasts
    from cairn.application.audience.try_condition import TryCondition
    from cairn.application.customer.explain_decisions import ExplainDecisions
    from cairn.application.customer.make_in_app_token import MakeInAppToken
    from cairn.application.customer.show_lead import ShowLead
    from cairn.application.measurement.measure_journey import MeasureJourney
    from cairn.application.measurement.report_facts import ReportFacts
    from cairn.application.operations.answer_once import AnswerOnce
    from cairn.application.operations.choose_winner import ChooseWinner
    from cairn.application.operations.count_standing import CountStanding
    from cairn.application.operations.manage_dead_letters import ManageDeadLetters
    from cairn.application.operations.migrate_journey import MigrateJourney
    from cairn.application.operations.show_journeys import ShowJourneys
    from cairn.application.privacy.answer_requests import AnswerRequests

Json = dict[str, Any]

PAGE = 50
MAX_PAGE = 100

MEMBERS, MAX_MEMBERS = 100, 1_000
"""Members of an audience in a page."""

MAX_CONDITION = 1_000
"""Characters of the condition of an audience that is tried."""

MOST_MEMBERS = 1_000_000_000
"""Of an audience, as an operator approves it."""

DAYS, MOST_DAYS = 30, 800
"""That a report counts."""

MAX_CURSOR = 1_000

READ = "read"
"""The action in the audit."""

IDEMPOTENCY_KEY = re.compile("[A-Za-z0-9-]{1,64}")

EVIDENCE = {
    "wording": MAX_WORDING,
    "wording_version": MAX_REASON_LENGTH,
    "locale": MAX_REASON_LENGTH,
    "url": MAX_REASON_LENGTH,
}
"""The evidence of a consent that an operator may give, and its length in characters."""


class SwitchAction(StrEnum):
    STOP = "stop"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"


class StatedConsent(StrEnum):
    """A customer's statement."""

    GRANTED = ConsentStatus.GRANTED.value
    DENIED = ConsentStatus.DENIED.value


@dataclass(frozen=True, slots=True)
class OperatorRequest:
    """A request as the HTTP API hands it over."""

    route: str
    """`POST /manage/switches`."""
    actor: str
    """The operator who is signed in."""
    roles: frozenset[Role]
    """What the operator may do; an administrator's is `Role.ADMIN`."""
    body: bytes = b""
    query: Mapping[str, str] | None = None
    key: str = ""
    """The header Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ManageRouter:
    """A use case behind a call is made when a request asks for it: few do, so it is not imported at each start."""

    switch: Switch
    board: SwitchBoard
    explain: "Callable[[], ExplainDecisions]"
    export: ExportForOperator
    commands: OperatorCommands
    customers: "Callable[[], CustomerRoutes]"
    journeys: "Callable[[], ShowJourneys]"
    messages: "Callable[[], MessageRoutes]"
    dead_letters: "Callable[[], ManageDeadLetters]"
    migrate: "Callable[[], MigrateJourney]"
    winner: "Callable[[], ChooseWinner]"
    standing: "Callable[[], CountStanding]"
    measure: "Callable[[], MeasureJourney]"
    report: "Callable[[], ReportFacts]"
    answer: "Callable[[], AnswerRequests]"
    review: ReviewMessages
    people: "Callable[[], PeopleRoutes]"
    audiences: "Callable[[], AskAudiences]"
    try_condition: "Callable[[], TryCondition]"
    broadcasts: "Callable[[], ManageBroadcasts]"
    quality: "Callable[[], QualityRoutes]"
    audit: Audit
    seen: SeenTypes
    lead: "Callable[[], ShowLead]"
    in_app_token: "Callable[[], MakeInAppToken]"
    normal_phone: Callable[[str], str | None]
    once: "Callable[[], AnswerOnce]"

    def __call__(self, call: OperatorRequest, now: datetime) -> Answer:
        """The answer. Raises a CairnError where nothing was done."""
        if not call.actor:
            raise NotSignedInError("sign the request with credentials of the account (AWS Signature Version 4)")
        routes: dict[str, Callable[[OperatorRequest, datetime], Answer]] = {
            "GET /manage/switches": self._board,
            "POST /manage/switches": self._change_switch,
            "POST /manage/explain": self._explain,
            "POST /manage/export": self._export,
            "POST /manage/erase": self._erase,
            "POST /manage/detach": self._detach,
            "POST /manage/consent": self._consent,
            "POST /manage/suppressions": self._suppressions,
            "POST /manage/leads": self._lead,
            "POST /manage/stages": self._stage,
            "POST /manage/customers": self._of_customer,
            "POST /manage/in-app-tokens": self._in_app_token,
            "GET /manage/journeys": self._journeys,
            "POST /manage/messages": self._of_message,
            "GET /manage/dead-letters": self._dead_letters,
            "POST /manage/dead-letters": self._dead_letter,
            "POST /manage/migrations": self._migrate,
            "GET /manage/splits": self._splits,
            "POST /manage/splits": self._change_split,
            "GET /manage/standing": self._standing,
            "GET /manage/measures": self._measure,
            "GET /manage/reports": self._report,
            "GET /manage/reviews": self._reviews,
            "POST /manage/reviews": self._review,
            "GET /manage/privacy": self._privacy,
            "POST /manage/privacy": self._answer,
            "GET /manage/tasks": self._of_people,
            "POST /manage/tasks": self._of_people,
            "GET /manage/members": self._of_people,
            "POST /manage/members": self._of_people,
            "POST /manage/deals": self._of_people,
            "GET /manage/inbox": self._of_people,
            "POST /manage/inbox": self._of_people,
            "GET /manage/audiences": self._audiences,
            "POST /manage/audiences": self._audience,
            "GET /manage/broadcasts": self._broadcasts,
            "POST /manage/broadcasts": self._broadcast,
            "GET /manage/quality": self._quality,
            "POST /manage/quality": self._quality,
            "GET /manage/audit": self._audit,
            "GET /manage/seen": self._seen,
        }
        action = self._checked_action(call)
        self._audit_client(call, now)
        if not call.key or not is_done_once(call.route, action):
            return routes[call.route](call, now)
        if not IDEMPOTENCY_KEY.fullmatch(call.key):
            raise InvalidRequestError(["Idempotency-Key: at most 64 letters, digits and hyphens"])

        def act() -> tuple[int, Mapping[str, Any]]:
            answer = routes[call.route](call, now)
            return answer.status, answer.document

        this = RequestKey(
            short_hash(call.actor, call.route, call.key, length=26), short_hash(call.body.hex(), length=26)
        )
        return Answer(*self.once()(this, act, now))

    def _checked_action(self, call: OperatorRequest) -> str:
        """The action that a request asks for.

        Raises RoleMissingError, and for an agent Unknown…Error, before anything is read for the operator.
        """
        given = names_in(call.body)
        action = given.get("do", "")
        if action == "preview" and given.get("customer"):
            action = PREVIEW_OF_CUSTOMER
        check_role(call.roles, call.route, action)
        about = {name: given[name] for name in ("task", "message", "customer", "as") if given.get(name)}
        if about and is_for_own_work(call.roles, call.route, action):
            self.people().own.check(call.actor, about)
        return action

    def _audit_client(self, call: OperatorRequest, now: datetime) -> None:
        """All that a program asks for its operator is in the audit, also a list without personal data.

        The query stays out: a program may write there what it likes, and the audit is permanent.
        """
        if call.route.startswith("GET ") and identity_of(call.actor).get("client"):
            self.audit.write(AuditEntry(now, call.actor, READ, call.route.removeprefix("GET "), ""))

    def _board(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002  a route's signature
        return Answer(200, documents.board(self.board.board()))

    def _change_switch(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do, target, by, why = form.choice("do", SwitchAction), form.target(), call.actor, form.why()
        policy, window = form.choice_if_any("policy", PausePolicy), form.window()
        if do in {SwitchAction.STOP, SwitchAction.START} and (policy or window):
            form.wrong("policy, window: of pause and resume only")
        form.check()
        match do:
            case SwitchAction.STOP:
                after = self.switch.stop(target, by=by, why=why, now=now)
            case SwitchAction.START:
                after = self.switch.start(target, by=by, why=why, now=now)
            case SwitchAction.PAUSE:
                policy, window = policy or PausePolicy.KEEP, window or WINDOW
                after = self.switch.pause(target, by=by, why=why, now=now, policy=policy, window=window)
            case SwitchAction.RESUME:
                after = self.switch.resume(target, by=by, why=why, now=now, policy=policy, window=window)
        return Answer(200, documents.board(after))

    def _explain(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        customer, message = form.text("customer", required=False), form.text("message", required=False)
        if not customer and not message:
            form.wrong("customer, message: name one of them, or both")
        why = form.text("why", required=False, most=MAX_REASON_LENGTH)
        form.check()
        if message:
            of_message = self.explain().of_message(message, customer, by=call.actor, why=why, now=now)
            return Answer(200, documents.message(of_message))
        return Answer(200, documents.customer(self.explain().of_customer(customer, by=call.actor, why=why, now=now)))

    def _export(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        customer, why = form.text("customer"), form.text("why", required=False, most=MAX_REASON_LENGTH)
        form.check()
        return Answer(200, self.export(customer, by=call.actor, why=why, now=now))

    def _erase(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        customer, why = form.text("customer"), form.why()
        form.check()
        done = self.commands.erase(customer, Attribution(call.actor, why, now))
        return Answer(202, {"customer": done.about, "receipt": done.id})

    def _detach(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        customer, name, why = form.text("customer"), form.text("identifier"), form.why()
        form.check()
        done = self.commands.detach(customer, name, Attribution(call.actor, why, now))
        return Answer(202, {"customer": done.about, "event": done.id})

    def _consent(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        customer, why = form.text("customer"), form.why()
        channel, purpose = form.choice("channel", Channel), form.choice("purpose", Purpose)
        status = form.choice("status", StatedConsent)
        evidence = {name: form.text(name, required=False, most=most) for name, most in EVIDENCE.items()}
        form.check()
        proof = {name: text for name, text in evidence.items() if text}
        said = ConsentStatement(channel, purpose, ConsentStatus(status.value), proof)
        done = self.commands.consent(customer, said, Attribution(call.actor, why, now))
        return Answer(202, {"customer": done.about, "event": done.id, **documents.still_suppressed(done.suppressed)})

    def _suppressions(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do, channel = form.one_of("do", "suppress", "release", "show"), form.choice("channel", Channel)
        address = form.address(channel, self.normal_phone)
        why = form.text("why", required=do != "show", most=MAX_REASON_LENGTH)
        form.check()
        if do == "show":
            key, standing = self.commands.show_suppressions(channel, address, Attribution(call.actor, why, now))
            return Answer(200, {"channel": channel, "key": key, "standing": documents.suppressions(standing)})
        act = self.commands.suppress if do == "suppress" else self.commands.release
        done = act(channel, address, Attribution(call.actor, why, now))
        return Answer(202, {"channel": channel, "key": done.about, "event": done.id})

    def _lead(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        customer, why = form.text("customer"), form.text("why", required=False, most=MAX_REASON_LENGTH)
        form.check()
        found, explained = self.lead()(customer, by=call.actor, why=why, now=now)
        return Answer(200, documents.lead(found.id, explained))

    def _in_app_token(self, call: OperatorRequest, now: datetime) -> Answer:
        from cairn.application.customer.make_in_app_token import MOST_MINUTES, USUAL_MINUTES  # noqa: PLC0415

        form = Form(call.body, self.normal_phone)
        customer, why = form.text("customer"), form.text("why", required=False, most=MAX_REASON_LENGTH)
        minutes = form.number("minutes", MOST_MINUTES) if form.has("minutes") else USUAL_MINUTES
        form.check()
        made = self.in_app_token()(customer, minutes, Attribution(call.actor, why, now))
        return Answer(200, documents.in_app_token(made))

    def _stage(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        customer, stage, why = form.text("customer"), form.text("stage"), form.why()
        pipeline = form.text("pipeline", required=False)
        form.check()
        done = self.commands.set_stage(customer, stage, pipeline, Attribution(call.actor, why, now))
        return Answer(202, {"customer": done.about, "event": done.id})

    def _of_customer(self, call: OperatorRequest, now: datetime) -> Answer:
        return self.customers()(call, now)

    def _of_message(self, call: OperatorRequest, now: datetime) -> Answer:
        return self.messages()(call, now)

    def _journeys(self, call: OperatorRequest, now: datetime) -> Answer:
        from cairn.adapters.http.manage import journeys  # noqa: PLC0415  with the pictures
        from cairn.application.operations.count_moves import STORED_DAYS  # noqa: PLC0415

        query = call.query or {}
        limit = count_in(query, "limit", default=PAGE, most=MAX_PAGE)
        name, version, after = (query.get(one, "")[:MAX_ID_LENGTH] for one in ("journey", "version", "after"))
        if name:
            days = count_in(query, "days", default=DAYS, most=STORED_DAYS) if "days" in query else 0
            return Answer(200, journeys.shown(self.journeys().show(name, version, after, now, days)))
        found = self.journeys().page(limit, after, now)
        return Answer(200, journeys.listed(found, is_full=len(found) == limit))

    def _dead_letters(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002
        return Answer(200, {"queues": self.dead_letters().summary()})

    def _dead_letter(self, call: OperatorRequest, now: datetime) -> Answer:
        from cairn.domain.operations.dead_letters import QUEUES  # noqa: PLC0415  few ask for dead letters

        form = Form(call.body, self.normal_phone)
        do, queue = form.one_of("do", "show", "redrive"), form.one_of("queue", *QUEUES)
        limit = form.number("limit", MAX_PAGE) if form.has("limit") else PAGE
        id_, reason = form.text("id", required=False), form.text("reason", required=False, most=MAX_REASON_LENGTH)
        why = form.text("why", required=do == "redrive", most=MAX_REASON_LENGTH)
        if do == "show" and (id_ or reason):
            form.wrong("id, reason: of redrive only")
        form.check()
        attribution = Attribution(call.actor, why, now)
        if do == "show":
            return Answer(200, self.dead_letters().show(queue, limit, attribution))
        return Answer(200, self.dead_letters().redrive(queue, reason, limit, id_, attribution))

    def _migrate(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do, journey = form.one_of("do", "report", "migrate"), form.text("journey")
        from_version, to_version = form.text("from", required=False), form.text("to", required=False)
        after, why = (
            form.text("after", required=False),
            form.text("why", required=do == "migrate", most=MAX_REASON_LENGTH),
        )
        form.check()
        from cairn.application.operations.migrate_journey import Route  # noqa: PLC0415  with the engine

        route, migrate = Route(journey, from_version, to_version), self.migrate()
        if do == "report":
            return Answer(200, documents.migrated(migrate.report(route, after, now)))
        return Answer(202, documents.migrated(migrate.order(route, after, by=call.actor, why=why, now=now)))

    def _splits(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002
        return Answer(200, documents.splits(self.winner().show(_journey_in(call))))

    def _change_split(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do, journey, step, why = (
            form.one_of("do", "choose", "reopen"),
            form.text("journey"),
            form.text("step"),
            form.why(),
        )
        arm = form.text("arm", required=do == "choose")
        if arm and do == "reopen":
            form.wrong("arm: of choose only")
        form.check()
        if do == "choose":
            after = self.winner().choose(journey, step, arm, by=call.actor, why=why, now=now)
        else:
            after = self.winner().reopen(journey, step, by=call.actor, why=why, now=now)
        return Answer(200, documents.splits(after))

    def _standing(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002
        after = (call.query or {}).get("after", "")[:MAX_ID_LENGTH]
        return Answer(200, documents.standing(self.standing().page(_journey_in(call), after)))

    def _measure(self, call: OperatorRequest, now: datetime) -> Answer:
        from cairn.adapters.http.manage.measures import measured  # noqa: PLC0415  with the statistics

        journey = (call.query or {}).get("journey") or EVERY_JOURNEY
        return Answer(200, measured(self.measure()(journey, now)))

    def _report(self, call: OperatorRequest, now: datetime) -> Answer:
        query = call.query or {}
        days = count_in(query, "days", default=DAYS, most=MOST_DAYS)
        return Answer(200, self.report()(query.get("report", ""), query.get("journey", ""), days, now))

    def _reviews(self, call: OperatorRequest, now: datetime) -> Answer:
        limit, after = _page_in(call)
        found = self.review.waiting(limit, after, by=call.actor, now=now)
        following = found[-1].position if len(found) == limit else None
        return Answer(200, {"reviews": documents.reviews(found), "after": following})

    def _review(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        message, customer = form.text("message"), form.text("customer", required=False)
        do, why = form.one_of("do", APPROVE, REJECT), form.why()
        form.check()
        granted = do == APPROVE
        done = self.review.decide(message, customer, granted=granted, by=call.actor, why=why, now=now)
        decision = "approved" if granted else "rejected"
        return Answer(200, {"message": done.message, "customer": done.customer, "decision": decision})

    def _privacy(self, call: OperatorRequest, now: datetime) -> Answer:
        limit, after = _page_in(call)
        found = self.answer().waiting(limit, after, by=call.actor, now=now)
        following = found[-1].position if len(found) == limit else None
        return Answer(200, {"tasks": documents.privacy_tasks(found), "after": following})

    def _answer(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        task, customer = form.text("task"), form.text("customer", required=False)
        do, why = form.choice("do", Choice), form.why()
        form.check()
        return Answer(200, documents.answered(self.answer()(task, customer, do, by=call.actor, why=why, now=now)))

    def _of_people(self, call: OperatorRequest, now: datetime) -> Answer:
        return self.people()(call, now)

    def _audiences(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002  a route's signature
        return Answer(200, documents.audiences(self.audiences().states()))

    def _audience(self, call: OperatorRequest, now: datetime) -> Answer:
        from cairn.application.audience.ask_audiences import Order  # noqa: PLC0415  few requests are about audiences
        from cairn.domain.audience.selection import Asked  # noqa: PLC0415

        form = Form(call.body, self.normal_phone)
        do = form.one_of("do", "count", "members", "sample", "overlap", "try")
        if do == "try":
            when, is_shown = form.text("when", most=MAX_CONDITION), form.flag("sample")
            why = form.text("why", required=False, most=MAX_REASON_LENGTH)
            form.check()
            tried = self.try_condition()(when, Order(call.actor, why, now), is_shown=is_shown)
            return Answer(200, documents.tried(tried))
        name = form.text("audience")
        asked = Asked(*(form.scalar(one) for one in ("partition", "from", "to", "value")))
        other, after = form.text("with", required=do == "overlap"), form.text("after", required=False, most=MAX_CURSOR)
        limit = form.number("limit", MAX_MEMBERS) if form.has("limit") else MEMBERS
        why = form.text("why", required=False, most=MAX_REASON_LENGTH)
        if do == "overlap" and asked != Asked():
            form.wrong("partition, from, to, value: not of an overlap, which compares all members")
        if other and do != "overlap":
            form.wrong("with: of an overlap only")
        form.check()
        ask, order = self.audiences(), Order(call.actor, why, now)
        match do:
            case "count":
                return Answer(200, documents.member_count(ask.count(name, asked, after)))
            case "members":
                return Answer(200, documents.members_of(ask.named(name), ask.members(name, asked, limit, after, order)))
            case "sample":
                return Answer(200, documents.sample_of(ask.named(name), ask.sample(name, asked, limit, order)))
            case _:
                return Answer(200, documents.overlap(ask.overlap(name, other, after)))

    def _broadcasts(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002  a route's signature
        query = call.query or {}
        limit = count_in(query, "limit", default=PAGE, most=MAX_PAGE)
        found = self.broadcasts().latest(limit, query.get("before", "")[:MAX_CURSOR])
        return Answer(200, documents.broadcasts(found, is_full=len(found) == limit))

    def _broadcast(self, call: OperatorRequest, now: datetime) -> Answer:
        from cairn.application.audience.ask_audiences import Order  # noqa: PLC0415  few requests are about broadcasts
        from cairn.application.audience.manage_broadcasts import Plan  # noqa: PLC0415
        from cairn.domain.audience.broadcasts import PER_SECOND  # noqa: PLC0415
        from cairn.domain.audience.selection import Asked  # noqa: PLC0415
        from cairn.domain.event import MOST_PER_SECOND  # noqa: PLC0415

        form = Form(call.body, self.normal_phone)
        do = form.one_of("do", "plan", "show", "approve", "pause", "resume", "stop")
        why = form.text("why", required=do != "show", most=MAX_REASON_LENGTH)
        order = Order(call.actor, why, now)
        if do == "plan":
            plan = Plan(
                journey=form.text("journey"),
                audience=form.text("audience"),
                at=form.when("at"),
                local_time=form.flag("local_time"),
                asked=Asked(*(form.scalar(one) for one in ("partition", "from", "to", "value"))),
                per_second=form.number("per_second", MOST_PER_SECOND) if form.has("per_second") else PER_SECOND,
            )
            form.check()
            return Answer(202, documents.broadcast(self.broadcasts().plan(plan, order)))
        this = form.text("broadcast")
        members = form.number("members", MOST_MEMBERS) if form.has("members") else None
        if members is not None and do != "approve":
            form.wrong("members: of approve only")
        form.check()
        manage = self.broadcasts()
        match do:
            case "approve":
                done = manage.approve(this, members, order)
            case "pause":
                done = manage.pause(this, order)
            case "resume":
                done = manage.resume(this, order)
            case "stop":
                done = manage.stop(this, order)
            case _:
                return Answer(200, documents.broadcast(manage.show(this)))
        return Answer(202, documents.broadcast(done))

    def _quality(self, call: OperatorRequest, now: datetime) -> Answer:
        return self.quality()(call, now)

    def _audit(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002
        query = call.query or {}
        limit = count_in(query, "limit", default=PAGE, most=MAX_PAGE)
        found = self.audit.latest(limit, query.get("before", ""))
        following = found[-1].id if len(found) == limit else None
        return Answer(200, {"entries": documents.audit(found), "before": following})

    def _seen(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002
        query = call.query or {}
        limit = count_in(query, "limit", default=PAGE, most=MAX_PAGE)
        source, after = (query.get(name, "")[:MAX_ID_LENGTH] for name in ("source", "after"))
        found = self.seen.page(source, limit, after)
        return Answer(200, {"types": documents.seen_types(found.types), "after": found.following})


def _page_in(call: OperatorRequest) -> tuple[int, str]:
    """The `limit` and the `after` of a query. Raises InvalidRequestError."""
    query = call.query or {}
    return count_in(query, "limit", default=PAGE, most=MAX_PAGE), query.get("after", "")[:MAX_CURSOR]


def _journey_in(call: OperatorRequest) -> str:
    """The journey that a query names. Raises InvalidRequestError."""
    journey = (call.query or {}).get("journey", "")[:MAX_ID_LENGTH]
    if not journey:
        raise InvalidRequestError(["journey: name one"])
    return journey
