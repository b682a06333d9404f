"""Files with personal data are their owner's alone, replace nothing silently and follow no link."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli.output import check_free, write_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def _careless_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("replace", [False, True])
def test_a_new_file_is_readable_by_its_owner_alone(tmp_path: Path, replace: bool) -> None:  # noqa: FBT001
    write_private(tmp_path / "mia.json", "Mia", replace=replace)

    assert mode(tmp_path / "mia.json") == 0o600
    assert (tmp_path / "mia.json").read_text() == "Mia"
    assert [one.name for one in tmp_path.iterdir()] == ["mia.json"]


def test_a_file_that_exists_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mia.json").write_text("before")

    with pytest.raises(typer.Exit):
        write_private(tmp_path / "mia.json", "Mia")

    assert (tmp_path / "mia.json").read_text() == "before"
    assert "exists: name another file, or add --force" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["there.txt", "nowhere.txt"])
def test_a_link_is_never_followed(tmp_path: Path, target: str) -> None:
    (tmp_path / "there.txt").write_text("another's")
    link = tmp_path / "mia.json"
    link.symlink_to(tmp_path / target)

    with pytest.raises(typer.Exit):
        write_private(link, "Mia")
    with pytest.raises(typer.Exit):
        check_free(link, replace=False)
    write_private(link, "Mia", replace=True)

    assert not link.is_symlink()
    assert mode(link) == 0o600
    assert (tmp_path / "there.txt").read_text() == "another's"
    assert not (tmp_path / "nowhere.txt").exists()


def test_a_replaced_file_that_all_could_read_is_its_owners_alone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "mia.json").write_text("before")
    (tmp_path / "mia.json").chmod(0o644)

    write_private(tmp_path / "mia.json", "Mia", replace=True)

    assert mode(tmp_path / "mia.json") == 0o600
    assert (tmp_path / "mia.json").read_text() == "Mia"


def test_what_cannot_be_written_says_why_and_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()

    for refused in (
        lambda: write_private(tmp_path / "folder", "Mia", replace=True),
        lambda: write_private(tmp_path / "none" / "mia.json", "Mia"),
        lambda: check_free(tmp_path / "none" / "mia.json", replace=True),
    ):
        with pytest.raises(typer.Exit):
            refused()
        assert "cannot be written" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]
