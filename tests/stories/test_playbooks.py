"""The law of playbooks: what each of them promises (playbooks/README.md), on every one that there is."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import authoring.journeys
import authoring.preflight.check
from authoring.defaults import CHECKOUT, default_file
from authoring.journeys import catalogue, write_catalogue
from authoring.journeys.events import SHIPPED
from authoring.journeys.source import read_yaml
from authoring.playbooks import STORIES, Playbook, playbooks
from authoring.playbooks.figures import CAIRN, TRACK, Figures
from authoring.playbooks.page import SECTIONS, gallery, graphs, page, sections_of
from authoring.playbooks.taking import take_playbook
from authoring.policy import compile_policy
from authoring.preflight.check import preflight
from authoring.simulation.customers import customer, trial_of
from authoring.simulation.paths import all_paths
from authoring.simulation.run import Simulation
from authoring.stories import load
from cairn.adapters.documents.policy import policy_from_document
from cairn.domain.effects import SendMessage
from cairn.domain.journey.definition import ENTRY
from cairn.domain.journey.steps.emit import Emit
from cairn.domain.shared.channels import Channel
from cli.main import app
from infra.local.scenario import deployed, run_scenario
from infra.local.signing import local_secrets
from prove.ending import ending_of

DOCS = CHECKOUT / "docs" / "playbooks"
ALL = playbooks()
MARKETING_IN_A_WEEK, SMS_PARTS, LANGUAGES = 3, 2, 2
STOPS = re.compile(r"\bSTOP\b|unsubscribe", re.IGNORECASE)

each_playbook = pytest.mark.parametrize("playbook", ALL, ids=lambda one: one.name)
each_story = pytest.mark.parametrize(
    ("playbook", "story"),
    [pytest.param(one, story, id=f"{one.name}-{story.name.partition('.')[0]}") for one in ALL for story in one.stories],
)


read_once, compile_once = cache(catalogue.read_catalogue), cache(catalogue.compile_catalogue)
"""No test changes a playbook or a copy, so each is compiled once for all its stories, checks and preflights."""


@pytest.fixture(autouse=True)
def _silent_and_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "CRITICAL")
    for module in (catalogue, authoring.journeys, authoring.preflight.check):
        for function, once in (("read_catalogue", read_once), ("compile_catalogue", compile_once)):
            monkeypatch.setattr(module, function, once, raising=False)
    # tests/unit/authoring/sources checks the vendors' samples, which are the same for every playbook.
    monkeypatch.setattr("authoring.sources.check.folder_problems", lambda *_: [])


def run_story(story: Path, journeys: Path, policy: Path) -> str:
    """What differs from its expectations, and from what `make prove` expects of each story's end."""
    scenario, secrets = load(story), local_secrets(os.environ)
    with deployed(story, scenario, secrets, journeys=journeys, policy=policy) as made:
        difference = run_scenario(story, scenario, made, secrets).difference
        ending = ending_of(made)
    return "\n".join(filter(None, [difference, *ending.dead_letters, *ending.stuck, *ending.lost, *ending.wrong]))


of = cache(Figures)
"""A playbook is compiled once for all its tests."""


def messages_of(simulation: Simulation) -> int:
    return sum(isinstance(entry.what, SendMessage) for entry in simulation.entries)


@each_playbook
def test_its_folder_has_every_file_of_the_shape(playbook: Playbook) -> None:
    names = {path.name.partition(".")[0] for path in playbook.stories}
    _, sections = sections_of(playbook)

    assert playbook.policy.is_file()
    assert (playbook.journeys / "samples.yaml").is_file()
    assert playbook.journey_names[0] == playbook.name
    assert all(re.fullmatch(rf"{playbook.name}(-.+)?", name) for name in playbook.journey_names)
    assert set(STORIES) <= names
    assert set(SECTIONS) <= set(sections)
    assert "file:" not in "".join(path.read_text(encoding="utf-8") for path in playbook.stories)


