"""The deployed journeys, as the functions read them."""

import json
from pathlib import Path

from authoring.journeys import compile_catalogue
from cairn.adapters.documents.catalogue import Catalogue
from cairn.adapters.documents.journey import journey_from_document

JOURNEYS = Path(__file__).parents[4] / "layers" / "journeys"


def test_an_event_is_offered_to_the_journeys_that_it_may_start_end_or_give_new_data(tmp_path: Path) -> None:
    compiled = compile_catalogue(JOURNEYS)
    (tmp_path / "catalogue.json").write_text(json.dumps(compiled), encoding="utf-8")
    catalogue = Catalogue(tmp_path / "catalogue.json")
    deployed = [journey_from_document(one["document"], one["version"]) for one in compiled]

    for event_type in frozenset[str]().union(*(one.listens_to for one in deployed)):
        expected = [one.name for one in deployed if event_type in one.listens_before]
        assert [one.name for one in catalogue.listening(event_type)] == expected
    assert catalogue.listening("page.viewed") == ()
