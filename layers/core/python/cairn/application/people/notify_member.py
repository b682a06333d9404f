"""Send a member a notification of a task: at a decent hour, together where wished, and only while it is so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from http import HTTPStatus

from cairn.application.ports import MemberChannels, NotifiedMembers, TaskStore, WebhookEndpoints
from cairn.domain.people.members import Member, NotifyBy, People
from cairn.domain.people.notification import MemberNotification
from cairn.domain.people.notification_texts import (
    ABOUT_THE_OWNER,
    Listed,
    NotificationText,
    text_of,
    text_of_many,
    when_to_send,
)
from cairn.domain.people.task import Task
from cairn.domain.people.webhook_form import document_of
from cairn.domain.policy import WebhookEndpoint
from cairn.domain.shared.errors import WebhookEndpointError, WebhookUnreachableError
from cairn.domain.shared.instants import zone_named

SOON = timedelta(seconds=1)
"""A notification that is due within it goes out now: timers fire a little early."""

ACCEPTED = range(200, 300)
PERHAPS_LATER = (HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600))


class NotifyOutcome(StrEnum):
    SENT = "sent"
    LATER = "later"
    STALE = "stale"
    """The task is closed, or another one has it."""
    TOGETHER = "together"
    """Another notification of the same period has sent all of them."""
    NOBODY = "nobody"
    """people.toml has no such member, or no way to reach them."""


@dataclass(frozen=True, slots=True)
class NotifyMember:
    people: People
    tasks: TaskStore
    notified: NotifiedMembers
    channels: MemberChannels
    webhooks: WebhookEndpoints
    endpoints: Mapping[str, WebhookEndpoint]
    link: Callable[[Task, str, datetime], str]
    """The URL of a task's page for a member."""
    later: Callable[[MemberNotification, datetime, datetime], None]
    """Queue it again at an instant. Arguments: notification, instant, now."""

    def __call__(self, one: MemberNotification, now: datetime) -> NotifyOutcome:
        """Raises what the provider raises: then it is tried again, and may come twice."""
        member, task = self.people.members.get(one.member), self.tasks.load(one.customer, one.task)
        if member is None or member.notify_by is None:
            return NotifyOutcome.NOBODY
        if task is None or not task.is_open or (one.kind in ABOUT_THE_OWNER and task.owner != member.id):
            return NotifyOutcome.STALE
        zone = zone_named(self.people.clock_of(member, task.queue), "UTC")
        at = when_to_send(member, one, task.priority, zone)
        if at > now + SOON:
            self.later(one, at, now)
            return NotifyOutcome.LATER
        if at > one.at and member.notify_every:
            if not self.notified.first(member.id, at, one.id, now):
                return NotifyOutcome.TOGETHER
            listed = [self._listed(each, member, now) for each in self.tasks.of_member(member.id)]
            self._send(member, one, text_of_many(listed, zone), now)
            return NotifyOutcome.SENT
        text = text_of(one.kind, self._listed(task, member, now), self.people.queue(task.queue).title, zone)
        self._send(member, one, text, now)
        return NotifyOutcome.SENT

    def _listed(self, task: Task, member: Member, now: datetime) -> Listed:
        return Listed(task, self.link(task, member.id, now))

    def _send(self, member: Member, one: MemberNotification, text: NotificationText, now: datetime) -> None:
        match member.notify_by:
            case NotifyBy.EMAIL:
                self.channels.email(member.email, text.subject, text.text)
            case NotifyBy.SMS:
                self.channels.sms(member.phone, text.text)
            case NotifyBy.WEBHOOK:
                self._post(member, one, text, now)
            case None:
                raise AssertionError("a member whom nothing reaches was notified")

    def _post(self, member: Member, one: MemberNotification, text: NotificationText, now: datetime) -> None:
        endpoint = self.endpoints.get(member.webhook)
        if endpoint is None:
            raise WebhookEndpointError(f"policy.toml has no webhook endpoint {member.webhook}, which {member.id} names")
        reply = self.webhooks.post(endpoint, one.id, document_of(member.webhook_form, one, text), now)
        if reply.status in ACCEPTED:
            return
        answered = f"{endpoint.name} answered {reply.status} to a notification of {member.id}"
        raise WebhookUnreachableError(answered) if reply.status in PERHAPS_LATER else WebhookEndpointError(answered)
