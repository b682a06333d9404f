"""Writes what follows from the shipped sources and the models: `python -m authoring.events`, from the repository's top.

That is shipped.yaml here, docs/events.schema.json, and the table in docs/events.md.
"""

import sys
from pathlib import Path

from authoring.events.shipped import documents

root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
for file, text in documents(root).items():
    file.write_text(text, encoding="utf-8")
