"""A problem of an entry is reported with the way to mend it."""

import json
from pathlib import Path
from typing import Any

import pytest

from authoring.journeys import check, compile_catalogue
from cairn.adapters.documents.catalogue import Catalogue

STEPS = [{"id": "call", "task": {"queue": "sales", "title": "Call"}}]
BIRTHDAY = {"date": "profile.birthday", "every": "year", "at": "09:00"}
SILENT = {"none_of": ["app.opened"], "for": "90d"}


def written(root: Path, entry: dict[str, Any], steps: Any = STEPS) -> None:
    (root / "one").mkdir()
    document = {"journey": "one", "entry": entry, "steps": steps}
    (root / "one/journey.yaml").write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (BIRTHDAY | {"at": "9"}, 'entry.at: "9" is not a time of day. Write it as HH:MM, such as 18:30.'),
        (BIRTHDAY | {"every": "month"}, "entry.every: \"month\" is not one of 'year'. Write one of them."),
        (BIRTHDAY | {"again": "never"}, "what begins every year begins again. Leave `again` out."),
        (BIRTHDAY | {"dya": 3}, "entry.dya: there is no such key. Did you mean day?"),
        ({"date": "profile.birthday"}, "entry.at: it is missing. Add `at: 09:00`."),
        (BIRTHDAY | {"date": "data.birthday"}, "entry.date: "),
        (BIRTHDAY | {"where": "event.type == 'x'"}, "entry.where: "),
        (
            BIRTHDAY | {"where": "seen('app.opened')"},
            "seen cannot be asked here",
        ),
        (SILENT | {"for": "90"}, 'entry.for: "90" is not a duration.'),
        (SILENT | {"none_of": []}, "entry.none_of: it is empty. Add at least one."),
        ({"none_of": ["app.opened"]}, "entry.for: it is missing. Add `for: 90d`."),
        ({"when": "profile.stage = 'x'"}, "entry.when: not JMESPath"),
        (BIRTHDAY | {"unless_in": ["one"]}, "entry.unless_in: there is no such key."),
        ({"when": "profile.user_id"}, "this reads no attribute, so nothing would begin by it. Name one,"),
        ({"when": "length(keys(profile)) > `9`"}, "this reads no attribute, so nothing would begin by it. Name one,"),
        ({"when": "days_since(profile.x) > `3`"}, "days_since cannot be asked here"),
        ({"event": "a.b", "from": "1.12."}, '"1.12." is no date. Write it as 2026-12-24.'),
        (
            {"event": "a.b", "from": "2026-12-24", "until": "2026-12-01"},
            "`from` is after `until`",
        ),
        ({"event": "a.b", "unless_in": ["on"]}, 'entry.unless_in[0]: there is no journey "on". Did you mean one?'),
        ({"event": "a.b", "priority": "high"}, 'entry.priority: "high" is not a whole number.'),
    ],
)
def test_a_problem_of_an_entry_says_how_to_mend_it(tmp_path: Path, entry: dict[str, Any], said: str) -> None:
    written(tmp_path, entry)

    assert said in "\n".join(map(str, check(tmp_path)))


@pytest.mark.parametrize("entry", [BIRTHDAY, SILENT])
def test_no_step_may_be_called_as_the_wait_for_the_beginning_is(tmp_path: Path, entry: dict[str, Any]) -> None:
    written(tmp_path, entry, [{"id": "entry", "wait": "1d"}, *STEPS])

    assert '"entry" is the id of the wait for the beginning. Give the step another id.' in str(check(tmp_path)[0])


@pytest.mark.parametrize(
    ("entry", "watched"),
    [
        (BIRTHDAY | {"where": "profile.club == 'gold'"}, {"birthday"}),
        ({"when": "profile.a > `1` && contains(profile.tags, 'vip')"}, {"a", "tags"}),
        (SILENT, set()),
        ({"event": "app.opened"}, set()),
    ],
)
def test_the_attributes_that_an_entry_reads_are_compiled_in(
    tmp_path: Path, entry: dict[str, Any], watched: set[str]
) -> None:
    written(tmp_path, entry)
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(compile_catalogue(tmp_path)), encoding="utf-8")

    assert Catalogue(file).watching().keys() == watched
