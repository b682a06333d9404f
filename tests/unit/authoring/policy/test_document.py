"""A policy is checked as a whole: every problem at once, each with its path and a fix."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from authoring.journeys import compile_catalogue
from authoring.policy import InvalidPolicyError, check_policy, compile_policy, write_policy
from cairn.domain.shared.channels import CHANNELS, Channel
from cli.main import app

ROOT = Path(__file__).parents[4]
CASES = Path(__file__).parent / "broken_policies.yaml"

HOURS = tomllib.loads((ROOT / "law.toml").read_text(encoding="utf-8"))["hours"]

LEAST = """\
brand = "Ours"
contact = "us@example.com"
postal_address = "Here"
[answers.en]
stop = "{brand}: stopped"
help = "{brand}: {contact}"
start = "{brand}: started"
"""

LAW = """\
[regions]
US = ["NY", "FL"]
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    policy, law = tmp_path / "policy.toml", tmp_path / "law.toml"
    policy.write_text(LEAST)
    law.write_text(LAW)
    return policy, law


def said(files: tuple[Path, Path], journeys: Any = None) -> list[str]:
    return [str(problem).replace(f"{files[0].parent}/", "") for problem in check_policy(*files, journeys)]


def test_the_least_policy_has_no_problems(files: tuple[Path, Path]) -> None:
    assert said(files) == []
    assert compile_policy(*files)["answers"]["en"]["help"] == "Ours: us@example.com"


def test_the_policy_that_we_ship_has_no_problems() -> None:
    journeys = compile_catalogue(ROOT / "layers" / "journeys")

    assert check_policy(ROOT / "policy.toml", ROOT / "law.toml", journeys) == []


@pytest.mark.parametrize("case", yaml.safe_load(CASES.read_text(encoding="utf-8")), ids=lambda case: case["said"][:40])
def test_each_problem_has_its_path_and_a_fix(files: tuple[Path, Path], case: dict[str, str]) -> None:
    files[0].write_text(LEAST + case["added"])

    *first, last = (f"'{channel}'" for channel in Channel)
    problem = case["said"].replace("{channels}", f"{', '.join(first)} or {last}")
    assert said(files) == [f"policy.toml:{problem}"]


@pytest.mark.parametrize(
    ("line", "instead", "problem"),
    [
        ('brand = "Ours"', "", '1: brand: it is missing. Add brand = "Northside Fitness".'),
        ('brand = "Ours"', 'brand = " "', "1: brand: this text is empty. Write something, or leave the key out."),
        ('brand = "Ours"', "brand = 7", '1: brand: 7 is not a text, in quotes. Write brand = "Northside Fitness".'),
        ('brand = "Ours"', 'brand = "Ours"\nrevoke_all = "yes"', None),
        ('postal_address = "Here"', 'postal_address = "Here"\nmax_hold = "60d"', None),
        ('postal_address = "Here"', 'postal_address = "Here"\ndlt_entity = "mine"', None),
        ('stop = "{brand}: stopped"', 'stop = "{name}: stopped"', None),
        ('stop = "{brand}: stopped"', 'stop = "stopped"', None),
        ("[answers.en]", "[answers.fr]", "4: answers: English is always understood, and so it is always answered. "),
        ('brand = "Ours"', 'brand = "Ours', None),
    ],
)
def test_a_policys_own_values_are_checked_too(
    files: tuple[Path, Path], line: str, instead: str, problem: str | None
) -> None:
    files[0].write_text(LEAST.replace(line, instead))

    found = said(files)

    assert len(found) == 1
    assert found[0].startswith(f"policy.toml:{problem or ''}")


def test_all_problems_of_both_files_are_reported_at_once(files: tuple[Path, Path]) -> None:
    files[0].write_text(
        LEAST + '[[caps]]\nlimit = 0\nwindow = "day"\n[[caps]]\nlimit = 1\nwindow = "year"\n'
        '[[hours]]\njurisdiction = "US-CA"\nfrom = "08:00"\nto = "20:00"\nzones = ["America/Los_Angeles"]\n'
    )
    files[1].write_text(LAW + '[[hours]]\njurisdiction = "US"\nfrom = "08:00"\nto = "21:00"\n')

    assert [one.split(": ")[:2] for one in said(files)] == [
        ["law.toml:3", "hours[0]"],
        ["policy.toml:9", "caps[0].limit"],
        ["policy.toml:13", "caps[1].window"],
        ["policy.toml:15", "hours[0].jurisdiction"],
    ]


