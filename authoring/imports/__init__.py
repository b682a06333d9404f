"""Files of an import as operators have them: read, mapped, checked and remembered. Never runs in a function."""

from authoring.imports.files import FileProblemsError, Record, Source, opened
from authoring.imports.mapping import MappingProblemsError, mapping_named, shipped
from authoring.imports.state import ImportState

__all__ = [
    "FileProblemsError",
    "ImportState",
    "MappingProblemsError",
    "Record",
    "Source",
    "mapping_named",
    "opened",
    "shipped",
]
