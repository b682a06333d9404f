"""What a folder has of its own comes before what we ship, for `cairn` and for pytest alike."""

from pathlib import Path

import pytest

from authoring.defaults import CHECKOUT, USUAL, default_file, own_or_default, project_of, projects_policy, settings_of

OURS = {
    "cairn_journeys": CHECKOUT / "layers" / "journeys",
    "cairn_policy": default_file("policy.toml"),
    "cairn_sources": default_file("sources.toml"),
}


@pytest.mark.parametrize(("setting", "usual"), [(setting, one) for setting in USUAL for one in USUAL[setting]])
def test_what_a_folder_has_of_its_own_comes_before_ours(tmp_path: Path, setting: str, usual: str) -> None:
    (tmp_path / usual).mkdir(parents=True)

    assert own_or_default(setting, tmp_path) == tmp_path / usual
    elsewhere = OURS | {"cairn_journeys": tmp_path / "journeys"}
    assert {one: own_or_default(one, tmp_path) for one in USUAL if one != setting} == {
        one: path for one, path in elsewhere.items() if one != setting
    }


def test_a_folder_with_both_has_its_journeys_where_a_copy_of_cairn_has_them(tmp_path: Path) -> None:
    for one in USUAL["cairn_journeys"]:
        (tmp_path / one).mkdir(parents=True)

    assert own_or_default("cairn_journeys", tmp_path) == tmp_path / "layers" / "journeys"


@pytest.mark.parametrize("setting", USUAL)
def test_what_is_named_is_taken_even_where_it_is_missing(tmp_path: Path, setting: str) -> None:
    for usual in USUAL[setting]:
        (tmp_path / usual).mkdir(parents=True)

    assert own_or_default(setting, tmp_path, "other") == tmp_path / "other"
    assert own_or_default(setting, tmp_path, "/elsewhere") == Path("/elsewhere")


def test_in_a_checkout_all_is_ours_by_its_whole_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)

    assert {setting: own_or_default(setting, Path()) for setting in USUAL} == OURS
    assert settings_of(Path()) == {}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q %d\ncairn_policy = rules.toml\n"),
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = ['-q']\ncairn_policy = 'rules.toml'\n"),
        ("pyproject.toml", "[tool.pytest]\ncairn_policy = 'rules.toml'\ncairn_journeys = 3\n"),
    ],
)
def test_the_settings_are_those_of_pytest(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")

    assert settings_of(tmp_path) == {"cairn_policy": "rules.toml"}


def test_as_for_pytest_an_ini_hides_the_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\ncairn_policy = 'a'\n", encoding="utf-8")

    assert settings_of(tmp_path) == {}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", b"no section"),
        ("pytest.ini", b"\xff"),
        ("pyproject.toml", b"no toml"),
        ("pyproject.toml", b"\xff"),
        ("pyproject.toml", b"tool = 3"),
        ("pyproject.toml", b"tool.pytest = []"),
        ("pyproject.toml", b"tool.pytest.ini_options = 'text'"),
        ("pyproject.toml", b"[project]"),
    ],
)
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, file: str, text: bytes) -> None:
    (tmp_path / file).write_bytes(text)

    assert settings_of(tmp_path) == {}


def test_the_people_of_our_example_are_those_of_our_checkout_alone(tmp_path: Path) -> None:
    ours, theirs = OURS["cairn_policy"], tmp_path / "rules.toml"

    assert projects_policy(ours, CHECKOUT) == ours
    assert projects_policy(ours, tmp_path) == tmp_path / "policy.toml"
    assert projects_policy(theirs, tmp_path) == theirs


@pytest.mark.parametrize("usual", USUAL["cairn_journeys"])
def test_journeys_belong_to_the_folder_above(tmp_path: Path, usual: str) -> None:
    assert project_of(tmp_path / usual) == tmp_path
