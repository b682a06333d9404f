"""A run that was clicked together, written down as a story that `cairn replay` passes (docs/scenarios.md)."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from authoring.defaults import own_or_default
from authoring.sources.samples import posting
from authoring.stories.comparison import compare
from authoring.stories.document import read
from authoring.stories.models import WITH_TASKS
from authoring.stories.update import updated
from cairn.adapters.dynamodb.tasks import DynamoTasks
from cairn.adapters.sources import TRACK
from cairn.domain.shared.instants import duration_text, instant_to_wire
from infra.local import reports
from infra.local.scenario import BUTTONS, ROUTE_OF
from infra.local.studio.acts import Act
from infra.local.studio.messages import links_in
from infra.local.studio.posting import ACCEPTED
from infra.local.studio.studio import Json, Ordered, Studio, StudioError

FOLDER, ENDING = "stories", ".story.yaml"

OWN_ROUTES = frozenset({"consent", "detach", "export", "erase"})
"""Orders whose route has the same name."""

READING_ROUTES = frozenset({"explain", "leads"})
READING = frozenset(
    {"find", "timeline", "enrollments", "show", "report", "preview", "count", "overlap", "members", "sample"}
)
"""These are asked with POST, because they name customers, and change nothing."""

OF_THE_WAY = re.compile(r"x-(?:forwarded|amzn|real)-.*")
"""Headers that something between has added."""


@dataclass(frozen=True, slots=True)
class Saved:
    file: Path
    left_out: tuple[str, ...]
    """What happened, and no story can say."""


def save(studio: Studio, name: str, sentence: str) -> Saved:
    """Write the story of what came in so far, with what must come out. Raises StudioError, CannotUpdateError."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    if not slug:
        raise StudioError("give the story a name, such as mia-gets-the-welcome")
    file = studio.project.root / FOLDER / f"{slug}{ENDING}"
    if file.exists():
        raise StudioError(f"{file} exists: choose another name, or remove it")
    if not studio.done:
        raise StudioError("nothing has happened yet: post something first")
    left_out: list[str] = []
    text = _text(studio, file, sentence.strip() or slug.replace("-", " ").capitalize(), left_out)
    known = studio.project.sources()
    file.parent.mkdir(parents=True, exist_ok=True)
    text = updated(file, text, compare(read(file, text, known), studio.lines()), known)
    file.write_text(text, encoding="utf-8")
    return Saved(file, tuple(dict.fromkeys(left_out)))


def _text(studio: Studio, file: Path, sentence: str, left_out: list[str]) -> str:
    parts: dict[str, list[Json]] = {"posts": [], "orders": [], "clicks": []}
    for number, act in enumerate(studio.done):
        status = studio.statuses.get(number, 0)
        for part, item in _of_act(studio, act, status, left_out):
            parts[part].append({"at": _at(studio, act.at), **item})
    names = {line["customer_id"]: line["customer"] for line in studio.lines()}
    for order in studio.orders:
        if (said := _order(order, names, studio, left_out)) is not None:
            parts["orders"].append({"at": _at(studio, order.at), **said})
    length = duration_text(studio.now() - studio.starts) if studio.now() > studio.starts else "0s"
    head: Json = {"scenario": sentence, "starts": instant_to_wire(studio.starts), "for": length, **_files(studio, file)}
    answers = _answers(studio)
    story = head | {name: found for name, found in parts.items() if found or name == "posts"} | answers
    return yaml.safe_dump(story, sort_keys=False, allow_unicode=True, width=118, default_flow_style=None)


def _files(studio: Studio, file: Path) -> dict[str, str]:
    """The journeys and the policy, where the folder of the story would not take them by itself."""
    project, base, story = studio.project, studio.state.base, studio.scenario
    beside = base.story.parent if base and base.story else project.root
    found = {}
    for name, used, of_story in (
        ("journeys", project.journeys, story.journeys if story else None),
        ("policy", project.policy, story.policy if story else None),
    ):
        path = beside / of_story if of_story else used
        if path.resolve() != own_or_default(f"cairn_{name}", project.root).resolve():
            found[name] = Path(os.path.relpath(path.resolve(), file.parent.resolve())).as_posix()
    return found


def _answers(studio: Studio) -> Json:
    """What the endpoints answered, as the story said that was open."""
    if studio.scenario is None or not studio.scenario.answers:
        return {}
    return {"answers": [one.model_dump(mode="json", exclude_defaults=True) for one in studio.scenario.answers]}


def _at(studio: Studio, at: datetime) -> str:
    return duration_text(at - studio.starts) if at > studio.starts else "0s"


