"""`cairn import`: customers, consents, events and suppressions from files; journeys of other systems."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cairn.domain.imports.rows import WAYS_ON, Duplicates, Import, Kind, Outcome, Refusal
from cli.options import JOURNEYS, LOCAL_URL, OPERATION, examples
from cli.output import Terminal, echo, fail

if TYPE_CHECKING:
    from authoring.imports.check import ImportFile
    from authoring.imports.state import ImportState
    from cli.imports_client import Importer

app = typer.Typer(no_args_is_help=True)

STATES = Path(".cairn/imports")
"""Where the progress of imports is, below the working folder."""

EXAMPLES = 3
"""Refused rows, and one that is imported, that a dry run shows."""

UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
WORD = re.compile(r"(?<=\w)\w|\d")

FileArgument = Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet; .gz too.", metavar="FILE")]
MappingOption = Annotated[
    str, typer.Option("--mapping", help="mailchimp, klaviyo, hubspot, pinpoint … or a TOML file; else Cairn's columns.")
]
NameOption = Annotated[
    str,
    typer.Option("--name", help="The import's name. One that has it goes on.", show_default="of the file's content"),
]
AsOfOption = Annotated[
    str, typer.Option("--as-of", help="When the file was made; newer values stay.", show_default="the file's date")
]
DatesOption = Annotated[
    str, typer.Option("--dates", help="How 03/04/2026 is meant: day-first or month-first.", show_default="refused")
]
RegionOption = Annotated[
    str,
    typer.Option("--phone-region", help="Country of numbers without a code, such as US.", show_default="the stage's"),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="A value for the mapping, such as account=990001.", metavar="NAME=VALUE"),
]
FormatOption = Annotated[str, typer.Option("--format", help="csv, jsonl or parquet.", show_default="by the name")]
EncodingOption = Annotated[
    str, typer.Option("--encoding", help="Such as latin-1.", show_default="UTF-8 or by its mark")
]
DelimiterOption = Annotated[str, typer.Option("--delimiter", help="Of a CSV.", show_default="by its header")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")]
ReportOption = Annotated[
    Path | None, typer.Option("--report", help="The CSV of the refused rows.", show_default="FILE.refused.csv")
]
MostOption = Annotated[
    int, typer.Option("--max-refused", min=0, max=100, help="Write nothing where the check refuses more per cent.")
]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, for the audit; required unless it is a dry run.")]
ToOption = Annotated[str, typer.Option("--to", help="The URL of `cairn serve`.")]
StackOption = Annotated[str, typer.Option("--stack", help="A deployment's stack, such as Cairn-dev, instead of --to.")]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", min=1, max=100, help="Batches at once, in a deployment.")
]


@app.callback(
    rich_help_panel=OPERATION, epilog=examples("cairn import customers list.csv", "cairn import pinpoint welcome.json")
)
def import_() -> None:
    """Import customers, consents, events and suppressions; make journeys of another system's."""


@app.command(
    epilog=examples(
        "cairn import customers members.csv --mapping mailchimp --dry-run",
        'cairn import customers members.csv --mapping mailchimp --why "the move from Mailchimp"',
    )
)
def customers(  # noqa: PLR0913, PLR0917  one argument for each option
    file: FileArgument,
    mapping: MappingOption = "",
    on_duplicate: Annotated[
        Duplicates, typer.Option("--on-duplicate", help="Of two rows about one customer: refuse both, or take one.")
    ] = Duplicates.REFUSE,
    name: NameOption = "",
    as_of: AsOfOption = "",
    dates: DatesOption = "",
    phone_region: RegionOption = "",
    set_: SetOption = None,
    format_: FormatOption = "",
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    dry_run: DryOption = False,  # noqa: FBT002
    report: ReportOption = None,
    max_refused: MostOption = 100,
    why: WhyOption = "",
    to: ToOption = LOCAL_URL,
    stack: StackOption = "",
    concurrency: ConcurrencyOption = 10,
) -> None:
    """Import customers, with their attributes, tags and consents. It starts no journey."""
    _run(Kind.CUSTOMERS, **locals())


@app.command(epilog=examples('cairn import consents proof.csv --why "the move from Mailchimp"'))
def consents(  # noqa: PLR0913, PLR0917
    file: FileArgument,
    mapping: MappingOption = "",
    name: NameOption = "",
    as_of: AsOfOption = "",
    dates: DatesOption = "",
    phone_region: RegionOption = "",
    set_: SetOption = None,
    format_: FormatOption = "",
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    dry_run: DryOption = False,  # noqa: FBT002
    report: ReportOption = None,
    max_refused: MostOption = 100,
    why: WhyOption = "",
    to: ToOption = LOCAL_URL,
    stack: StackOption = "",
    concurrency: ConcurrencyOption = 10,
) -> None:
    """Import consents with their proof: source, instant, wording and other evidence."""
    _run(Kind.CONSENTS, **locals())


