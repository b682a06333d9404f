"""Writes docs/script.schema.json: `python -m authoring.scripts`, from the top of the repository."""

import sys
from pathlib import Path

from authoring.scripts.schema import schema_text

Path(sys.argv[1] if len(sys.argv) > 1 else "docs/script.schema.json").write_text(schema_text(), encoding="utf-8")
