"""Whatever Pinpoint's model allows is imported, and passes the check; whatever is not JSON of it is a sentence."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from authoring.journeys import check
from authoring.pinpoint import import_journeys, write
from authoring.preflight.samples import FILE, read_samples
from authoring.problems import InvalidFilesError, Problem
from tests.unit.authoring.pinpoint.documents import JOURNEYS, documents

TEMPLATES = st.one_of(
    *(
        st.fixed_dictionaries({key: documents(key)})
        for key in ("EmailTemplateResponse", "SMSTemplateResponse", "PushNotificationTemplateResponse")
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Name", "Activities", "JourneyResponse", "Item", "Wait", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(journeys=st.lists(JOURNEYS, min_size=1, max_size=2), templates=st.lists(TEMPLATES, max_size=3))
def test_whatever_the_service_allows_is_imported_and_passes_the_check(
    journeys: list[Any], templates: list[Any]
) -> None:
    for journey in journeys:
        sends = [one for activity in journey.get("Activities", {}).values() for one in activity.values()]
        for template, send in zip(templates, (one for one in sends if isinstance(one, dict)), strict=False):
            if "TemplateName" in send:
                next(iter(template.values()))["TemplateName"] = send["TemplateName"]
    with TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "templates").mkdir()
        for number, template in enumerate(templates):
            (root / "templates" / f"{number}.json").write_text(json.dumps(template), encoding="utf-8")
        file = root / "journeys.json"
        file.write_text(json.dumps({"JourneysResponse": {"Item": journeys}}), encoding="utf-8")

        folders = write(import_journeys(file, root / "templates"), root / "journeys")

        assert len(folders) == len(journeys)
        assert check(root / "journeys") == []
        assert all(read_samples(folder / FILE) for folder in folders)


@given(text=st.one_of(st.binary(max_size=30), JSON.map(lambda one: json.dumps(one).encode())))
def test_what_is_no_journey_is_a_sentence_with_file_and_line(text: bytes) -> None:
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "journey.json"
        file.write_bytes(text)

        problems = problems_of(file)

        assert all(problem.file == file and problem.line >= 1 and problem.fix for problem in problems or ())


PATHS = st.lists(st.integers(0, 1_000), min_size=1, max_size=12)
EXAMPLE = Path(__file__).parents[3] / "pinpoint" / "spring-trial.json"


@given(path=PATHS, value=JSON)
def test_a_journey_with_anything_in_one_position_passes_the_check_or_is_a_sentence(path: list[int], value: Any) -> None:
    written = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "journey.json"
        file.write_text(json.dumps(replaced(written, path, value)), encoding="utf-8")

        problems = problems_of(file)

        if problems is None:
            write(import_journeys(file), Path(temporary) / "journeys")
        else:
            assert all(problem.file == file and problem.line >= 1 and problem.fix for problem in problems)


def problems_of(file: Path) -> tuple[Problem, ...] | None:
    """The problems of a file, at least one where it is refused; None where it is imported."""
    try:
        import_journeys(file)
    except InvalidFilesError as error:
        found = error.problems
    else:
        return None
    assert found
    return found


def replaced(document: Any, path: list[int], value: Any) -> Any:
    """The document with a value in the position that the path chooses, as deep as it goes."""
    if not path or not document or not isinstance(document, dict | list):
        return value
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    chosen = keys[path[0] % len(keys)]
    changed = replaced(document[chosen], path[1:], value)
    if isinstance(document, dict):
        return {**document, chosen: changed}
    return [changed if index == chosen else one for index, one in enumerate(document)]
