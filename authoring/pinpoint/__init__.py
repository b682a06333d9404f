"""Journeys of Amazon Pinpoint, made into journeys of Cairn (docs/from-pinpoint.md). Never runs in a function."""

from pathlib import Path

from authoring.pinpoint.journey import Imported, imported
from authoring.pinpoint.naming import Unique, slug
from authoring.pinpoint.notes import Note
from authoring.pinpoint.reading import read_journeys, read_templates
from authoring.pinpoint.structure import StructureError
from authoring.pinpoint.writing import write
from authoring.problems import InvalidFilesError

__all__ = ["Imported", "Note", "import_journeys", "write"]

LONGEST_NAME = 60


def import_journeys(file: Path, templates: Path | None = None) -> list[Imported]:
    """The journeys of a file, with the templates of a folder. Raises InvalidFilesError with every problem."""
    given = read_templates(templates)
    unique = Unique(LONGEST_NAME)
    made, problems = [], []
    for journey, source, loc in read_journeys(file):
        try:
            made.append(imported(journey, unique(slug(journey.name, "journey", LONGEST_NAME)), given))
        except StructureError as error:
            where = (*loc, "Activities", error.activity)
            problems.append(source.problem(where, str(error), "Change it in the file, and import it again."))
    if problems:
        raise InvalidFilesError(problems)
    return made