@app.command(epilog=examples('cairn import events orders.jsonl --why "the history of the shop"'))
def events(  # noqa: PLR0913, PLR0917
    file: FileArgument,
    mapping: MappingOption = "",
    name: NameOption = "",
    as_of: AsOfOption = "",
    dates: DatesOption = "",
    phone_region: RegionOption = "",
    set_: SetOption = None,
    format_: FormatOption = "",
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    dry_run: DryOption = False,  # noqa: FBT002
    report: ReportOption = None,
    max_refused: MostOption = 100,
    why: WhyOption = "",
    to: ToOption = LOCAL_URL,
    stack: StackOption = "",
    concurrency: ConcurrencyOption = 10,
) -> None:
    """Import events as history: they are in the timeline, and start nothing."""
    _run(Kind.EVENTS, **locals())


@app.command(epilog=examples('cairn import suppressions bounced.csv --why "the move from Mailchimp"'))
def suppressions(  # noqa: PLR0913, PLR0917
    file: FileArgument,
    mapping: MappingOption = "",
    name: NameOption = "",
    as_of: AsOfOption = "",
    dates: DatesOption = "",
    phone_region: RegionOption = "",
    set_: SetOption = None,
    format_: FormatOption = "",
    encoding: EncodingOption = "",
    delimiter: DelimiterOption = "",
    dry_run: DryOption = False,  # noqa: FBT002
    report: ReportOption = None,
    max_refused: MostOption = 100,
    why: WhyOption = "",
    to: ToOption = LOCAL_URL,
    stack: StackOption = "",
    concurrency: ConcurrencyOption = 10,
) -> None:
    """Import addresses that get nothing any more, with the cause and since when."""
    _run(Kind.SUPPRESSIONS, **locals())


def _run(kind: Kind, **asked: Any) -> None:
    from authoring.imports.state import ImportState  # noqa: PLC0415  slow to import

    written = str(asked["file"])
    if not asked["dry_run"] and not asked["why"].strip():
        fail('say why, for the audit: --why "the move from Mailchimp"; or try it first with --dry-run')
    if written.startswith("s3:"):
        _run_from_s3(kind, written, asked)
        return
    path: Path = asked["file"]
    if not path.is_file():
        fail(f"{path} is no file")
    file = _file(kind, asked)
    report: Path = asked["report"] or path.with_name(f"{path.name}.refused.csv")
    importer = _importer(asked["stack"], asked["to"], asked["concurrency"])
    where = STATES / f"{file.of.name}{'-dry' if file.of.dry_run else ''}.sqlite"
    if file.of.dry_run:
        where.unlink(missing_ok=True)
    with ImportState.at(where, _definition(file)) as state:
        rows = _check(file, state)
        refused = sum(state.reasons().values())
        if rows and refused * 100 > asked["max_refused"] * rows:
            _finish(file, state, rows, report)
            fail(f"{refused} of {rows} rows are refused, more than {asked['max_refused']} %: nothing was written")
        if not file.of.dry_run:
            importer.begin(file, asked["why"])
        with _progress("importing" if not file.of.dry_run else "looking", rows - refused) as advance:
            importer.run(file, state, advance)
        _finish(file, state, rows, report)
        if state.reasons():
            raise typer.Exit(1)


