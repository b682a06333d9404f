"""Writes docs/scenario.schema.json: `python -m authoring.stories`, from the top of the repository."""

import sys
from pathlib import Path

from authoring.stories.schema import schema_text

Path(sys.argv[1] if len(sys.argv) > 1 else "docs/scenario.schema.json").write_text(schema_text(), encoding="utf-8")
