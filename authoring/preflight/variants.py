"""The variants of a journey's templates: one file for each channel and language, with the steps that send it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authoring.journeys.templates import FOLDER, MAIN_KIND, read_parts
from cairn.adapters.templates.variants import key_of
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.send import Send
from cairn.domain.shared.channels import Channel, Purpose


@dataclass(frozen=True, slots=True)
class Variant:
    template: str
    channel: Channel
    locale: str
    """Empty for the default language."""
    parts: Mapping[str, Any]
    """As compiled into the journey's version."""
    steps: tuple[Send, ...]
    file: str
    """Below the journey's folder."""
    css_fault: str
    """Why the CSS of an e-mail stays as it is written, if it does."""

    @property
    def marketing(self) -> bool:
        return any(step.purpose is Purpose.MARKETING for step in self.steps)


def variants_of(folder: Path, journey: Journey, templates: Mapping[str, Mapping[str, Any]]) -> tuple[Variant, ...]:
    """In the order of the steps that send them; the languages of one template stand together."""
    sends = [step for step in reversed(tuple(journey.steps.values())) if isinstance(step, Send)]
    parts, _ = read_parts(folder)
    found: list[Variant] = []
    for template, channel in dict.fromkeys((step.template, channel) for step in sends for channel in step.channels):
        steps = tuple(step for step in sends if step.template == template and channel in step.channels)
        own = [one for one in parts if (one.template, one.channel, one.kind) == (template, channel, MAIN_KIND[channel])]
        for part in sorted(own, key=lambda one: one.locale):
            compiled = templates[key_of(template, channel, part.locale)]
            file = f"{FOLDER}/{part.file.name}"
            found.append(Variant(template, channel, part.locale, compiled, steps, file, part.css_fault))
    return tuple(found)
