"""The page of a playbook, made from its files: what its README says, its graphs, texts, figures and stories."""

import json
import re
from collections.abc import Iterator

from authoring.journeys.source import read_yaml
from authoring.playbooks import Playbook
from authoring.playbooks.figures import CAIRN, TRACK, Figures
from authoring.proof.limits import length
from cairn.adapters.drawing.graph import graph_of
from cairn.adapters.drawing.svg import svg
from cairn.adapters.sources import VENDORS
from cairn.domain.shared.channels import Channel

SECTIONS = ("What happens", "What it needs", "How it is measured", "How to change it")
"""The headings of a README; a page has more."""

SECTION = re.compile(r"^## (.+)\n", re.MULTILINE)
DOCS = re.compile(r"\]\(\.\./\.\./docs/")
MADE = "<!-- Made by `python -m authoring.playbooks` from playbooks/{name}: change it there. -->\n\n"


def graphs(figures: Figures) -> dict[str, str]:
    """The drawings of a playbook, by the names of their files: what `cairn graph -o` writes."""
    drawn = {name: svg(graph_of(one["document"])) for name, one in figures.compiled.items()}
    return {f"{name}.svg": text for name, text in drawn.items()}


def page(playbook: Playbook, figures: Figures) -> str:
    """The page in docs/playbooks."""
    introduction, sections = sections_of(playbook)
    drawn = "\n".join(f"![{name}, as `cairn graph` draws it]({name}.svg)\n" for name in figures.compiled)
    parts = [
        MADE.format(name=playbook.name) + introduction.rstrip(),
        _begin(playbook),
        drawn.rstrip(),
        *_with("What happens", sections, []),
        "## What it writes\n\n" + "\n".join(_texts(figures)),
        *_with("What it needs", sections, list(_needs(figures))),
        *_with("How it is measured", sections, list(_measured(figures))),
        "## What it costs, and how much it writes\n\n" + "\n".join(_costs(figures)),
        *_with("How to change it", sections, []),
        "## Its stories\n\n" + "\n".join(_stories(playbook)),
    ]
    return "\n\n".join(parts).rstrip() + "\n"


def gallery(all_of_them: list[tuple[Playbook, Figures]]) -> str:
    """The page that lists them."""
    lines = [
        "<!-- Made by `python -m authoring.playbooks`. -->",
        "",
        "# Playbooks",
        "",
        "Journeys that are ready to use, each with its texts in two languages, its events, made-up customers, stories",
        "and a plan to measure it. `cairn new NAME --from PLAYBOOK` begins with one; `cairn playbooks` lists them.",
        "[How to add one](../../playbooks/README.md).",
        "",
        "| playbook | marketing messages in a week, at most | a customer costs at most, USD | events from |",
        "|---|---|---|---|",
    ]
    for playbook, figures in all_of_them:
        lines.append(
            f"| [{playbook.title}]({playbook.name}.md) | {figures.marketing_in_a_week} "
            f"| {figures.usd:.3f} | {', '.join(figures.sources)} |"
        )
    lines += ["", "## A message of each", ""]
    lines += [
        f'[<img src="pictures/{playbook.name}.png" alt="{playbook.name}" width="200">]({playbook.name}.md)'
        for playbook, _ in all_of_them
    ]
    return "\n".join(lines) + "\n"


def sections_of(playbook: Playbook) -> tuple[str, dict[str, str]]:
    """A README's beginning, and its sections by heading. Links lead on from docs/playbooks."""
    text = DOCS.sub("](../", playbook.readme)
    first, *rest = SECTION.split(text)
    return first, dict(zip(rest[::2], rest[1::2], strict=True))


def _with(heading: str, sections: dict[str, str], more: list[str]) -> list[str]:
    return ["\n".join((f"## {heading}\n", sections[heading].strip(), *(["", *more] if more else [])))]


def _begin(playbook: Playbook) -> str:
    return f"```\ncairn new my-own-name --from {playbook.name}\n```"


