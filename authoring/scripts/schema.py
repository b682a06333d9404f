"""The JSON Schema that editors check call scripts with; generated from the models."""

import json
from typing import Any

from authoring.journeys.schema import DIALECT, Untitled
from authoring.scripts.models import ScriptFile


def json_schema() -> dict[str, Any]:
    """The schema of one call script."""
    return {"$schema": DIALECT, **ScriptFile.model_json_schema(schema_generator=Untitled)}


def schema_text() -> str:
    """The content of docs/script.schema.json."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
