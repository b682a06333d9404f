"""The route of messages: previews of templates, and a message once more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cairn.adapters.http.manage.forms import Form
from cairn.adapters.http.manage.router import Answer, OperatorRequest
from cairn.application.message.resend_message import ResendMessage
from cairn.application.operations.operator_commands import Attribution
from cairn.domain.message.sms import parts_of
from cairn.domain.operations.switches import MAX_REASON_LENGTH
from cairn.domain.shared.channels import Channel

if TYPE_CHECKING:
    from cairn.application.message.preview_messages import Preview, PreviewMessages, Previews

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MessageRoutes:
    preview: "Callable[[], PreviewMessages]"
    """Made when it is asked for: the templates' engine is not imported with the rest."""
    resend: ResendMessage
    normal_phone: Callable[[str], str | None]

    def __call__(self, call: OperatorRequest, now: datetime) -> Answer:
        form = Form(call.body, self.normal_phone)
        do = form.one_of("do", "preview", "resend")
        customer = form.text("customer", required=False)
        why = form.text("why", required=do == "resend", most=MAX_REASON_LENGTH)
        if do == "resend":
            message = form.text("message")
            form.check()
            done = self.resend(message, customer, Attribution(call.actor, why, now))
            about = {"customer": done.receipt.about, "event": done.receipt.id}
            return Answer(202, {**about, "message": done.message})
        journey, template = form.text("journey"), form.text("template")
        version = form.text("version", required=False)
        form.check()
        if customer:
            shown = self.preview().of_customer(journey, version, template, customer, by=call.actor, why=why, now=now)
        else:
            shown = self.preview().of_samples(journey, version, template, now)
        return Answer(200, previews(shown, template))


def previews(shown: "Previews", template: str) -> Json:
    return {
        "journey": shown.journey.name,
        "version": shown.journey.version,
        "template": template,
        "steps": [step.id for step in shown.steps],
        "purpose": shown.steps[0].purpose.value,
        "messages": [_preview(one) for one in shown.found],
    }


def _preview(one: "Preview") -> Json:
    rendered = one.rendered
    about: Json = {"channel": one.channel.value, "locale": one.locale, "reader": one.reader}
    if rendered is None:
        return {**about, "not_sent": one.not_sent}
    named = ("subject", "preview", "text", "html", "link", "button")
    texts: Json = {name: getattr(rendered, name) for name in named}
    parts = {"parts": parts_of(rendered.text)} if one.channel is Channel.SMS else {}
    return {**about, **{name: text for name, text in texts.items() if text}, **parts}
