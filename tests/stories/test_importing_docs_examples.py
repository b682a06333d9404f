"""The commands of docs/importing.md run here, in their order, and its mapping makes the event that it shows."""

import json
import re
import shlex
import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from authoring.imports.check import ImportFile
from authoring.imports.files import opened
from authoring.imports.mapping import problems_of, shipped
from cairn.adapters.imports.mapping import CONVERSIONS, RowMapping
from cairn.adapters.phone.numbers import phones_of
from cairn.domain.imports.rows import Import, Kind, Reason
from cairn.domain.shared.instants import instant_to_wire
from tests.stories.shop import RECEIPT, Opens

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "importing.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) for line in block.splitlines()
]

FILES = {
    "members.csv": "mailchimp.csv",
    "unsubscribed.csv": "mailchimp-unsubscribed.csv",
    "cleaned.csv": "mailchimp-cleaned.csv",
}
PROOF = "email,channel,purpose,status,at,source,wording\nada@example.com,sms,marketing,granted,2025-01-01,shop,Yes\n"
ORDER = {"id": "o-1", "type": "order.created", "at": "2025-01-01", "email": "ada@example.com"}


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_commands_of_the_page_run_in_their_order(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shop = opens(RECEIPT)
    for name, sample in FILES.items():
        shutil.copy(ROOT / "events" / "imports" / sample, name)
    Path("proof.csv").write_text(PROOF)
    Path("orders.jsonl").write_text(json.dumps(ORDER) + "\n")

    printed = [shop.cairn(*shlex.split(command)[1:]) for command in COMMANDS]

    assert "2 would be created" in printed[0]
    assert printed[-4:] == [
        "3 customers written to customers.csv",
        "4 consents written to consents.jsonl",
        "1 events written to events.parquet",
        "1 suppressions written to suppressions.csv",
    ]


def test_the_mapping_of_the_page_makes_the_event_that_it_shows(tmp_path: Path) -> None:
    mapping = tomllib.loads(block("toml mine.toml"))
    path = tmp_path / "members.csv"
    path.write_text(block("csv row"), encoding="utf-8")
    of = Import(name="spring", kind=Kind.CUSTOMERS, as_of=datetime(2026, 1, 1, tzinfo=UTC), day_first=True)
    file = ImportFile(path=path, mapping=mapping, of=of)
    reader = RowMapping(file.wire_mapping, of, phones_of("DE"), zone=ZoneInfo(mapping["zone"]))
    with opened(path) as source:
        (event,) = [reader.event_of(file.row_of(record)) for record in source.records]

    assert list(problems_of(mapping, Kind.CUSTOMERS)) == []
    assert json.loads(block("json event")) == {
        "type": event.type,
        "at": instant_to_wire(event.occurred_at),
        "names": [one.key for one in event.identifiers],
        "attributes": event.attributes,
        "consent": [[one.key, one.status.value, instant_to_wire(one.at)] for one in event.consent],
    }


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_on_the_page(reason: Reason) -> None:
    assert f"`{reason.value}`" in PAGE


@pytest.mark.parametrize("name", [one for one in shipped() if not one.startswith("cairn-")])
def test_every_mapping_that_ships_is_on_the_page_and_has_no_problem(name: str) -> None:
    mapping = shipped()[name]

    assert f"| `{name}` |" in PAGE
    assert list(problems_of(mapping, Kind(mapping["kind"]))) == []


@pytest.mark.parametrize("kind", sorted({*CONVERSIONS, "date", "instant"} - {"text"}))
def test_every_type_of_a_column_is_on_the_page(kind: str) -> None:
    assert f"`{kind}`" in PAGE
