"""The printed report of `cairn check --report`."""

from rich.table import Table
from rich.text import Text

from authoring.proof.limits import length
from authoring.proof.report import Most, Proof, Report
from cli.output import Terminal

RIGHT = frozenset({"paths", "messages", "marketing"})


def show(proof: Proof, console: Terminal) -> None:
    """Print a line for each journey, then what its figures do not say."""
    console.print(_journeys(proof))
    console.print(
        Text("Messages: at most so many in 24 hours / in 7 days / in one enrollment. USD: of one enrollment.", "dim")
    )
    for one in proof.reports:
        for note in _notes(one):
            console.print(Text.assemble((f"{one.journey}: ", "bold"), note))
    for shared in proof.shared:
        names = " and ".join(shared.journeys)
        together = f"at most {shared.messages} message{'s' * (shared.messages != 1)} within 24 hours"
        console.print(Text.assemble((f"{shared.event}: ", "bold"), f"{names} answer it, with {together}"))
    console.print()


def _journeys(proof: Proof) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("journey", "paths", "messages", "marketing", "longest", "enters again", "USD"):
        table.add_column(column, justify="right" if column in RIGHT else "left")
    for one in proof.reports:
        lasts = "by its dates" if one.longest is None else length(one.longest)
        usd = f"{one.usd.least:.5f} to {one.usd.most:.5f}"
        table.add_row(
            one.journey,
            f"{one.paths:,}",
            _figures(one.messages),
            _figures(one.marketing),
            lasts,
            one.reentry or "never",
            usd,
        )
    return table


def _figures(most: Most) -> str:
    return f"{most.day} / {most.week} / {most.enrollment}"


def _notes(one: Report) -> list[str]:
    dates = [f"how long it takes depends on {', '.join(one.dates)}"] if one.longest is None else []
    return [*dates, *one.hints]