def _of_act(studio: Studio, act: Act, status: int, left_out: list[str]) -> Iterator[tuple[str, Json]]:
    """The part of a story that an act belongs to, and what stands there. Orders are noted where they are done."""
    match act.call:
        case "request":
            if (post := _post(studio, act, status)) is not None:
                yield "posts", post
            else:
                left_out.append("a post whose body is neither JSON nor a form")
        case "feedback":
            yield "posts", _report(studio, act)
        case "visit":
            if (click := _click(studio, act)) is not None:
                yield "clicks", click
            else:
                left_out.append("a page of a link that is neither of unsubscribe nor of confirm")
        case "fill_audiences":
            left_out.append("the filling of audiences")
        case _:
            pass  # an order, which is noted where it is done


def _post(studio: Studio, act: Act, status: int) -> Json | None:
    source = act.given["source"] or TRACK
    text = act.given["body"].decode("utf-8", "replace")
    given = {name.lower(): value for name, value in act.given["headers"].items()}
    try:
        form = "form" in given.get("content-type", "")
        body = _unlisted(parse_qs(text, keep_blank_values=True)) if form else json.loads(text)
    except ValueError:
        return None
    known = studio.project.sources()
    signed = posting(source, body, studio.secrets[source], act.at, known=known).headers if source in known else {}
    own = {
        name: value
        for name, value in given.items()
        if name.startswith("x-") and name not in {one.lower() for one in signed} and not OF_THE_WAY.fullmatch(name)
    }
    return {
        **({"source": source} if source != TRACK else {}),
        "event": _relative(body, act.at),
        **({"headers": own} if own else {}),
        **({"status": status} if status not in ACCEPTED else {}),
    }


def _unlisted(form: Mapping[str, list[str]]) -> Json:
    return {name: values[0] if len(values) == 1 else values for name, values in form.items()}


def _relative(value: Any, at: datetime) -> Any:
    """With `$at` and `$epoch` for the post's own instant, so that the story can be moved."""
    if isinstance(value, dict):
        return {name: _relative(one, at) for name, one in value.items()}
    if isinstance(value, list):
        return [_relative(one, at) for one in value]
    if value == instant_to_wire(at):
        return "$at"
    return "$epoch" if type(value) is int and value == int(at.timestamp()) else value


def _report(studio: Studio, act: Act) -> Json:
    """A provider's report, with the names of the ids that it refers to."""
    text, customer = act.given["body"], ""
    for line in studio.lines():
        if any(line.get(name) and line[name] in text for name in ("message_id", "provider_id")):
            customer = line["customer"]
    for name, id_ in sorted(studio.deployment.report_references(customer).items(), key=lambda one: -len(one[1])):
        text = text.replace(id_, f"${name}") if id_ else text
    return {"source": reports.SOURCE, "event": json.loads(text), **({"customer": customer} if customer else {})}


def _click(studio: Studio, act: Act) -> Json | None:
    """The button behind a link of an e-mail."""
    kind, _, token = urlsplit(act.given["url"]).path.strip("/").partition("/")
    mails = studio.deployment.cloud.mails
    tags = [{tag["Value"] for tag in mail.get("EmailTags", ())} for mail in mails if token in links_in(mail)]
    lines = (line for line in studio.lines() if kind in BUTTONS and any(line.get("message_id") in one for one in tags))
    line = next(lines, None)
    return {"link": kind, "step": line["step"], "customer": line["customer"]} if line else None


def _order(order: Ordered, names: Mapping[str, str], studio: Studio, left_out: list[str]) -> Json | None:
    """What an operator did, as a story says it; None for what only reads, or what no story can say."""
    route, document = order.route.rpartition("/")[2], dict(order.document)
    do = str(document.pop("do", ""))
    if route in READING_ROUTES or do in READING:
        return None
    if isinstance(document.get("customer"), str):
        document["customer"] = names.get(document["customer"], document["customer"])
    if route in OWN_ROUTES:
        return {"do": route, **document}
    if ROUTE_OF.get(do) != route:
        left_out.append(f"{do or route} ({order.route})")
        return None
    rules: dict[str, Callable[[], Json | None]] = {
        "tasks": lambda: _task_order(do, document, studio),
        "reviews": lambda: _review(do, document, studio),
    }
    found = rules.get(route, lambda: {"do": do, **document})()
    if found is None:
        left_out.append(f"{do} ({order.route})")
    return found


def _task_order(do: str, document: Json, studio: Studio) -> Json | None:
    id_ = document.pop("task", "")
    tasks = (one for customer in studio.customers() for one in DynamoTasks().of_customer(customer) if one.id == id_)
    task = next(tasks, None)
    if task is None or do not in WITH_TASKS:
        return None
    about = {"step": task.step} if task.step else {"reason": task.reason}
    call_at = {"call_at": document.pop("at")} if "at" in document else {}
    return {"do": do, **about, **document, **call_at}


def _review(do: str, document: Json, studio: Studio) -> Json | None:
    id_ = document.pop("message", "")
    document.pop("customer", None)
    line = next((one for one in studio.lines() if one.get("message_id") == id_), None)
    return {"do": do, "step": line["step"], **document} if line else None
