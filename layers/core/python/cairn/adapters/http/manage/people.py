"""The routes about people: tasks, members and their deals, and the conversations that wait for an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from cairn.adapters.http.manage import documents
from cairn.adapters.http.manage.forms import Form, count_in
from cairn.adapters.http.manage.router import MAX_CURSOR, MAX_PAGE, PAGE, Answer, OperatorRequest
from cairn.application.people.manage_members import ManageMembers, Order
from cairn.application.people.own_work import OwnWork
from cairn.application.people.work_on_tasks import By, TaskResult, WorkOnTasks
from cairn.domain.event import MAX_ID_LENGTH
from cairn.domain.operations.roles import is_for_own_work
from cairn.domain.operations.switches import MAX_REASON_LENGTH
from cairn.domain.people.life import LONGEST_NOTE
from cairn.domain.people.routing import MAX_OPEN
from cairn.domain.people.script import Given
from cairn.domain.replies.thread import WrittenAnswer
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.instants import instant_to_wire

if TYPE_CHECKING:
    from cairn.application.people.serve_inbox import ServeInbox

MAX_TEXT = 1_600
"""Characters of an answer: the longest text (ten parts of an SMS)."""


class TaskAction(StrEnum):
    SHOW = "show"
    CLAIM = "claim"
    ASSIGN = "assign"
    NOTE = "note"
    DONE = "done"
    WITHDRAW = "withdraw"


class MemberAction(StrEnum):
    ABSENT = "absent"
    BACK = "back"
    CAPACITY = "capacity"
    LEAVES = "leaves"


@dataclass(frozen=True, slots=True)
class PeopleRoutes:
    tasks: WorkOnTasks
    members: ManageMembers
    own: OwnWork
    """What an agent may see and do."""
    inbox: "Callable[[], ServeInbox]"
    """Made when it is asked for: the gate is not imported with the rest."""
    normal_phone: Callable[[str], str | None]

    def __call__(self, call: OperatorRequest, now: datetime) -> Answer:
        routes: dict[str, Callable[[OperatorRequest, datetime], Answer]] = {
            "GET /manage/tasks": self._tasks,
            "POST /manage/tasks": self._work_on_task,
            "GET /manage/members": self._members,
            "POST /manage/members": self._change_member,
            "POST /manage/deals": self._deal,
            "GET /manage/inbox": self._inbox,
            "POST /manage/inbox": self._conversation,
        }
        return routes[call.route](call, now)

    def _tasks(self, call: OperatorRequest, now: datetime) -> Answer:
        query = call.query or {}
        limit = count_in(query, "limit", default=PAGE, most=MAX_PAGE)
        queue, owner, after = (query.get(name, "")[:MAX_ID_LENGTH] for name in ("queue", "owner", "after"))
        own = self._queues(call)
        if own is not None and owner == self.own.member(call.actor):
            own = None  # one that was passed on to the agent may lie in any queue
        page = self.tasks.page(queue, owner, limit, after, own)
        return Answer(200, {"tasks": [documents.task(one, now) for one in page.tasks], "after": page.after or None})

    def _queues(self, call: OperatorRequest) -> frozenset[str] | None:
        """Those to which the operator is limited; None: all."""
        return self.own.queues(call.actor) if is_for_own_work(call.roles, call.route) else None

    def _work_on_task(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do, task, customer = form.choice("do", TaskAction), form.text("task"), form.text("customer", required=False)
        by = By(call.actor, now, form.text("as", required=False))
        match do:
            case TaskAction.SHOW:
                form.check()
                return Answer(200, documents.shown_task(self.tasks.show(task, customer, by), now))
            case TaskAction.CLAIM:
                form.check()
                changed = self.tasks.claim(task, customer, by)
            case TaskAction.ASSIGN:
                to, why = form.text("to"), form.why()
                form.check()
                changed = self.tasks.assign(task, customer, to, why, by)
            case TaskAction.NOTE:
                note = form.text("note", most=LONGEST_NOTE)
                form.check()
                changed = self.tasks.note(task, customer, note, by)
            case TaskAction.WITHDRAW:
                why = form.why()
                form.check()
                changed = self.tasks.withdraw(task, customer, why, by)
            case TaskAction.DONE:
                outcome, at = form.text("outcome"), form.text("at", required=False)
                note, answers = form.text("note", required=False, most=LONGEST_NOTE), form.object("answers")
                script = form.entries("script")
                form.check()
                said = TaskResult(outcome, note, at, answers, [Given(*entry) for entry in script])
                changed = self.tasks.done(task, customer, said, by)
        return Answer(200, documents.task(changed, now))

    def _members(self, call: OperatorRequest, now: datetime) -> Answer:  # noqa: ARG002  a route's signature
        return Answer(200, {"members": documents.members(self.members.states(), now)})

    def _change_member(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do, member, why = form.choice("do", MemberAction), form.text("member"), form.why()
        order, answer = Order(call.actor, why, now), {"member": member}
        match do:
            case MemberAction.ABSENT:
                since, until = form.when("from", required=False), form.when("until")
                form.check()
                start, end = self.members.instant(since, member) or now, self.members.instant(until, member) or now
                self.members.absent(member, start, end, order)
                answer |= {"from": instant_to_wire(start), "until": instant_to_wire(end)}
            case MemberAction.BACK:
                form.check()
                self.members.back(member, order)
            case MemberAction.CAPACITY:
                most = form.number("capacity", MAX_OPEN)
                form.check()
                self.members.capacity(member, most, order)
            case MemberAction.LEAVES:
                form.check()
                return Answer(200, {**answer, **documents.leaving(self.members.leaves(member, order))})
        return Answer(200, answer)

    def _deal(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do, key, value = form.one_of("do", "register", "release", "show"), form.text("key"), form.text("value")
        why = form.text("why", required=do != "show", most=MAX_REASON_LENGTH)
        order = Order(call.actor, why, now)
        if do == "register":
            partner = form.text("partner")
            until = form.when("until")
            form.check()
            end = self.members.instant(until, partner) or now
            return Answer(200, {"deal": documents.deal(self.members.register(key, value, partner, end, order))})
        form.check()
        if do == "release":
            self.members.release(key, value, order)
        return Answer(200, {"deal": documents.deal(self.members.deal(key, value, now))})

    def _inbox(self, call: OperatorRequest, now: datetime) -> Answer:
        query = call.query or {}
        limit = count_in(query, "limit", default=PAGE, most=MAX_PAGE)
        page = self.inbox().waiting(
            limit, query.get("after", "")[:MAX_CURSOR], by=call.actor, now=now, among=self._queues(call)
        )
        waiting = [documents.open_conversation(one) for one in page.tasks]
        return Answer(200, {"conversations": waiting, "after": page.after or None})

    def _conversation(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do, customer = form.one_of("do", "show", "answer", "close"), form.text("customer")
        why = form.text("why", required=False, most=MAX_REASON_LENGTH)
        answers = do == "answer"
        text = form.text("text", required=answers, most=MAX_TEXT)
        channel, subject = form.choice_if_any("channel", Channel), form.text("subject", required=False)
        read, key = form.text("read", required=False), form.text("key", required=False)
        if not answers and (text or channel or subject or read or key):
            form.wrong("text, channel, subject, read, key: of an answer only")
        form.check()
        inbox = self.inbox()
        if do == "show":
            shown = inbox.show(customer, MAX_PAGE, by=call.actor, why=why, now=now)
            return Answer(200, documents.conversation(shown))
        if do == "close":
            return Answer(200, {"still_open": inbox.close(customer, by=call.actor, why=why, now=now)})
        written = WrittenAnswer(text, channel, subject, read, key)
        done = inbox.answer(customer, written, by=call.actor, why=why, now=now)
        about = {"customer": done.customer, "message": done.message, "channel": done.channel}
        return Answer(202, {**about, "still_open": done.still_open})
