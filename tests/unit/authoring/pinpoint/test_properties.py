"""Whatever Pinpoint's model allows is imported, and passes the check; whatever is not JSON of it is a sentence."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authoring.journeys import check
from authoring.pinpoint import import_journeys, write
from authoring.preflight.samples import FILE, read_samples
from authoring.problems import InvalidFilesError
from tests.unit.authoring.pinpoint.documents import JOURNEYS, documents

TEMPLATES = st.one_of(
    *(
        st.fixed_dictionaries({key: documents(key)})
        for key in ("EmailTemplateResponse", "SMSTemplateResponse", "PushNotificationTemplateResponse")
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["Name", "Activities", "JourneyResponse", "Item", "Wait", "x"]), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
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


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.binary(max_size=30), JSON.map(lambda one: json.dumps(one).encode())))
def test_what_is_no_journey_is_a_sentence_with_file_and_line(text: bytes) -> None:
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "journey.json"
        file.write_bytes(text)

        try:
            import_journeys(file)
        except InvalidFilesError as error:
            assert error.problems
            assert all(problem.file == file and problem.line >= 1 and problem.fix for problem in error.problems)