def test_a_rule_of_law_needs_a_source(files: tuple[Path, Path]) -> None:
    files[1].write_text(LAW + '[[registration]]\nchannel = "sms"\ncountry = "IN"\n')

    assert said(files) == ["law.toml:3: registration[0]: a rule of law says where it stands written. Add source."]


def test_law_has_no_choices_of_a_business(files: tuple[Path, Path]) -> None:
    files[1].write_text("revoke_all = true\n" + LAW)

    assert said(files)[0].startswith("law.toml:1: revoke_all: there is no such key.")


def test_both_files_must_be_there_and_be_toml(files: tuple[Path, Path]) -> None:
    files[0].unlink()
    files[1].write_bytes(b"\xff")

    assert said(files) == [
        "law.toml:1: this file is not UTF-8. Save it as UTF-8.",
        "policy.toml:1: this file is missing. Write it; docs/policy.md says how.",
    ]


def test_names_of_journeys_must_exist(files: tuple[Path, Path]) -> None:
    journeys = compile_catalogue(ROOT / "tests" / "journeys")
    review = '[[reviews]]\nqueue = "care"\nwithin = "1d"\notherwise = "drop"\n'
    files[0].write_text(
        f'{LEAST}{review}steps = ["welcome/hullo"]\n{review}templates = ["welcome/tips", "welcome/tops"]\n'
        '[[caps]]\nlimit = 1\nwindow = "day"\njourney = "welcom"\n'
    )

    assert said(files) == []
    assert [one.split(": ")[1:] for one in said(files, journeys)] == [
        ["reviews[0].steps[0]", "no journey sends a step welcome/hullo. Correct the name, or remove it."],
        ["reviews[1].templates[1]", "no journey sends a template welcome/tops. Correct the name, or remove it."],
        ["caps[0].journey", "there is no journey welcom. Correct the name."],
    ]


def test_a_policy_with_problems_is_not_written(files: tuple[Path, Path], tmp_path: Path) -> None:
    files[0].write_text("")

    with pytest.raises(InvalidPolicyError, match="brand: it is missing"):
        write_policy(*files, tmp_path / "policy.json")

    assert not (tmp_path / "policy.json").exists()


def test_rules_of_the_business_apply_beside_those_of_law(files: tuple[Path, Path]) -> None:
    rule = '[[hours]]\njurisdiction = "US"\nfrom = "08:00"\nto = "21:00"\n'
    files[1].write_text(LAW + rule + 'source = "law"\n')
    files[0].write_text(LEAST + rule)

    assert [row["source"] for row in compile_policy(*files)["hours"]] == ["law", "policy.toml"]


def test_rules_about_different_messages_do_not_conflict(files: tuple[Path, Path]) -> None:
    rule = '[[hours]]\njurisdiction = "US"\nfrom = "08:00"\nto = "21:00"\n'
    files[0].write_text(f'{LEAST}{rule}\n{rule}purposes = ["transactional"]\n')

    assert said(files) == []


def test_a_copy_elsewhere_is_the_same_policy(tmp_path: Path) -> None:
    copies = [Path(shutil.copy(ROOT / name, tmp_path)) for name in ("policy.toml", "law.toml")]

    assert compile_policy(*copies) == compile_policy(ROOT / "policy.toml", ROOT / "law.toml")


def test_the_command_checks_the_policy_with_the_journeys(files: tuple[Path, Path]) -> None:
    files[0].write_text(LEAST + '[[caps]]\nlimit = 1\nwindow = "day"\njourney = "nowhere"\n')
    folder = str(ROOT / "tests" / "journeys")

    broken = CliRunner().invoke(app, ["check", folder, "--policy", str(files[0])])
    sound = CliRunner().invoke(app, ["check", folder])

    assert broken.exit_code == 1
    assert broken.stdout == f"{files[0]}:11: caps[0].journey: there is no journey nowhere. Correct the name.\n"
    assert (sound.exit_code, sound.stdout) == (0, "1 journey and the policy, no problems\n")


@pytest.mark.parametrize("row", HOURS, ids=lambda row: row["jurisdiction"])
def test_legal_hours_apply_to_every_channel_that_the_table_does_not_exempt(row: dict[str, Any]) -> None:
    named = set(row.get("channels", Channel))

    left_out = [
        channel.value for channel in Channel if channel not in named and not CHANNELS[channel].exempt_from_hours
    ]

    assert left_out == [], "name it in law.toml, or say in domain/shared/channels.py why the hours do not hold there"
    assert not [channel for channel in named if CHANNELS[Channel(channel)].exempt_from_hours]