@each_playbook
def test_its_readme_names_every_step_and_every_journey(playbook: Playbook) -> None:
    figures, happens = of(playbook), sections_of(playbook)[1]["What happens"]

    steps = {step for name in figures.compiled for step in figures.journey(name).steps} - {ENTRY}
    missing = {step for step in steps if f"`{step}`" not in happens}
    ends = {step for step in missing if f"(`{step}`)" in happens}
    assert missing - ends == set()
    assert all(f"**{name}**" in happens for name in playbook.journey_names) or len(playbook.journey_names) == 1


@each_playbook
def test_check_finds_no_problem_and_no_warning(playbook: Playbook) -> None:
    result = CliRunner().invoke(app, ["check", str(playbook.journeys), "--strict"], catch_exceptions=False)

    assert result.exit_code == 0, result.output
    assert "declared nowhere" not in result.output


@each_playbook
def test_preflight_passes_and_the_stamp_is_of_this_version(playbook: Playbook, tmp_path: Path) -> None:
    figures = of(playbook)

    reports = [
        preflight(playbook.journeys, name, figures.policy, email_sender="a@example.com") for name in figures.compiled
    ]
    write_catalogue(playbook.journeys, tmp_path / "catalogue.json", stamped=True)

    assert [finding for report in reports for finding in report.findings if finding.level == "error"] == []
    assert {row.rendered for report in reports for row in report.rows} != {0}


@each_playbook
def test_every_event_is_sent_by_a_shipped_source_or_by_the_track_api(playbook: Playbook) -> None:
    figures = of(playbook)
    shipped = read_yaml(SHIPPED.read_text(encoding="utf-8"), SHIPPED).data
    vendors = {source for event in shipped.values() for source in event["sources"]} | {TRACK, CAIRN}

    needs = figures.needs()

    assert [need.event for need in needs if not need.sources] == []
    assert [need.event for need in needs if not set(need.sources) <= vendors] == []
    steps = [step for name in figures.compiled for step in figures.journey(name).steps.values()]
    said = {step.event for step in steps if isinstance(step, Emit)}
    assert set(figures.own_events) - {need.event for need in needs} - said == set(), "declared, and named nowhere"
    assert [name for name, event in figures.own_events.items() if not event.get("about")] == []
    examples = [one for event in figures.own_events.values() for one in event.get("properties", {}).values()]
    assert all("example" in one for one in examples)


@each_playbook
def test_its_effect_is_measured_with_a_holdout_and_guardrails(
    playbook: Playbook,
) -> None:
    documents = [one["document"] for one in of(playbook).compiled.values()]

    assert any(
        one.get("goal") and one.get("holdout") and (one.get("analysis") or {}).get("guardrails") for one in documents
    )


@each_playbook
def test_every_journey_has_a_score(playbook: Playbook) -> None:
    assert [one.journey for one in of(playbook).scores if one.score is None] == []


@each_playbook
def test_a_customer_gets_three_marketing_messages_a_week_at_most_or_the_readme_says_why(playbook: Playbook) -> None:
    assert of(playbook).marketing_in_a_week <= MARKETING_IN_A_WEEK or "Why it writes more" in sections_of(playbook)[1]


@each_playbook
def test_every_text_says_who_writes_and_marketing_how_to_stop_in_two_languages(playbook: Playbook) -> None:
    figures = of(playbook)

    for name in figures.compiled:
        brand = figures.journey(name).brand or figures.policy.brand
        texts = list(figures.texts(name))
        for one in texts:
            where = f"{name}/{one.variant.file}"
            if one.variant.channel is Channel.PUSH:
                continue  # a phone shows which app it is, and switches it off
            said = one.rendered.text + one.rendered.html
            assert brand in said, where
            assert not one.variant.marketing or STOPS.search(said), where
        by_template: dict[tuple[str, Channel], set[str]] = {}
        for one in texts:
            by_template.setdefault((one.variant.template, one.variant.channel), set()).add(one.variant.locale)
        assert [key for key, locales in by_template.items() if len(locales) < LANGUAGES] == []


