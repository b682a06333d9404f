"""The examples of the README and the docs run here.

`UPDATE_DOCS=1 make test` updates the output in the README.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from authoring.journeys import check
from cli.main import app

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SHOWN = re.compile(r"(<!-- replay: (?P<file>\S+) -->\n```\n)(?P<output>.*?)(```\n)", re.DOTALL)


def test_the_readme_shows_what_replay_prints() -> None:
    text = README.read_text(encoding="utf-8")
    shown = SHOWN.search(text)
    assert shown is not None

    result = CliRunner().invoke(app, ["replay", str(ROOT / shown["file"])])
    output = "\n".join(line.rstrip() for line in result.stdout.strip("\n").splitlines()) + "\n"

    if os.environ.get("UPDATE_DOCS"):
        before, after = text[: shown.start("output")], text[shown.end("output") :]
        README.write_text(before + output + after, encoding="utf-8")
    else:
        assert shown["output"] == output


def readme_journey(journeys: Path, **changed: str) -> Path:
    """The journey that the README shows as a file, with templates; `changed` are other values of its keys."""
    (example,) = re.findall(
        r"^```yaml journey\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    for key, value in changed.items():
        example = re.sub(rf"^{key}: \S+", f"{key}: {value}", example, flags=re.MULTILINE)
    folder = journeys / "cart-rescue"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(example, encoding="utf-8")
    for step in yaml.safe_load(example)["steps"]:
        for channel in _channels(step.get("send", {})):
            front = "---\nsubject: Hello\n---\n" if channel == "email" else "---\ntitle: Hello\n---\n"
            name = f"{step['send']['template']}.{channel}.{'html' if channel == 'email' else 'txt'}"
            content = "Hello" if channel == "sms" else f"{front}Hello"
            (folder / "templates" / name).write_text(content, encoding="utf-8")
    return journeys


def test_the_journey_in_the_readme_can_be_deployed(tmp_path: Path) -> None:
    assert check(readme_journey(tmp_path)) == []


SCENARIOS = re.findall(
    r"^```yaml scenario\n(.*?)^```$",
    (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8"),
    re.DOTALL | re.MULTILINE,
)


@pytest.mark.parametrize("example", SCENARIOS, ids=lambda example: example.splitlines()[0])
def test_a_scenario_in_the_docs_passes(tmp_path: Path, example: str) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(example, encoding="utf-8")

    result = CliRunner().invoke(app, ["replay", str(scenario)])

    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text(encoding="utf-8")))
def test_every_link_in_the_readme_exists(link: str) -> None:
    assert (ROOT / link).exists()


def _channels(send: dict[str, Any]) -> list[str]:
    channel = send.get("channel", [])
    return [channel] if isinstance(channel, str) else list(channel)
