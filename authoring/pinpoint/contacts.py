"""The steps of activities that reach a customer: messages, events for other systems, calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authoring.pinpoint import expressions
from authoring.pinpoint.decisions import Steps
from authoring.pinpoint.model import (
    Activity,
    CustomMessageActivity,
    EmailMessageActivity,
    PushMessageActivity,
    SMSMessageActivity,
)
from authoring.pinpoint.naming import CUSTOM_EVENTS, Unique, slug
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.templates import Written

LONGEST_TEMPLATE = 60
LONGEST_DATA = 1_000
"""Characters of a custom message's data that its event has: an event has room for 4 KB."""
PURPOSES = {"TRANSACTIONAL": "transactional", "PROMOTIONAL": "marketing"}


@dataclass(frozen=True, slots=True)
class Contacts:
    """Writes the messages and calls of one journey."""

    notes: Notes
    templates: Written
    calendars: Mapping[str, str]
    """By channel, of those that have one."""
    unique: Unique
    """For ids of steps."""
    template_names: dict[str, str] = field(default_factory=dict)
    """By their names in Pinpoint."""
    unique_template: Unique = field(default_factory=lambda: Unique(LONGEST_TEMPLATE))

    def steps(self, id_: str, about: str, activity: Activity) -> Steps:
        """A message, or a call."""
        if activity.email:
            return self.email(id_, about, activity.email)
        if activity.sms:
            return self.sms(id_, about, activity.sms)
        if activity.push:
            return self.push(id_, about, activity.push)
        if activity.custom:
            return self.custom(id_, about, activity.custom)
        if activity.contact_center:
            return self.contact_center(id_, about, activity.description)
        self.notes.add(about, "an activity of no kind", "Write what should happen.")
        return []

    def email(self, id_: str, about: str, message: EmailMessageActivity) -> Steps:
        if message.message_config and message.message_config.from_address:
            self.notes.add(about, "the sender's address is the deployment's, not the journey's", "See cdk.json.")
        self.notes.add(
            "EMAIL and PUSH",
            "Pinpoint does not say what they are for, so they are marketing",
            "Write `purpose: transactional` where the customer has asked for the message.",
        )
        return self.send(id_, "email", message, "marketing")

    def push(self, id_: str, about: str, message: PushMessageActivity) -> Steps:
        if message.message_config and message.message_config.time_to_live:
            seconds = message.message_config.time_to_live
            fix = "Write `useful_for` for how long Cairn may defer it."
            self.notes.add(about, f"the push service keeps it as it does by default, not {seconds} seconds", fix)
        return self.send(id_, "push", message, "marketing")

    def sms(self, id_: str, about: str, message: SMSMessageActivity) -> Steps:
        config = message.message_config
        if config and (config.sender_id or config.origination_number):
            sender = config.sender_id or config.origination_number
            self.notes.add(about, f"the sender {sender} is the deployment's, not the journey's", "See cdk.json.")
        if config and config.entity_id:
            self.notes.add(about, f"India's entity is {config.entity_id}", "Write it as `dlt_entity` in policy.toml.")
        if config is None or config.message_type is None:
            self.notes.add(about, "it has no message type, so it is marketing", "Write `purpose: transactional`.")
        purpose = PURPOSES[(config.message_type if config else None) or "PROMOTIONAL"]
        return self.send(id_, "sms", message, purpose, config.template_id if config else "")

    def send(
        self,
        id_: str,
        channel: str,
        message: EmailMessageActivity | SMSMessageActivity | PushMessageActivity,
        purpose: str,
        dlt_template: str = "",
    ) -> Steps:
        named = message.template_name or id_
        if named not in self.template_names:
            self.template_names[named] = self.unique_template(slug(named, "message", LONGEST_TEMPLATE))
        template = self.template_names[named]
        self.templates.write(template, channel, message.template_name, message.template_version, dlt_template)
        send = {"channel": channel, "template": template, "purpose": purpose}
        return [*self.opening(id_, channel), {"id": id_, "send": send}]

    def opening(self, id_: str, channel: str) -> Steps:
        """A wait for the channel's open hours."""
        if channel not in self.calendars:
            return []
        return [{"id": self.unique(f"{id_}-open"), "wait": {"open": self.calendars[channel]}}]

    def custom(self, id_: str, about: str, message: CustomMessageActivity) -> Steps:
        event = f"{CUSTOM_EVENTS}{slug(message.template_name or id_, 'message', 50, '_')}"
        called = message.delivery_uri or "a Lambda function or webhook"
        self.notes.add(
            about,
            f"{called} is not called: the step emits the event {event}",
            "Write a `webhook` step in its place, to an endpoint of policy.toml, or start a journey by the event.",
        )
        data = message.message_config.data if message.message_config else ""
        if len(data) > LONGEST_DATA:
            self.notes.add(about, "its data is too long for an event, and left out", "Write what matters of it.")
        properties = {"template": message.template_name, "data": data if len(data) <= LONGEST_DATA else ""}
        each = {name: expressions.text(value) for name, value in properties.items() if value}
        emit: dict[str, Any] = {"event": event} | ({"properties": each} if each else {})
        return [*self.opening(id_, "custom"), {"id": id_, "emit": emit}]

    def contact_center(self, id_: str, about: str, description: str) -> Steps:
        self.notes.add(
            about, "Amazon Connect does not dial: people find a task", "Say who works on the queue contact-center."
        )
        plain = " ".join(description.replace("{", "").split())
        task = {"queue": "contact-center", "title": plain or "Call the customer", "context": {"phone": "profile.phone"}}
        return [*self.opening(id_, "voice"), {"id": id_, "task": task}]
