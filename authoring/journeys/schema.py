"""The JSON Schema that editors check journey files with; generated from the models."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from authoring.journeys.models import Journey

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Untitled(GenerateJsonSchema):
    """Without the titles: they would only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def json_schema() -> dict[str, Any]:
    """The schema of one journey file."""
    return {"$schema": DIALECT, **Journey.model_json_schema(schema_generator=Untitled)}


def schema_text() -> str:
    """The content of docs/journey.schema.json."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