def _texts(figures: Figures) -> Iterator[str]:
    """As the first sample customer gets them; the other languages are in the folder."""
    yield "To the first of its made-up customers who can get it, in English:"
    yield ""
    yield "| step | by | |"
    yield "|---|---|---|"
    languages: set[str] = set()
    for name in figures.compiled:
        for one in figures.texts(name):
            if one.variant.locale:
                languages.add(one.variant.locale)
                continue
            steps = ", ".join(f"`{step.id}`" for step in one.variant.steps)
            text = one.rendered.text if one.variant.channel is not Channel.EMAIL else ""
            shown = " ".join(part for part in (_bold(one.rendered.subject), " ".join(text.split())) if part)
            cell = shown.replace("|", "\\|")
            yield f"| {steps} | {one.variant.channel.value} | {cell} |"
    yield ""
    yield f"All of them in {', '.join(f'`{one}`' for one in sorted(languages))} as well."


def _bold(text: str) -> str:
    return f"**{text}**" if text else ""


def _needs(figures: Figures) -> Iterator[str]:
    yield "| event | sent by | |"
    yield "|---|---|---|"
    for need in figures.needs():
        properties = ", ".join(
            f"`{name}` ({one['type']}, as `{json.dumps(one.get('example'), ensure_ascii=False)}`)"
            for name, one in need.properties.items()
        )
        shown = [part for part in (need.about, f"Properties: {properties}." if properties else "") if part]
        yield f"| `{need.event}` | {', '.join(map(_source, need.sources))} | {' '.join(shown)} |"
    yield ""
    yield f"`{TRACK}` is your own system, by `POST /events`. [Events](../events.md) has the properties of the others."


def _source(name: str) -> str:
    has_page = (VENDORS / name / "README.md").is_file()
    page_of = f"../../layers/core/python/cairn/adapters/sources/{name}/README.md"
    return f"[{name}]({page_of})" if has_page else "Cairn itself" if name == CAIRN else f"`{name}`"


def _measured(figures: Figures) -> Iterator[str]:
    for name, one in figures.compiled.items():
        document = one["document"]
        if "goal" not in document or not document.get("holdout"):
            continue
        guardrails = (document.get("analysis") or {}).get("guardrails") or {}
        yield (
            f"`{name}`: the goal is `{document['goal']['event']}` within {document['goal'].get('within', '30d')}, "
            f"the holdout {document['holdout']}. Guardrails: "
            + ", ".join(f"`{event}` by {most} at most" for event, most in guardrails.items())
            + "."
        )


def _costs(figures: Figures) -> Iterator[str]:
    """What `cairn check --report` and `cairn score` say."""
    yield "| journey | paths | messages in a day / week / all | marketing | longest | USD | score |"
    yield "|---|---|---|---|---|---|---|"
    scores = {one.journey: one for one in figures.scores}
    reports = {one.journey: one for one in figures.proof.reports}
    for name in figures.compiled:
        one, score = reports[name], scores[name]
        messages, marketing = one.messages, one.marketing
        yield (
            f"| `{name}` | {one.paths} | {messages.day} / {messages.week} / {messages.enrollment} "
            f"| {marketing.day} / {marketing.week} / {marketing.enrollment} "
            f"| {'by its dates' if one.longest is None else length(one.longest)} "
            f"| {one.usd.least:.5f} to {one.usd.most:.5f} | {score.score} ({score.mode}) |"
        )
    yield ""
    yield "Printed by `cairn check --report` and `cairn score`: [what they mean](../journeys.md#what-checking-proves)."


def _stories(playbook: Playbook) -> Iterator[str]:
    for path in playbook.stories:
        story = read_yaml(path.read_text(encoding="utf-8"), path, merges=True).data
        at = f"../../playbooks/{playbook.name}/stories/{path.name}"
        yield f"* **[{story['scenario']}]({at})** {' '.join(str(story.get('about', '')).split())}"
