"""Writes docs/journey.schema.json anew: `python -m cairn.adapters.journey_yaml`, from the top of the repository."""

import sys
from pathlib import Path

from cairn.adapters.journey_yaml.schema import schema_text

Path(sys.argv[1] if len(sys.argv) > 1 else "docs/journey.schema.json").write_text(schema_text(), encoding="utf-8")
