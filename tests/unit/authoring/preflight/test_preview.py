"""The preview shows every message of a journey, as each sample would get it."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from authoring.journeys import InvalidJourneysError
from authoring.preflight.preview import SCHEMES, WIDTHS, preview
from cairn.domain.policy import Policy
from cli.main import app

BUSINESS = Policy(brand="Northside", postal_address="1 River Road, Hoboken")

MIA: dict[str, Any] = {
    "name": "Mia",
    "profile": {"first_name": "Mia", "email": "mia@example.com", "phone": "+12015550123"},
    "data": {"visit_at": "2026-03-06T18:30:00"},
}
ANA: dict[str, Any] = MIA | {"name": "Ana", "profile": MIA["profile"] | {"first_name": "<Ana>", "locale": "es-MX"}}
NOBODY: dict[str, Any] = {"name": "no date", "profile": MIA["profile"], "data": {}}

EMAIL = """\
---
subject: See you {{ data.visit_at | local('%A') }}
preview: Bring your "towel"
---
<h1>Hello {{ profile.first_name }}</h1><img src="https://example.com/x.png" alt="A pool">
"""
FILES = {
    "visit.email.html": EMAIL,
    "visit.es.email.html": EMAIL.replace("See you", "Nos vemos el").replace("Hello", "Hola"),
    "visit.sms.txt": "Northside: see you {{ data.visit_at | local('%A') }}",
    "visit.push.txt": "---\ntitle: A visit\n---\nHello {{ profile.first_name }}",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "journeys"
    folder = root / "visit"
    (folder / "templates").mkdir(parents=True)
    steps = [
        {"id": f"by-{channel}", "send": {"channel": channel, "template": "visit", "purpose": "transactional"}}
        for channel in ("email", "sms", "push")
    ]
    whole = {"journey": "visit", "entry": {"event": "trial.signup"}, "steps": steps}
    (folder / "journey.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    for name, text in FILES.items():
        (folder / "templates" / name).write_text(text, encoding="utf-8")
    (folder / "samples.yaml").write_text(yaml.safe_dump([MIA, ANA, NOBODY]), encoding="utf-8")
    return root


class Frames(HTMLParser):
    """The frames of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.found.append({name: value or "" for name, value in attrs})


def test_every_email_is_shown_at_each_width_and_in_each_scheme(root: Path) -> None:
    frames = Frames(preview(root, "visit", BUSINESS)).found

    each = [(width, f"color-scheme: {scheme}") for scheme in SCHEMES for width in map(str, WIDTHS.values())]
    assert [(one["width"], one["style"]) for one in frames] == each * 2
    assert ["Hello Mia" in one["srcdoc"] for one in frames[:4]] == [True] * 4
    assert ["Hola &lt;Ana&gt;" in one["srcdoc"] for one in frames[4:]] == [True] * 4


def test_subject_and_preview_stand_above_in_the_sample_s_language(root: Path) -> None:
    page = preview(root, "visit", BUSINESS)
    inbox = re.findall(r'class="inbox"><b>(.*?)</b> <span>(.*?)</span>', page)

    assert [tuple(map(unescape, one)) for one in inbox] == [
        ("See you Friday", 'Bring your "towel"'),
        ("Nos vemos el viernes", 'Bring your "towel"'),
    ]


def test_other_messages_are_bubbles(root: Path) -> None:
    page = preview(root, "visit", BUSINESS)
    bubbles = re.findall(r'<p class="bubble">(.*?)</p>', page, re.DOTALL)

    assert [unescape(one) for one in bubbles] == [
        "Northside: see you Friday",
        "Northside: see you Friday",
        "<b>A visit</b>Hello Mia",
        "<b>A visit</b>Hello <Ana>",
        "<b>A visit</b>Hello Mia",
    ]
    assert "&lt;Ana&gt;" in page
    assert "1 segment, GSM-7" in page


def test_a_sample_that_would_get_nothing_is_shown_with_the_reason(root: Path) -> None:
    assert preview(root, "visit", BUSINESS).count("Not sent: data.visit_at is not there") == 2


def test_nothing_of_a_page_is_loaded_from_elsewhere(root: Path) -> None:
    page = preview(root, "visit", BUSINESS)
    outside = re.sub(r'srcdoc="[^"]*"', "", page)

    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["'](?!#)""", outside)


def test_other_samples_may_be_shown(root: Path, tmp_path: Path) -> None:
    (tmp_path / "others.yaml").write_text(yaml.safe_dump([NOBODY]), encoding="utf-8")

    assert Frames(preview(root, "visit", BUSINESS, samples=tmp_path / "others.yaml")).found == []


def test_a_journey_that_is_not_there_is_a_problem(root: Path) -> None:
    with pytest.raises(InvalidJourneysError, match="there is no such journey"):
        preview(root, "vist", BUSINESS)


def test_the_command_writes_a_page_for_each_journey(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "pages"

    done = CliRunner().invoke(app, ["preview", "--journeys", str(root), "-o", str(out)])

    assert (done.exit_code, done.output.replace("\n", "")) == (0, str(out / "visit.html"))
    assert "See you Friday" in (out / "visit.html").read_text(encoding="utf-8")


def test_the_invite_of_an_email_stands_above_it(root: Path) -> None:
    file = root / "visit" / "journey.yaml"
    whole = yaml.safe_load(file.read_text(encoding="utf-8"))
    whole["steps"][0]["send"]["invite"] = {"starts": "data.visit_at", "lasts": "6h"}
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    mail = root / "visit/templates/visit.email.html"
    mail.write_text(EMAIL.replace("preview:", "invite_location: The <pool>\npreview:"), encoding="utf-8")

    page = preview(root, "visit", BUSINESS)

    when = "Friday 6 March 2026, 18:30 to 00:30 on Saturday 7 March in UTC"
    assert f"Calendar invite: See you Friday, {when}, The &lt;pool&gt;" in page
    assert page.count("Calendar invite: ") == 2, "the third sample has no date"
