"""Journeys as people write them (docs/journeys.md): read, checked whole, compiled. Never runs in a function."""

from cairn.adapters.journey_yaml.catalogue import check, compile_catalogue, write_catalogue
from cairn.adapters.journey_yaml.flow import worst_case_messages
from cairn.adapters.journey_yaml.problems import InvalidJourneysError, Problem
from cairn.adapters.journey_yaml.schema import json_schema

__all__ = [
    "InvalidJourneysError",
    "Problem",
    "check",
    "compile_catalogue",
    "json_schema",
    "worst_case_messages",
    "write_catalogue",
]
