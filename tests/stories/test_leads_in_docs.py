"""The examples of docs/people.md about leads: the files pass the check, and what is shown is what is printed."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from authoring.journeys.automation import WEIGHTS, mode_of, score_of
from authoring.leads import check_leads, compile_leads
from authoring.leads.models import BY_TABLE
from authoring.shape import keys_of
from cairn.adapters.documents.leads import rules_from_document
from cairn.domain.profile.lead import LEAD_NAMES
from cli.main import app

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "people.md"
PAGE = FILE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml leads\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
OUTPUTS = {
    "replay": re.compile(
        r"(<!-- replay: (?P<of>events/scenarios/lead\S+) -->\n```\n)(?P<output>.*?)(```\n)", re.DOTALL
    ),
    "score": re.compile(r"(<!-- printed by: cairn (?P<of>score) -->\n```\n)(?P<output>.*?)(```\n)", re.DOTALL),
}


@pytest.mark.parametrize("example", [*EXAMPLES, "\n".join(EXAMPLES)], ids=range(len(EXAMPLES) + 1))
def test_every_example_passes_the_check_and_all_of_them_are_one_file(example: str, tmp_path: Path) -> None:
    file = tmp_path / "leads.toml"
    file.write_text(example, encoding="utf-8")

    assert check_leads(file) == []
    document = compile_leads(file)
    assert document is not None
    rules_from_document(document)


def test_the_page_has_every_table_key_and_field() -> None:
    leads = PAGE[PAGE.index("## Leads, stages, scores") :]
    keys = {key for model in BY_TABLE.values() for key in keys_of(model)}

    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", leads)] == []
    assert [name for name in sorted(LEAD_NAMES) if f"profile.{name}" not in leads] == []


@pytest.mark.parametrize("command", OUTPUTS)
def test_the_page_shows_what_is_printed(command: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    shown = OUTPUTS[command].search(text)
    assert shown is not None

    arguments = [command, str(ROOT / (shown["of"] if command == "replay" else "layers/journeys"))]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
    output = "\n".join(line.rstrip() for line in result.stdout.strip("\n").splitlines()) + "\n"

    if os.environ.get("UPDATE_DOCS"):
        FILE.write_text(text[: shown.start("output")] + output + text[shown.end("output") :], encoding="utf-8")
    else:
        assert shown["output"] == output


def test_the_score_of_the_example_is_the_one_that_the_page_says() -> None:
    (example,) = re.findall(r"^```yaml automate\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    grades: dict[str, Any] = yaml.safe_load(example)["automate"]

    score = score_of(grades)

    assert f"{score} points." in PAGE
    assert mode_of(score).value == "hybrid"
    assert all(f"| `{name}` | {weight} |" in PAGE for name, weight in WEIGHTS.items())
