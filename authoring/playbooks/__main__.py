"""Writes docs/playbooks from the playbooks: `python -m authoring.playbooks [NAME…]`, from the top of the repository."""

import sys
from pathlib import Path

from authoring.playbooks import playbooks
from authoring.playbooks.figures import Figures
from authoring.playbooks.page import gallery, graphs, page

DOCS = Path("docs/playbooks")

every = [(one, Figures(one)) for one in playbooks(Path("playbooks"))]
DOCS.mkdir(exist_ok=True)
for playbook, figures in every:
    if len(sys.argv) > 1 and playbook.name not in sys.argv:
        continue
    for name, text in {f"{playbook.name}.md": page(playbook, figures), **graphs(figures)}.items():
        (DOCS / name).write_text(text, encoding="utf-8")
(DOCS / "README.md").write_text(gallery(every), encoding="utf-8")
