"""Regular expressions that were compiled before."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.regex_code import NAME, note, use, version

COMPILER: Any = vars(re)["_compiler"]
PARSER: Any = vars(re)["_parser"]

PATTERNS = (
    (r"(?P<sign>-?)(?P<parts>(\d+[smhdw])+)", 0),
    (r"[^\s:;,]@\S", re.IGNORECASE),
    (r"# Issuer: (?P<issuer>.*?)$.*?^-----END$", re.MULTILINE | re.DOTALL),
    ("[\ud800-\udfff\ufffe\uffff]|(?:a|b){2,3}?(?!c)", 0),
    (rb"\x00+(\w*)", 0),
)
TEXTS = ("-1h30m", "ab@cd", "# Issuer: one\n-----END", "aab", "aac")


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test changes in `re` is as before after it, and no pattern is known from before."""
    monkeypatch.setattr(COMPILER, "compile", COMPILER.compile)
    re.purge()


def made() -> list[re.Pattern[str] | re.Pattern[bytes]]:
    re.purge()
    return [re.compile(pattern, flags) for pattern, flags in PATTERNS]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The patterns that Python reads itself."""
    seen: list[object] = []
    parse = PARSER.parse

    def read(text: object, *more: object) -> object:
        seen.append(text)
        return parse(text, *more)

    monkeypatch.setattr(PARSER, "parse", read)
    return seen


def test_a_pattern_is_the_same_and_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch, parsed: list[object]) -> None:
    really = COMPILER.compile
    noted = note()
    before = made()
    monkeypatch.setattr(COMPILER, "compile", really)
    parsed.clear()
    use({NAME: (version(), noted)}.get)

    after = made()

    assert parsed == []
    assert after == before, "patterns are equal where their code, flags and text are"
    assert [one.groupindex for one in after] == [one.groupindex for one in before]
    assert re.compile(PATTERNS[0][0]).sub(r"\g<sign>\2", "-1h30m") == "-1h30m"
    assert after[2].search(TEXTS[2])["issuer"] == "one"  # type: ignore[index, arg-type]


def test_a_pattern_that_is_not_found_is_compiled(parsed: list[object]) -> None:
    use({NAME: (version(), {})}.get)

    assert re.compile("unknown+").fullmatch("unknownnn")
    assert parsed == ["unknown+"]


@pytest.mark.parametrize("found", [None, (-1, {("a", 0): "of another Python"})])
def test_without_lists_of_this_python_all_are_compiled(found: object) -> None:
    use({NAME: found}.get)

    assert re.compile("a").fullmatch("a")


@given(words=st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=5), text=st.text(max_size=20))
def test_any_words_are_found_as_before(words: list[str], text: str) -> None:
    pattern = "|".join(map(re.escape, words))
    really = COMPILER.compile
    re.purge()
    try:
        noted = note()
        before = re.compile(pattern, re.IGNORECASE).findall(text)
        COMPILER.compile = really
        re.purge()
        use({NAME: (version(), noted)}.get)

        assert re.compile(pattern, re.IGNORECASE).findall(text) == before
    finally:
        COMPILER.compile = really
