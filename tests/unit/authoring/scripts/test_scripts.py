"""Call scripts: every problem with its line and its mend; and the schema that editors use."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from authoring.journeys import check
from authoring.scripts import check_scripts, compile_scripts, write_scripts
from authoring.scripts.schema import schema_text
from cairn.adapters.documents.scripts import Scripts, script_from_document
from cairn.adapters.templates.script_texts import ScriptTexts
from cairn.domain.people.script import ScriptKind

ROOT = Path(__file__).parents[4]

SCRIPT = """\
script: call
title: A call
kind: sales
lines:
  - id: greeting
    say:
      en: Good morning, {{ profile.first_name | default('there') }}. This is {{ member.name }} from {{ brand }}.
      es: Buenos días.
  - id: recorded
    say: This call is recorded.
    must_be_read: true
  - id: again
    ask: Do you have a minute?
    answer: yes_no
    go: {no: goodbye}
  - id: more
    ask: Which plan?
    answer: {small: The small one, large: {en: The large one, es: El grande}}
  - id: thanks
    say: Thank you.
    end: reached
  - id: goodbye
    say: Goodbye, {{ profile.first_name }}.
    end: refused
concerns:
  price: {title: Too expensive, say: "I see, {{ profile.first_name | default('') }}."}
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "_scripts" / "call.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def cases() -> list[dict[str, str]]:
    found: list[dict[str, str]] = yaml.safe_load(
        Path(__file__).with_name("broken_scripts.yaml").read_text(encoding="utf-8")
    )
    return found


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["instead"])
def test_a_broken_script_has_its_problem(case: dict[str, str], tmp_path: Path) -> None:
    assert case["written"] in SCRIPT
    text = SCRIPT.replace(case["written"], case["instead"])
    file = written(tmp_path, text.replace("kind: sales", f"kind: {case['kind']}") if "kind" in case else text)
    said = [str(one).removeprefix(f"{file}:") for one in check_scripts(tmp_path)]
    assert any(case["said"] in one for one in said), said


def test_a_script_that_is_right_has_no_problems(tmp_path: Path) -> None:
    written(tmp_path, SCRIPT)
    assert check_scripts(tmp_path) == []


AROUND = """\
script: call
title: A call
kind: compliance
lines:
  - id: minute
    ask: Do you have a minute?
    answer: yes_no
    go: {no: LEADS}
  - id: law
    say: The law wants this said.
    must_be_read: true
  - id: sold
    say: Sold.
    end: reached
  - id: bye
    say: Goodbye.
    end: refused
"""


def test_no_way_of_a_compliance_script_goes_around_what_must_be_read(tmp_path: Path) -> None:
    written(tmp_path, AROUND.replace("LEADS", "bye"))
    assert check_scripts(tmp_path) == []
    file = written(tmp_path, AROUND.replace("LEADS", "sold"))
    problem = check_scripts(tmp_path)[0]
    assert (problem.line, problem.message) == (9, "sold is reached without reading this line")
    written(tmp_path, AROUND.replace("    must_be_read: true\n", "").replace("LEADS", "bye"))
    assert "nothing in this script must be read" in str(check_scripts(tmp_path)[0])
    assert file.name == "call.yaml"


def filled(tmp_path: Path, profile: dict[str, Any], line: str) -> str:
    written(tmp_path, SCRIPT)
    script = script_from_document(compile_scripts(tmp_path)[0])
    return ScriptTexts(script, profile, member={"name": "Ana"}, brand="Northside")(script.lines[line].text)


def test_texts_in_the_language_of_the_customer(tmp_path: Path) -> None:
    assert filled(tmp_path, {"locale": "es-MX"}, "greeting") == "Buenos días."
    assert filled(tmp_path, {}, "greeting") == "Good morning, there. This is Ana from Northside."
    assert filled(tmp_path, {"locale": "es"}, "recorded") == "This call is recorded."


@pytest.mark.parametrize("name", [None, {"a": 1}, [1], True])
def test_a_gap_is_shown_and_is_no_error(tmp_path: Path, name: Any) -> None:
    shown = filled(tmp_path, {"first_name": name} if name is not None else {}, "goodbye")
    assert shown in {"Goodbye, [first_name].", "Goodbye, {{ profile.first_name }}."}


def test_a_customers_name_is_text_and_no_template(tmp_path: Path) -> None:
    assert filled(tmp_path, {"first_name": "{{ brand }}"}, "goodbye") == "Goodbye, {{ brand }}."


def test_a_task_names_a_script_that_is_there(tmp_path: Path) -> None:
    written(tmp_path, SCRIPT)
    journey = tmp_path / "shop"
    journey.mkdir()
    steps = "steps:\n  - id: call\n    task: {queue: sales, title: Call, script: SCRIPT}\n"
    for script, said in (("call", ""), ("Ask how it goes.", ""), ("cal", "Did you mean call?")):
        text = f"journey: shop\nentry: {{event: order.paid}}\n{steps.replace('SCRIPT', script)}"
        (journey / "journey.yaml").write_text(text, encoding="utf-8")
        problems = "".join(map(str, check(tmp_path)))
        assert said in problems
        assert bool(said) == bool(problems)


def test_what_is_deployed_has_the_lines_in_their_order(tmp_path: Path) -> None:
    written(tmp_path, SCRIPT)
    write_scripts(tmp_path, tmp_path / "scripts.json")
    script = Scripts(tmp_path / "scripts.json").get("call")
    assert script is not None
    assert list(script.lines) == ["greeting", "recorded", "again", "more", "thanks", "goodbye"]
    assert Scripts(tmp_path / "nowhere.json").get("call") is None


def test_the_schema_is_checked_in() -> None:
    checked_in = (ROOT / "docs" / "script.schema.json").read_text(encoding="utf-8")
    assert checked_in == schema_text(), "run `python -m authoring.scripts` and commit what it writes"


def test_the_script_of_the_page_is_right(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "people.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml script\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "_scripts" / "renewal.yaml"
    file.parent.mkdir()
    file.write_text(example, encoding="utf-8")
    assert check_scripts(tmp_path) == []
    for kind in ScriptKind:
        assert f"| `{kind}` |" in page
