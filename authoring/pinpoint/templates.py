"""Message templates: those that were given, and a gap for each that was not."""

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from authoring.journeys.templates import MAIN_KIND, scheme_problems, text_problems
from authoring.journeys.values import DLT_ID
from authoring.pinpoint.handlebars import Handlebars
from authoring.pinpoint.model import (
    EmailTemplateResponse,
    PushNotificationTemplateResponse,
    SMSTemplateResponse,
)
from authoring.pinpoint.naming import slug
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.yaml_text import scalar

Template = EmailTemplateResponse | SMSTemplateResponse | PushNotificationTemplateResponse
Given = Mapping[tuple[str, str], Template]
"""The templates that were given, by channel and name."""

ADDRESSES = {"email": "email", "sms": "phone", "push": "push_endpoint"}
GAP = "{{{{ profile.text_of_{name} }}}}"
"""No customer has it, so the message is not sent before its text is written."""


@dataclass
class Written:
    """The template files of one journey."""

    given: Given
    notes: Notes
    files: dict[str, str] = field(default_factory=dict)
    """By their names."""
    attributes: dict[str, None] = field(default_factory=dict)
    """Names of the profile's attributes that the texts fill in."""

    def write(self, name: str, channel: str, pinpoint_name: str, version: str, dlt_template: str) -> None:
        """The files of a template for a channel; with the id of its registration in India, if it has one."""
        about = f"template {pinpoint_name or name}"
        template = self.given.get((channel, pinpoint_name))
        if template is None:
            get = f"aws pinpoint get-{channel}-template --template-name {pinpoint_name or '…'}"
            self.notes.add(
                about,
                f"its {channel} is not given, and no message is sent",
                f"Name a folder with `{get}`, or write it.",
            )
        elif version and template.version and version != template.version:
            message = f"the journey sends version {version}, and version {template.version} is given"
            self.notes.add(about, message, "Give that version, or compare the two.")
        front = {}
        if DLT_ID.fullmatch(dlt_template):
            front["dlt_template"] = dlt_template
        elif dlt_template:
            self.notes.add(
                about, f"{dlt_template} is no template id of India's DLT", "Write `dlt_template` in its file."
            )
        gap = GAP.format(name=slug(name, "template", 60, "_"))
        text = _Text(template, channel, about, gap, self.notes, self.attributes)
        match template:
            case EmailTemplateResponse():
                self._email(name, template, text)
            case SMSTemplateResponse():
                self.files[f"{name}.sms.{MAIN_KIND['sms']}"] = _file(front, text.of(template.body))
            case PushNotificationTemplateResponse():
                self._push(name, template, text)
            case None:
                front |= {"email": {"subject": gap}, "push": {"title": gap}}.get(channel, {})
                self.files[f"{name}.{channel}.{MAIN_KIND[channel]}"] = _file(front, gap)

    def _email(self, name: str, template: EmailTemplateResponse, text: "_Text") -> None:
        if template.headers:
            names = ", ".join(header.name for header in template.headers)
            self.notes.add(text.about, f"its headers are not sent: {names}", "Cairn writes List-Unsubscribe itself.")
        plain = text.of(template.text_part) if template.text_part.strip() else ""
        written_html = text.of(template.html_part, scheme_problems) if template.html_part.strip() else ""
        if plain and written_html:
            self.files[f"{name}.email.txt"] = _file({}, plain)
        body = written_html or f"<p>{html.escape(plain or text.of(''), quote=False)}</p>"
        self.files[f"{name}.email.html"] = _file({"subject": text.line(template.subject)}, body)

    def _push(self, name: str, template: PushNotificationTemplateResponse, text: "_Text") -> None:
        platforms = {
            "Default": template.default,
            "APNS": template.apns,
            "GCM": template.gcm,
            "ADM": template.adm,
            "Baidu": template.baidu,
        }
        each = {key: one for key, one in platforms.items() if one is not None}
        chosen = next((key for key, one in each.items() if one.title or one.body), None)
        if chosen is None:
            self.notes.add(text.about, "it has no title and no body", "Write the message.")
        if len(each) > 1:
            self.notes.add(text.about, f"Cairn has one text for all devices: that of {chosen}", "Compare the others.")
        for key, one in each.items():
            more = sorted(one.model_fields_set - {"title", "body"})
            if more:
                message = f"{key} has more than title and body, which Cairn does not send: {', '.join(more)}"
                self.notes.add(text.about, message, "Write what matters into the text.")
        title, body = (each[chosen].title, each[chosen].body) if chosen else ("", "")
        self.files[f"{name}.push.txt"] = _file({"title": text.line(title)}, text.of(body))


class _Text:
    """Converts the texts of one template; one that cannot be is a gap."""

    def __init__(  # noqa: PLR0913, PLR0917  what it is of, and where its findings go
        self, template: Template | None, channel: str, about: str, gap: str, notes: Notes, attributes: dict[str, None]
    ) -> None:
        self.about, self.gap, self.notes = about, gap, notes
        defaults = _defaults(template.default_substitutions) if template else {}
        if defaults is None:
            notes.add(about, "its default values are not JSON", "Write `default('…')` in the text.")
        self.handlebars = Handlebars(ADDRESSES[channel], defaults or {}, attributes)
        if template and template.recommender_id:
            notes.add(about, "Cairn has no recommendations", "Fill them into an attribute, and write that.")

    @property
    def rest(self) -> list[str]:
        return self.handlebars.rest

    def line(self, text: str) -> str:
        """A subject or title."""
        return self.of(" ".join(text.split()))

    def of(self, text: str, further: Callable[[str], list[tuple[int, str, str]]] = lambda _: []) -> str:
        known = len(self.rest)
        converted = self.handlebars.converted(text).strip()
        for tag in self.rest[known:]:
            self.notes.add(self.about, f"{tag} is not simple, and no message is sent with it", "Write it in Jinja.")
        if not converted:
            self.notes.add(self.about, "a text is empty, and no message is sent", "Write it.")
            return self.gap
        problems = [*text_problems(converted), *further(converted)]
        for _, message, mend in problems:
            self.notes.add(self.about, f"its text is not taken over: {message}", mend)
        return self.gap if problems else converted


def _defaults(text: str) -> dict[str, str] | None:
    try:
        read = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return None
    return {str(key): str(value) for key, value in read.items()} if isinstance(read, dict) else None


def _file(front: Mapping[str, str], body: str) -> str:
    lines = [f"{key}: {scalar(value)}" for key, value in front.items()]
    begins = ["---", *lines, "---"] if lines or body.startswith("---") else []
    return "\n".join([*begins, body]) + "\n"
