"""What docs/people.md says of replies is so."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from authoring.replies import check_replies
from authoring.replies.models import Intent, Model, Replies
from authoring.shape import keys_of
from cairn.domain.replies import reading
from cairn.domain.replies.answers import Speaker
from cairn.domain.replies.question import question_from_document
from cairn.domain.replies.words import known_languages

PAGE = (Path(__file__).parents[3] / "docs" / "people.md").read_text(encoding="utf-8").partition("## Replies")[2]
(RULES,) = re.findall(r"^```toml replies\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(STEPS,) = re.findall(r"^```yaml steps\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
READ = re.findall(r"^\| `(date|yes_no|number)` \| `([\w-]+)` \| (.+?) \| `?(.+?)`? \|$", PAGE, re.MULTILINE)
SURE = [float(one) for one in re.findall(r"^\| (\d\.\d+) \|", PAGE, re.MULTILINE)]

SAID_AT = datetime(2026, 3, 5, 15, tzinfo=UTC)


@pytest.mark.parametrize(("asked", "locale", "text", "read_as"), READ)
def test_each_reply_is_read_as_the_page_says(asked: str, locale: str, text: str, read_as: str) -> None:
    speaker = Speaker(known_languages([locale[:2]]), locale, ZoneInfo("Europe/Madrid"))

    found = reading.read(text, None, question_from_document(asked), speaker, SAID_AT)

    assert ("nothing" if found.answer is None else str(found.answer)) == read_as


def test_the_rules_of_the_page_pass_the_check_with_its_journey(tmp_path: Path) -> None:
    (tmp_path / "replies.toml").write_text(RULES)
    journey = {"journey": "visit", "document": {"steps": yaml.safe_load(STEPS)}}

    assert check_replies(tmp_path / "replies.toml", [journey]) == []


def test_the_page_has_every_key_every_confidence_and_enough_replies() -> None:
    for model in (Replies, Intent, Model):
        assert all(re.search(rf"\b{key}\b", RULES) for key in keys_of(model))
    assert SURE == [
        reading.EXACT,
        reading.PHRASE,
        reading.WORD,
        reading.MODEL,
        reading.IN_LONG_TEXT,
        reading.AMBIGUOUS,
        reading.NOTHING,
    ]
    assert len(READ) == 15
