"""replies.toml is checked as a whole, and with the journeys that ask for its intents."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from authoring.journeys import compile_catalogue
from authoring.replies import InvalidRepliesError, check_replies, compile_replies, write_replies
from cairn.adapters.documents.replies import replies_beside, replies_from_document
from cairn.domain.replies.rules import Handling
from cli.main import app

ROOT = Path(__file__).parents[4]
CASES = yaml.safe_load((Path(__file__).parent / "broken_replies.yaml").read_text(encoding="utf-8"))

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)

LEAST = """\
queue = "inbox"

[intents.reschedule]
about = "Wants to come at another time."
words.en = ["Another time!", "reschedule"]

"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "replies.toml"
    file.write_text(LEAST)
    return file


def said(file: Path, journeys: Any = None) -> list[str]:
    return [str(problem).replace(f"{file.parent}/replies.toml:", "") for problem in check_replies(file, journeys)]


def asking(condition: str) -> list[dict[str, Any]]:
    step = {"id": "answer", "wait_for": {"event": "message.replied", "where": condition, "timeout": "1d"}}
    return [{"journey": "visit", "document": {"steps": [step]}}]


def test_the_least_file_has_no_problems_and_words_are_compiled_plain(file: Path) -> None:
    document = compile_replies(file)

    assert document is not None
    assert document["intents"]["reschedule"]["words"] == {"en": ["another time", "reschedule"]}
    rules = replies_from_document(document)
    assert (rules.queue, rules.threshold, rules.drafts) == ("inbox", 0.7, False)
    assert rules.intents["reschedule"].handling is Handling.JOURNEY


@pytest.mark.parametrize("folder", [ROOT, ROOT / "events" / "club"])
def test_the_files_that_we_ship_have_no_problems(folder: Path) -> None:
    journeys = folder / "layers" / "journeys" if folder == ROOT else folder / "journeys"

    assert check_replies(folder / "replies.toml", compile_catalogue(journeys)) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["said"][:50])
def test_each_problem_is_named_with_its_line_and_its_mend(case: dict[str, str], file: Path) -> None:
    file.write_text(LEAST + case["added"])

    assert case["said"].strip() in [" ".join(one.split()) for one in said(file)]


def test_all_problems_are_named_at_once(file: Path) -> None:
    file.write_text('queue = "In box"\nthreshold = 2\ndeu = "4h"\n')

    assert [one.partition(":")[0] for one in said(file)] == ["1", "2", "3"]


def test_a_deployment_without_the_file_reads_no_intents(tmp_path: Path) -> None:
    (tmp_path / "replies.json").write_text("{}")
    write_replies(tmp_path / "replies.toml", tmp_path / "replies.json", [])

    assert replies_beside(tmp_path / "policy.json") is None
    assert check_replies(tmp_path / "replies.toml", asking("event.properties.answer")) == []


def test_what_is_written_is_what_is_read(file: Path) -> None:
    write_replies(file, file.with_name("replies.json"))

    assert replies_beside(file.with_name("policy.json")) == replies_from_document(compile_replies(file) or {})


@pytest.mark.parametrize(
    "condition",
    [
        "event.properties.intent == 'reshedule'",
        "'reshedule' != event.properties.intent",
        "contains(['reschedule', 'reshedule'], event.properties.intent)",
        "event.properties.channel == 'sms' && (event.properties.intent == 'reshedule' || data.late)",
    ],
)
def test_a_condition_that_asks_for_an_unknown_intent_is_refused_with_the_near_one(file: Path, condition: str) -> None:
    message = 'intents: visit/answer asks for the intent "reshedule", and there is none. Did you mean reschedule?'

    assert said(file, asking(condition)) == [f"3: {message}"]
    file.unlink()
    (first, *_) = said(file, asking(condition))
    assert 'visit/answer asks for the intent "re' in first
    assert "Write replies.toml; docs/people.md." in first


@pytest.mark.parametrize(
    "condition",
    [
        "event.properties.intent == 'reschedule'",
        "event.properties.intent == 'answer' || event.properties.intent == 'unknown'",
        "event.properties.keyword == 'reshedule'",
        "contains(['answer', 'reschedule'], event.properties.intent)",
    ],
)
def test_known_intents_and_other_properties_are_nobodys_problem(file: Path, condition: str) -> None:
    assert said(file, asking(condition)) == []


def test_an_unknown_queue_is_refused_where_people_toml_has_others(file: Path) -> None:
    (file.with_name("people.toml")).write_text('[queues.inbux]\ntitle = "Front desk"\n')

    assert said(file) == ['1: queue: people.toml has no queue "inbox". Did you mean inbux?']


def test_what_is_not_toml_is_said_once(file: Path) -> None:
    file.write_text("queue = inbox")

    with pytest.raises(InvalidRepliesError, match="not TOML"):
        compile_replies(file)


@given(DOCUMENTS)
def test_no_document_of_a_journey_breaks_the_check(document: Any) -> None:
    assert check_replies(ROOT / "replies.toml", [{"journey": "any", "document": document}]) == []


def test_cairn_check_names_the_problems_of_replies_too(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text((ROOT / "policy.toml").read_text(encoding="utf-8"))
    (tmp_path / "replies.toml").write_text("queue = 1\n")

    done = CliRunner().invoke(
        app, ["check", str(ROOT / "layers" / "journeys"), "--policy", str(tmp_path / "policy.toml")]
    )

    assert done.exit_code == 1
    assert 'replies.toml:1: queue: 1 is not a text, in quotes. Write queue = "inbox".' in " ".join(done.output.split())
