"""Journeys as people write them (docs/journeys.md): read, checked whole, compiled. Never runs in a function."""

from authoring.journeys.catalogue import (
    InvalidJourneysError,
    check,
    compile_catalogue,
    read_catalogue,
    write_catalogue,
)
from authoring.journeys.flow import worst_case_messages
from authoring.journeys.schema import json_schema
from authoring.problems import Problem

__all__ = [
    "InvalidJourneysError",
    "Problem",
    "check",
    "compile_catalogue",
    "json_schema",
    "read_catalogue",
    "worst_case_messages",
    "write_catalogue",
]
