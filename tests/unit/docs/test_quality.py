"""docs/quality.md: its points are those of the code. `UPDATE_DOCS=1` writes them anew."""

import os
import re
from pathlib import Path

from authoring.quality.likeness import OFFERED, POINTS
from authoring.quality.run import MOST_KEYS, NEIGHBOURS

PAGE = Path(__file__).parents[3] / "docs" / "quality.md"


def points() -> str:
    rows = [f"| {name.replace('_', ' ')} | {number} |" for name, number in POINTS.items()]
    return "\n".join(["| evidence | points |", "|---|---|", *rows])


def test_the_page_has_the_points_and_bounds_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    block = f"<!-- points -->\n\n{points()}\n\n<!-- end of points -->"
    wanted = re.sub(r"<!-- points -->.*<!-- end of points -->", lambda _: block, page, flags=re.DOTALL)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(wanted, encoding="utf-8")
        return

    assert page == wanted
    assert f"from {OFFERED} points on" in page
    bound = f"customer has at most {MOST_KEYS} keys, and is compared with the next {NEIGHBOURS} of each"
    assert bound in page
    assert f"at most {MOST_KEYS * NEIGHBOURS} others" in " ".join(page.split())
