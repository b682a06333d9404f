"""The JSON Schema that editors check story files with; generated from the models."""

import json
from typing import Any

from authoring.journeys.schema import DIALECT, Untitled
from authoring.stories.models import Scenario


def json_schema() -> dict[str, Any]:
    """The schema of one story file."""
    return {"$schema": DIALECT, **Scenario.model_json_schema(schema_generator=Untitled)}


def schema_text() -> str:
    """The content of docs/scenario.schema.json."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
