"""The printed report of `cairn preflight`."""

from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from authoring.preflight.report import Report, Row, sample_names, sentence
from cli.output import Terminal

MARKS = {"error": Text("✗", "red"), "warning": Text("!", "yellow")}
FINE = Text("✓", "green")


def show(report: Report, console: Terminal) -> None:
    """Print the variants with their figures, their problems, and the gate's decisions."""
    console.print(Rule(Text(f"{report.journey} {report.version}", "bold"), align="left"))
    console.print(_variants(report))
    for one in report.findings:
        line = Text.assemble(MARKS[one.level], f" {one.where}: {one.message}. ", (one.fix, "dim"))
        everywhere = len(one.samples) == report.samples
        console.print(
            line + Text("" if everywhere or not one.samples else f" ({sample_names(one.samples)})", "dim italic")
        )
    console.print()
    console.print(_gate(report))
    errors = sum(one.level == "error" for one in report.findings)
    warnings = len(report.findings) - errors
    total = f"{report.samples} samples, {errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
    console.print(Text.assemble(FINE if report.passed else MARKS["error"], f" {total}"))


def _variants(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("", "template", "purpose", "rendered", "segments", "encoding", "USD at most"):
        table.add_column(column, justify="right" if column in {"rendered", "segments", "USD at most"} else "left")
    for row in report.rows:
        worst = {one.level for one in report.findings if one.where == row.file}
        mark = next((MARKS[level] for level in ("error", "warning") if level in worst), FINE)
        table.add_row(mark, *_cells(row, report.samples))
    return table


def _cells(row: Row, samples: int) -> list[str]:
    first = [row.file.removeprefix("templates/"), ", ".join(row.purposes), f"{row.rendered} of {samples}"]
    if row.texts is None:
        return [*first, "", "", ""]
    least, most = row.texts.segments
    dearest = "?" if row.texts.highest_price is None else f"{row.texts.highest_price:.4f}"
    return [*first, str(most) if least == most else f"{least}-{most}", ", ".join(row.texts.encodings), dearest]


def _gate(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("step")
    table.add_column("what the gate would do")
    for step in dict.fromkeys(one.step for one in report.outcomes):
        table.add_row(step, sentence(report.counts(step)))
    table.add_row(Text("in all", "bold"), Text(sentence(report.counts()), "bold"))
    return table
