"""Rows of files: each is a row or is refused with its line, and none is lost."""

import csv
import gzip
import io
import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.imports.files import MAX_ROW, FileProblemsError, Record, opened
from cairn.domain.imports.rows import Reason


def read(path: Path, **options: str) -> list[Record]:
    with opened(path, **options) as source:
        return list(source.records)


def read_bytes(tmp_path: Path, content: bytes, name: str = "list.csv", **options: str) -> list[Record]:
    path = tmp_path / name
    path.write_bytes(content)
    return read(path, **options)


def reasons(records: list[Record]) -> dict[int, Reason]:
    return {one.line: one.refusal.reason for one in records if one.refusal}


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("utf-16-le", ""), ("latin-1", "latin-1"), ("cp1252", "cp1252")],
)
def test_the_usual_encodings_are_read(tmp_path: Path, encoding: str, named: str) -> None:
    records = read_bytes(tmp_path, "email,name\nada@example.com,Adé\n".encode(encoding), encoding=named)

    assert [one.fields for one in records] == [{"email": "ada@example.com", "name": "Adé"}]


def test_a_row_in_another_encoding_is_refused_alone(tmp_path: Path) -> None:
    records = read_bytes(tmp_path, b"email,name\na@example.com,A\nb@example.com,Ad\xe9\nc@example.com,C\n")

    assert reasons(records) == {3: Reason.ENCODING}
    assert [one.fields.get("email") for one in records] == ["a@example.com", None, "c@example.com"]


def test_utf_16_that_is_none_names_the_way_on(tmp_path: Path) -> None:
    with pytest.raises(FileProblemsError, match="--encoding"):
        read_bytes(tmp_path, b"\xff\xfee\x00\n\x00\x00\xd8a")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_line_ends_and_delimiters_are_recognised(tmp_path: Path, end: str, delimiter: str) -> None:
    lines = [delimiter.join(row) for row in (["email", "name"], ["a@example.com", "A"], ["b@example.com", "B"])]

    records = read_bytes(tmp_path, (end.join(lines) + end).encode())

    assert [one.fields["name"] for one in records] == ["A", "B"]


def test_quotes_line_breaks_and_blank_lines_within_rows_are_read(tmp_path: Path) -> None:
    text = 'id,note\n1,"two\nlines, and ""quotes"""\n\n2,5" pipe\n3,plain\n'

    records = read_bytes(tmp_path, text.encode())

    assert [(one.line, one.fields["note"]) for one in records] == [
        (2, 'two\nlines, and "quotes"'),
        (5, '5" pipe'),
        (6, "plain"),
    ]


def test_a_quote_that_is_never_closed_refuses_its_own_line_alone(tmp_path: Path) -> None:
    rows = [f"{number},fine" for number in range(3_000)]
    text = "id,note\n" + "\n".join([rows[0], '1,"open', *rows[2:]]) + "\n"

    records = read_bytes(tmp_path, text.encode())

    assert reasons(records) == {3: Reason.QUOTES}
    assert len(records) == 3_000


def test_nul_too_few_and_too_many_fields_are_refused(tmp_path: Path) -> None:
    records = read_bytes(tmp_path, b"id,note\n1,a\0b\n2\n3,a,b\n4,fine\n")

    assert reasons(records) == {2: Reason.NUL, 3: Reason.COLUMNS, 4: Reason.COLUMNS}
    assert records[2].refusal is not None
    assert records[2].refusal.detail == "has 3 fields, and the header has 2"


def test_a_huge_row_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    records = read_bytes(tmp_path, b"id,note\n1," + b"x" * (3 * MAX_ROW) + b"\n2,fine\n")

    assert reasons(records) == {2: Reason.TOO_LONG}
    assert len(records[0].raw) <= MAX_ROW
    assert records[1].fields == {"id": "2", "note": "fine"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("email,name,email\n", "'email' is there 2 times, as number 1, 3"),
        ("email,,name\n", "column 2 has no name"),
        ("ada@example.com,Ada\n", "no header"),
    ],
)
def test_a_header_that_cannot_be_used_names_the_problem(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(FileProblemsError, match=problem):
        read_bytes(tmp_path, text.encode())


def test_json_lines_are_read_and_what_is_none_is_refused(tmp_path: Path) -> None:
    lines = ['{"email": "a@example.com"}', "[1]", '{"open": ', '{"n": NaN}', "", "[" * 100_000, '{"email": null}']

    records = read_bytes(tmp_path, "\n".join(lines).encode(), "list.jsonl")

    assert reasons(records) == dict.fromkeys((2, 3, 4, 6), Reason.NOT_JSON)
    assert records[-1].line == 7


def test_compressed_files_are_read(tmp_path: Path) -> None:
    records = read_bytes(tmp_path, gzip.compress(b'{"email": "a@example.com"}\n'), "export.json.gz")

    assert [one.fields for one in records] == [{"email": "a@example.com"}]


def test_parquet_is_read_with_its_types(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    values = "'a@example.com' AS email, 3 AS visits, TRUE AS vip, DATE '2026-03-02' AS born, NULL AS nothing"
    duckdb.sql(f"SELECT {values}, [1, 2] AS both, {{'plan': 'gold'}} AS attributes").write_parquet(str(path))

    (record,) = read(path)

    assert record.fields == {
        "email": "a@example.com",
        "visits": 3,
        "vip": True,
        "born": "2026-03-02",
        "both": [1, 2],
        "attributes": {"plan": "gold"},
    }
    assert json.loads(record.raw) == record.fields


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblemsError, match="not Parquet"):
        read_bytes(tmp_path, b"no", "list.parquet")


def test_a_file_of_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblemsError, match="--format"):
        read_bytes(tmp_path, b"", "list.xlsx")


TEXT = st.text(st.characters(exclude_characters="\0\r", exclude_categories=("Cs",)), max_size=30)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=20))
def test_whatever_python_writes_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "list.csv"
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows([("a", "b", "c"), *rows])
    path.write_text(written.getvalue(), encoding="utf-8", newline="")

    found = [dict(one.fields) for one in read(path)]

    wanted = [dict(zip("abc", row, strict=True)) for row in rows]
    assert found == [{name: value for name, value in row.items() if value.strip()} for row in wanted]


@given(st.binary(max_size=400))
def test_whatever_a_file_has_every_line_is_a_row_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("csv") / "list.csv"
    path.write_bytes(b"email,name\n" + content.replace(b"\r", b""))

    records = read(path)

    covered = {line for one in records for line in range(one.line, one.line + one.raw.count("\n") + 1)}
    lines = content.replace(b"\r", b"").split(b"\n")
    assert {
        number for number, line in enumerate(lines, 2) if line.decode("utf-8", "surrogateescape").strip()
    } <= covered