@each_playbook
def test_every_sms_has_two_parts_at_most_whatsapp_a_registered_form_and_every_e_mail_is_mjml(
    playbook: Playbook,
) -> None:
    for file in sorted(playbook.journeys.glob("*/templates/*")):
        text = file.read_text(encoding="utf-8")
        if file.name.endswith(".sms.txt"):
            most = re.search(r"^max_parts: (\d+)$", text, re.MULTILINE)
            assert most, file
            assert int(most[1]) <= SMS_PARTS, file
        assert not file.name.endswith(".whatsapp.txt") or "whatsapp_template:" in text, file
        assert not file.name.endswith(".email.html"), f"{file}: write it in MJML"


@each_playbook
def test_every_way_ends_and_simulate_agrees_with_the_checker(playbook: Playbook) -> None:
    figures = of(playbook)
    reports = {one.journey: one for one in figures.proof.reports}

    for name, compiled in figures.compiled.items():
        sample, report = customer(playbook.journeys / name, ""), reports[name]
        found = all_paths(trial_of(compiled, sample), sample.at, most=10_000)

        paths = len({tuple(dict.fromkeys(one.steps)) for one in found.shown})
        messages = max(map(messages_of, found.shown))
        assert found.all_counted
        assert all(one.enrollment.outcome for one in found.shown)
        # A date of the customer's data may be past, or not: simulate has one customer's, and the checker each.
        assert paths == report.paths or (report.dates and paths < report.paths)
        assert messages == report.messages.enrollment or (report.dates and messages < report.messages.enrollment)


@each_story
def test_its_story_comes_out(playbook: Playbook, story: Path) -> None:
    assert run_story(story, playbook.journeys, playbook.policy) == ""


@each_playbook
def test_a_copy_under_another_name_passes_the_check(playbook: Playbook, tmp_path: Path) -> None:
    assert taken(playbook, tmp_path).left == []

    checked = CliRunner().invoke(app, ["check", str(tmp_path / "journeys"), "--strict"], catch_exceptions=False)
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize(
    "playbook",
    [
        pytest.param(one, id=one.name, marks=pytest.mark.exploring if number % 4 else ())
        for number, one in enumerate(ALL)
    ],
)
def test_a_copy_under_another_name_passes_preflight_and_plays(playbook: Playbook, tmp_path: Path) -> None:
    taken(playbook, tmp_path)

    policy = policy_from_document(compile_policy(tmp_path / "policy.toml", default_file("law.toml")))
    assert preflight(tmp_path / "journeys", "my-own", policy, email_sender="a@example.com").passed
    story = min((tmp_path / "stories" / "my-own").glob("*.story.yaml"))
    assert run_story(story, tmp_path / "journeys", tmp_path / "policy.toml") == ""


def taken(playbook: Playbook, folder: Path) -> Any:
    return take_playbook(playbook, "my-own", folder / "journeys", folder, schema=default_file("journey.schema.json"))


@each_playbook
def test_its_page_is_the_one_that_its_files_make(playbook: Playbook) -> None:
    figures = of(playbook)

    made = {f"{playbook.name}.md": page(playbook, figures), **graphs(figures)}

    there = {name: (DOCS / name).read_text(encoding="utf-8") for name in made if (DOCS / name).is_file()}
    assert there == made, "run `python -m authoring.playbooks`"


def test_the_gallery_lists_every_playbook() -> None:
    made = gallery([(one, of(one)) for one in ALL])

    assert (DOCS / "README.md").read_text(encoding="utf-8") == made, "run `python -m authoring.playbooks`"
    assert {path.stem for path in DOCS.glob("*.md")} == {one.name for one in ALL} | {"README"}
    pictured = {path.stem for path in DOCS.glob("pictures/*.png")}
    assert pictured == {one.name for one in ALL}, "tests/browser/test_playbooks.py makes them"