def _run_from_s3(kind: Kind, written: str, asked: dict[str, Any]) -> None:
    """A file of S3, which Step Functions reads where the deployment's bucket has a copy of it."""
    from authoring.imports.files import FORMATS  # noqa: PLC0415  slow to import
    from authoring.imports.state import ImportState  # noqa: PLC0415
    from cli.imports_client import common_of, of_stack  # noqa: PLC0415
    from cli.stack import explained  # noqa: PLC0415

    url = "s3://" + written.removeprefix("s3:").lstrip("/")
    format_ = asked["format_"] or FORMATS.get(Path(url).suffix.lower(), "")
    needed = {"stack": "--stack", "name": "--name", "as_of": "--as-of"}
    if missing := [option for name, option in needed.items() if not asked[name]]:
        fail(f"a file of S3 needs {', '.join(missing)}: it is not read here")
    if not format_ or asked.get("on_duplicate", Duplicates.REFUSE) is not Duplicates.REFUSE:
        fail("a file of S3 is CSV with commas, JSON lines or Parquet, and --on-duplicate is refuse; else download it")
    mapping = _mapping(kind, asked)
    of = Import(
        name=asked["name"],
        kind=kind,
        as_of=_as_of(Path(), asked["as_of"]),
        phone_region=asked["phone_region"],
        day_first=_day_first(asked["dates"], mapping.get("day_first")),
        dry_run=asked["dry_run"],
        finds_duplicates=kind is Kind.CUSTOMERS and not mapping.get("rows_add_up"),
    )
    report: Path = asked["report"] or Path(f"{of.name}.refused.csv")
    where = STATES / f"{of.name}.sqlite"
    with explained(), ImportState.at(where, {"url": url}) as state, _progress("importing", None) as advance:
        importer = of_stack(asked["stack"], asked["concurrency"])
        importer.note(of.name, asked["why"], {"kind": kind.value, "url": url})
        importer.run_from_s3(url, format_, common_of(of, mapping), state, advance)
        _show_counts(f"import {of.name}: {url}", state, would="would be " if of.dry_run else "")
        if not state.reasons():
            return
        _write_report(((refusal, "") for refusal in state.refusals()), report)
        echo(f"refused rows by number, with reason and way on: {report}")
    raise typer.Exit(1)


def _mapping(kind: Kind, asked: dict[str, Any]) -> dict[str, Any]:
    from authoring.imports.mapping import mapping_named  # noqa: PLC0415  slow to import

    mapping = mapping_named(asked["mapping"], kind)
    if not asked["set_"]:
        return mapping
    pairs = [one.partition("=") for one in asked["set_"]]
    if any(not name or not sign for name, sign, _ in pairs):
        fail("--set is NAME=VALUE, such as account=990001")
    return {**mapping, "set": {**mapping.get("set", {}), **{name: value for name, _, value in pairs}}}


def _file(kind: Kind, asked: dict[str, Any]) -> "ImportFile":
    from authoring.imports.check import ImportFile  # noqa: PLC0415  slow to import

    path: Path = asked["file"]
    mapping = _mapping(kind, asked)
    of = Import(
        name=asked["name"] or _name(path, kind, mapping),
        kind=kind,
        as_of=_as_of(path, asked["as_of"]),
        phone_region=asked["phone_region"],
        day_first=_day_first(asked["dates"], mapping.get("day_first")),
        dry_run=asked["dry_run"],
    )
    if UNFIT.search(of.name) or len(of.name) > 70:  # noqa: PLR2004  an execution's name has 80 characters
        fail("--name has letters, digits, - and _, at most 70 of them")
    return ImportFile(
        path=path,
        mapping=mapping,
        of=of,
        on_duplicate=asked.get("on_duplicate", Duplicates.REFUSE),
        format=asked["format_"],
        encoding=asked["encoding"],
        delimiter=asked["delimiter"].replace("\\t", "\t"),
    )


def _name(path: Path, kind: Kind, mapping: dict[str, Any]) -> str:
    """Of the content: a file that was changed is another import, wherever it lies."""
    digest = sha256(f"{kind} {sorted(mapping.get('set', {}).items())}".encode())
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return f"{UNFIT.sub('-', path.name.partition('.')[0]).strip('-')[:40] or 'file'}-{digest.hexdigest()[:10]}"


def _as_of(path: Path, written: str) -> datetime:
    from cairn.domain.shared.instants import to_instant  # noqa: PLC0415

    if not written:
        return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    found = to_instant(written, UTC)
    if found is None:
        fail("--as-of is an instant, such as 2026-03-02 or 2026-03-02T09:30:00Z")
    return found


def _day_first(written: str, of_mapping: bool | None) -> bool | None:  # noqa: FBT001
    if written not in {"", "day-first", "month-first"}:
        fail("--dates is day-first or month-first")
    return written == "day-first" if written else of_mapping


def _definition(file: "ImportFile") -> dict[str, Any]:
    """What makes two runs of a name the same import."""
    from cairn.adapters.imports.batch import import_to_wire  # noqa: PLC0415

    of = {name: value for name, value in import_to_wire(file.of).items() if name != "as_of"}
    size = file.path.stat().st_size
    return {"import": of, "mapping": file.wire_mapping, "on_duplicate": file.on_duplicate.value, "bytes": size}


def _importer(stack: str, to: str, concurrency: int) -> "Importer":
    from cli.imports_client import LocalImporter, of_stack  # noqa: PLC0415  slow to import
    from cli.stack import explained  # noqa: PLC0415

    if not stack:
        return LocalImporter(to)
    with explained():
        return of_stack(stack, concurrency)


