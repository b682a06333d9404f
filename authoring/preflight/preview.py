"""A page that shows every message of a journey, as each of its samples would get it."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from authoring.preflight.check import compiled_journey
from authoring.preflight.rendering import Gap, Rendering, render
from authoring.preflight.samples import Sample, read_samples, samples_of
from authoring.preflight.texts import encoding_of
from authoring.preflight.variants import Variant, variants_of
from cairn.adapters.documents.journey import journey_from_document
from cairn.adapters.templates.variants import key_of, keys_for
from cairn.domain.journey.definition import Journey
from cairn.domain.message.sms import parts_of
from cairn.domain.policy import Policy
from cairn.domain.profile.attributes import LOCALE, TIME_ZONE
from cairn.domain.shared.channels import CHANNELS, Channel
from cairn.domain.shared.instants import duration_text, zone_named
from cairn.domain.shared.invites import Invite

HERE = Path(__file__).parent

WIDTHS = {"Phone": 375, "Desktop": 700}
SCHEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Shown:
    """One message, as one sample gets it."""

    sample: str
    file: str
    text: str = ""
    subject: str = ""
    preview: str = ""
    html: str = ""
    note: str = ""
    invite: str = ""
    """The entry in the calendar, in a line."""
    not_sent: str = ""
    """Why the sample gets nothing, if so."""


@dataclass(frozen=True, slots=True)
class Messages:
    """What the steps with one template send by one channel."""

    template: str
    channel: Channel
    noun: str
    purposes: tuple[str, ...]
    steps: tuple[str, ...]
    shown: tuple[Shown, ...]


def preview(journeys: Path, name: str, policy: Policy, *, samples: Path | None = None) -> str:
    """The page, in HTML: one file that loads nothing. Raises InvalidJourneysError."""
    compiled = compiled_journey(journeys, name)
    tried = read_samples(samples or samples_of(journeys / name))
    journey = journey_from_document(compiled["document"], compiled["version"])
    variants = variants_of(journeys / name, journey, compiled["templates"])
    script = (HERE / "preview.js").read_text(encoding="utf-8")
    page = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return page.get_template("preview.html").render(
        journey=journey,
        brand=journey.brand or policy.brand,
        description=compiled["document"].get("description", ""),
        sent=list(_messages(variants, tried, journey, policy)),
        widths=WIDTHS,
        schemes=SCHEMES,
        style=Markup((HERE / "preview.css").read_text(encoding="utf-8")),  # noqa: S704  our own files
        script=Markup(script),  # noqa: S704
        script_hash=b64encode(sha256(script.encode()).digest()).decode(),
    )


def _messages(
    variants: Sequence[Variant], samples: Sequence[Sample], journey: Journey, policy: Policy
) -> Iterator[Messages]:
    by_key = {key_of(one.template, one.channel, one.locale): one for one in variants}
    for template, channel in dict.fromkeys((one.template, one.channel) for one in variants):
        steps = by_key[key_of(template, channel)].steps
        shown = []
        for sample in samples:
            locale = sample.profile.get(LOCALE)
            keys = keys_for(template, channel, locale if isinstance(locale, str) else "")
            variant = next(by_key[key] for key in keys if key in by_key)
            zone = zone_named(sample.profile.get(TIME_ZONE), journey.time_zone)
            shown.append(_shown(render(variant, sample, journey, policy), zone))
        yield Messages(
            template,
            channel,
            CHANNELS[channel].noun,
            tuple(dict.fromkeys(step.purpose.value for step in steps)),
            tuple(step.id for step in steps),
            tuple(shown),
        )


def _shown(one: Rendering | Gap, zone: ZoneInfo) -> Shown:
    if isinstance(one, Gap):
        return Shown(one.sample.name, one.variant.file, not_sent=one.why)
    rendered = one.rendered
    note = ""
    if one.variant.channel is Channel.SMS:
        parts = parts_of(rendered.text)
        note = f"{parts} segment{'s' * (parts != 1)}, {encoding_of(rendered.text)}"
    if rendered.expires_after is not None:
        button = f"[{rendered.button}] leads to {rendered.link}; " if rendered.button else ""
        note = f"{button}shown for {duration_text(rendered.expires_after)}"
    return Shown(
        one.sample.name,
        one.variant.file,
        rendered.text,
        rendered.subject,
        rendered.preview,
        rendered.html,
        note,
        _invite(rendered.invite, zone) if rendered.invite else "",
    )


def _invite(invite: Invite, zone: ZoneInfo) -> str:
    """`Your visit, Saturday 7 March 2026, 11:00 to 13:00 in America/New_York, 12 Example Street`."""
    if invite.cancels:
        return f"takes “{invite.title}” out of the calendar"
    assert invite.starts is not None  # noqa: S101  only a cancellation has none
    assert invite.ends is not None  # noqa: S101
    starts, ends = invite.starts.astimezone(zone), invite.ends.astimezone(zone)
    until = f"{ends:%H:%M}" if ends.date() == starts.date() else f"{ends:%H:%M} on {ends:%A} {ends.day} {ends:%B}"
    when = f"{starts:%A} {starts.day} {starts:%B %Y}, {starts:%H:%M} to {until} in {zone.key}"
    return ", ".join(filter(None, (invite.title, when, invite.location)))
