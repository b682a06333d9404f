"""Writes docs/journey.schema.json: `python -m authoring.journeys`, from the top of the repository."""

import sys
from pathlib import Path

from authoring.journeys.schema import schema_text

Path(sys.argv[1] if len(sys.argv) > 1 else "docs/journey.schema.json").write_text(schema_text(), encoding="utf-8")
