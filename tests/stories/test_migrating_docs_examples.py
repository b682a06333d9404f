"""The commands of docs/migrating.md run here. `UPDATE_DOCS=1 make test` updates the output in the page."""

import json
import os
import shlex
from datetime import timedelta
from pathlib import Path

from tests.stories.shop import RECEIPT, Opens
from tests.stories.test_manage_docs_examples import BLOCKS, PRINTED

DOCUMENT = Path(__file__).parents[2] / "docs" / "migrating.md"


def test_the_page_shows_what_the_command_prints(opens: Opens, tmp_path: Path) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = PRINTED.search(text)
    assert shown is not None
    shop = opens(RECEIPT)
    for number in range(5):
        shop.happens("note.wanted", customer={"user_id": f"customer-{number}"})
        shop.passes("5d")
    path = tmp_path / "journeys" / "shop" / "journey.yaml"
    document = json.loads(path.read_text())
    document["steps"][-1]["wait"] = "14d"
    path.write_text(json.dumps(document))
    shop.deployment.deploy(tmp_path / "journeys")

    dry, real = (shlex.split(line)[1:] for line in BLOCKS.search(text)[1].splitlines())  # type: ignore[index]
    output = shop.tries(*dry).stdout
    moved = shop.cairn(*real)

    assert "due at once" in output
    assert moved.endswith(
        "5 are moved, 0 stay and finish on their version. "
        "Customers who went from step to step meanwhile are found when you run it again."
    )
    assert shop.cairn(*dry) == "0 would move, 0 stay and finish on their version."
    shop.deployment.advance_to(shop.deployment.now() + timedelta(days=30))
    assert len(shop.timeline("ended")) == 5
    if os.environ.get("UPDATE_DOCS"):
        before, after = text[: shown.start("output")], text[shown.end("output") :]
        DOCUMENT.write_text(before + output + after, encoding="utf-8")
    else:
        assert shown["output"] == output


def test_without_a_reason_nothing_is_moved(opens: Opens) -> None:
    shop = opens(RECEIPT)

    refused = shop.tries("migrate", "shop")
    unknown = shop.tries("migrate", "shp", "--dry-run")

    assert (refused.exit_code, unknown.exit_code) == (1, 1)
    assert "give the reason, --why" in refused.output
    assert "journey shp does not exist; did you mean shop?" in " ".join(unknown.output.split())
    assert json.loads(shop.cairn("migrate", "shop", "--dry-run", "--json"))["moves"] == []
