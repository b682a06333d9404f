"""Draws the example of docs/journeys.md: `python -m authoring.drawing`, from the top of the repository."""

import re
import sys
from pathlib import Path

from authoring.journeys.expansion import expanded
from authoring.journeys.source import read_yaml
from cairn.adapters.drawing.graph import graph_of
from cairn.adapters.drawing.svg import svg

page = Path("docs/journeys.md")
(example, *_) = re.findall(r"^```yaml journey\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
document = read_yaml(example, page).data
out = Path(sys.argv[1] if len(sys.argv) > 1 else f"docs/{document['journey']}.svg")
out.write_text(svg(graph_of(expanded(document, {}).document)), encoding="utf-8")
