"""A vendor's folder: `cairn sources new` makes it, and the check names what is missing."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from authoring.sources.check import folder_problems, vendor_problems
from authoring.sources.new import VendorNameError, new_vendor
from cairn.adapters.sources import VENDORS, sources
from cairn.adapters.sources.mapped import SCHEMES
from cli.main import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    new_vendor("acme", "body-hmac", tmp_path)
    return tmp_path


def test_every_vendors_folder_is_complete() -> None:
    assert folder_problems() == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_new_folder_passes_its_own_check(scheme: str, tmp_path: Path) -> None:
    made = new_vendor("acme-shop", scheme, tmp_path)

    assert [str(path.relative_to(tmp_path / "acme-shop")) for path in made] == [
        "mapping.toml",
        "README.md",
        "samples/order_paid.json",
        "expected.json",
    ]
    assert folder_problems(tmp_path) == []
    assert "acme-shop" in sources(folder=tmp_path)


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        ("mapping.toml", "acme/mapping.toml: missing; `cairn sources new` writes a first one"),
        (
            "README.md",
            "acme/README.md: missing; write where to click at the vendor, and which events its webhooks become",
        ),
        ("samples", "acme/samples: empty; add a body that the vendor posts, as samples/<what>.json"),
        (
            "expected.json",
            "acme/expected.json: missing; write an object: the name of each sample, and the events that it becomes",
        ),
    ],
)
def test_a_missing_file_is_named_with_what_to_write(missing: str, problem: str, folder: Path) -> None:
    path = folder / "acme" / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()

    assert vendor_problems("acme", folder) == [problem]


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("mapping.toml", "no toml", "acme/mapping.toml: not TOML: "),
        ("mapping.toml", 'id = "body.["', "acme/mapping.toml: signature: required"),
        ("README.md", "Acme `order.paid`", "acme/README.md: begin with the vendor's name as a heading"),
        ("README.md", "# Acme", "acme/README.md: its table of events is not what the mapping makes"),
        ("samples/order_paid.json", "{", "acme/samples/order_paid.json: "),
        ("samples/order_paid.json", '{"customer": {"id": 1}, "type": "order.paid", "created_at": "x"}', "occurred_at"),
        ("samples/other.json", "{}", "acme/expected.json: other: missing; the sample becomes []"),
        ("samples/headers.json", "{", "acme/samples/headers.json: not JSON: "),
        ("samples/headers.json", '{"a.json": {}}', "acme/samples/headers.json: a.json: no sample has this name"),
        ("expected.json", "{", "acme/expected.json: not JSON: "),
        ("expected.json", "[]", "acme/expected.json: write an object by the samples' names"),
        ("expected.json", '{"order_paid": []}', "acme/expected.json: order_paid: differs; the sample becomes [{"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_the_reason(file: str, text: str, problem: str, folder: Path) -> None:
    (folder / "acme" / file).write_text(text, encoding="utf-8")

    assert problem in vendor_problems("acme", folder)[0]


def test_expected_events_without_a_sample_are_named(folder: Path) -> None:
    path = folder / "acme" / "expected.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"gone": []}), encoding="utf-8")

    [problem] = vendor_problems("acme", folder)

    assert problem == "acme/expected.json: gone: no sample has this name; remove it, or add samples/gone.json"


def test_a_folder_with_a_reserved_name_is_refused(folder: Path) -> None:
    (folder / "acme").rename(folder / "feedback")

    assert folder_problems(folder) == ["feedback: this name is reserved; rename the folder"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Acme", "use lower-case letters"),
        ("acme_shop", "use lower-case letters"),
        ("../acme", "use lower-case letters"),
        ("a" * 64, "use lower-case letters"),
        ("track", "is reserved"),
        ("operators", "is reserved"),
        ("twilio-eu", "would be trusted as twilio is"),
        ("shopify-eu", "would be trusted as shopify is"),
        ("acme", "exists"),
    ],
)
def test_a_name_that_no_vendor_can_have_is_refused(name: str, reason: str, folder: Path) -> None:
    with pytest.raises(VendorNameError, match=reason):
        new_vendor(name, "body-hmac", folder)


def test_an_unknown_scheme_is_refused_before_anything_is_written(folder: Path) -> None:
    with pytest.raises(VendorNameError, match="schemes are body-hmac"):
        new_vendor("other", "trust-me", folder)

    assert not (folder / "other").exists()


def test_the_command_says_why_it_made_nothing() -> None:
    result = CliRunner().invoke(app, ["sources", "new", "stripe"])

    assert result.exit_code == 1
    assert f"{VENDORS / 'stripe'} exists" in result.stderr