def _check(file: "ImportFile", state: "ImportState") -> int:
    with _progress("checking", None) as advance:
        rows = file.check(state, advance)
    for note in file.unused:
        echo(f"note: {note}", err=True)
    return rows


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Any]:
    """A bar with the rows and the rate, in a terminal; elsewhere a line at the end."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    console = Terminal(stderr=True)
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.completed} rows")),
        *(TextColumn("{task.fields[rate]}"), TimeRemainingColumn()),
    )
    started, done = datetime.now(UTC), 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total, rate="")

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            bar.update(task, completed=done, rate=_rate(done, started))

        yield advance
    if total:
        echo(f"{what}: {done} rows, {_rate(done, started)}", err=True)


def _rate(rows: int, since: datetime) -> str:
    seconds = max((datetime.now(UTC) - since).total_seconds(), 0.001)
    return f"{rows / seconds:,.0f} rows/s"


def _finish(file: "ImportFile", state: "ImportState", rows: int, report: Path) -> None:
    """Print what became of the rows, and write the report of those that were refused."""
    reasons = state.reasons()
    would = "would be " if file.of.dry_run else ""
    _show_counts(f"import {file.of.name}: {rows} rows of {file.path.name}", state, would=would)
    if not reasons:
        report.unlink(missing_ok=True)
        return
    if file.of.dry_run:
        _show_examples(file, state)
    _write_report(file.raw_of(state), report)
    echo(f"refused rows with line, reason and way on: {report}")


def _show_counts(heading: str, state: "ImportState", *, would: str) -> None:
    counts, reasons = state.counts(), state.reasons()
    echo(heading)
    for outcome in Outcome:
        if counts.get(outcome.value):
            echo(f"  {counts[outcome.value]:>9,} {would}{outcome.value}")
    if reasons:
        echo(f"  {sum(reasons.values()):>9,} {would}refused")
    for reason, number in reasons.items():
        echo(f"  {number:>11,} {reason.value}: {WAYS_ON[reason]}")


def _show_examples(file: "ImportFile", state: "ImportState") -> None:
    """The first refused rows. No value of a customer is readable in them."""
    from cli.imports_client import first_of  # noqa: PLC0415

    for refusal, raw in first_of(file.raw_of(state), EXAMPLES):
        about = ": ".join(part for part in (refusal.field, refusal.detail or refusal.reason.value) if part)
        echo(f"  line {refusal.line}: {about}: {masked(raw)}")


def masked(raw: str) -> str:
    """A row in which only the first character of each word can be read."""
    shown = WORD.sub("•", raw.replace("\n", " "))
    return shown if len(shown) <= 100 else f"{shown[:100]}…"  # noqa: PLR2004


def _write_report(refusals: "Iterator[tuple[Refusal, str]]", report: Path) -> None:
    """For its owner alone: it has the refused rows as they stand in the file, so that none is lost."""
    import csv  # noqa: PLC0415

    with os.fdopen(
        os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
    ) as out:
        writer = csv.writer(out)
        writer.writerow(("line", "reason", "field", "detail", "what_to_do", "row"))
        for refusal, raw in refusals:
            way = WAYS_ON[refusal.reason]
            writer.writerow((refusal.line, refusal.reason.value, refusal.field, refusal.detail, way, raw))


@app.command(
    epilog=examples(
        "cairn import pinpoint welcome.json",
        "cairn import pinpoint journeys.json --templates templates -o layers/journeys",
    )
)
def pinpoint(
    file: Annotated[
        Path, typer.Argument(help="What `aws pinpoint get-journey` or `list-journeys` gave.", metavar="FILE.json")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "-o", "--out", help="The folder of journeys to write into.", show_default="layers/journeys, or journeys"
        ),
    ] = JOURNEYS,
    templates: Annotated[
        Path | None,
        typer.Option("--templates", help="A folder with what `aws pinpoint get-email-template` and the like gave."),
    ] = None,
) -> None:
    """Make journeys of Amazon Pinpoint's, and list what does not carry over, with what to do about each."""
    from authoring.pinpoint import import_journeys, write  # noqa: PLC0415  slow to import

    if templates is not None and not templates.is_dir():
        fail(f"{templates} is no folder")
    journeys = import_journeys(file, templates)
    folders = write(journeys, out)
    notes = [note for journey in journeys for note in journey.notes]
    for note in notes:
        echo(note)
    for folder in folders:
        echo(f"wrote {folder}", err=True)
    echo(f"{len(notes)} notes; next: read them, then run cairn check and cairn preflight", err=True)
