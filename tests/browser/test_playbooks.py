"""Each e-mail of the playbooks fits a phone and a desktop, and reads in light and dark.

CAIRN_SCREENSHOTS names a folder for a picture of each playbook: docs/playbooks/pictures, for the gallery.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pytest

from authoring.playbooks import Playbook, playbooks
from authoring.playbooks.figures import Figures
from authoring.preflight.rendering import Gap, render
from authoring.preflight.samples import read_samples, samples_of
from authoring.preflight.variants import variants_of
from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.shared.channels import Channel

PHONE, DESKTOP = 360, 700
HIGH = 640
RULES = {"runOnly": ["color-contrast", "image-alt", "link-name"]}
BUBBLE = """<!doctype html><meta name="viewport" content="width=device-width"><style>
body { margin: 0; padding: 96px 20px; font: 17px/1.4 system-ui, sans-serif; background: #fff; color: #1c1c1e; }
p { background: #e9e9eb; border-radius: 18px; padding: 10px 15px; margin: 0 40px 0 0; overflow-wrap: anywhere; }
</style><p>%s</p>"""


@dataclass(frozen=True)
class Mail:
    journey: str
    file: str
    html: str


def messages_of(playbook: Playbook) -> Iterator[tuple[Channel, Mail]]:
    """Each text and e-mail as the first made-up customer gets it, those of the playbook's own journey first."""
    figures = Figures(playbook)
    for name, compiled in figures.compiled.items():
        journey = journey_from_document(compiled["document"], compiled["version"])
        sample = read_samples(samples_of(playbook.journeys / name))[0]
        for variant in variants_of(playbook.journeys / name, journey, compiled["templates"]):
            made = render(variant, sample, journey, figures.policy)
            if not isinstance(made, Gap):
                rendered = made.rendered
                html = rendered.html or BUBBLE % escape(rendered.text)
                yield variant.channel, Mail(name, variant.file, html)


@pytest.mark.parametrize("playbook", playbooks(), ids=lambda one: one.name)
def test_its_e_mails_fit_and_read_well(chromium: Any, axe: Any, playbook: Playbook) -> None:
    several = list(messages_of(playbook))
    mails = [mail for channel, mail in several if channel is Channel.EMAIL]
    page = chromium.new_page(viewport={"width": PHONE, "height": HIGH})
    try:
        for number, mail in enumerate(mails):
            page.set_content(mail.html)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                if number == 0:
                    found = axe.run(page, options=RULES)
                    assert found.violations_count == 0, f"{mail}: {found.generate_report()}"
            for width in (DESKTOP, PHONE):
                page.set_viewport_size({"width": width, "height": HIGH})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (mail.journey, mail.file, width)
        if folder := os.environ.get("CAIRN_SCREENSHOTS"):
            page.emulate_media(color_scheme="light")
            page.set_content((mails or [mail for _, mail in several])[0].html)
            page.screenshot(path=Path(folder) / f"{playbook.name}.png")
    finally:
        page.close()
