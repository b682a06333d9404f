"""The posts that a studio makes: the samples of every source, the project's own, and an event of a customer by name."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authoring.defaults import CHECKOUT
from authoring.sources.check import vendors
from authoring.sources.samples import just_now, posting, sample_headers, samples
from authoring.stories.bodies import fill_instants
from cairn.adapters.sources import OWN, TRACK, VENDORS
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_to_wire
from infra.local import reports
from infra.local.shapes import Shape
from infra.local.studio.acts import Act
from infra.local.studio.studio import Json, Studio, StudioError

EVENTS = "events"
"""The folder of a project with samples of its own: events/<source>/<what>.json."""

MOST_SAMPLES = 400

ACCEPTED = range(200, 300)

FIRST_NAMES = ("Mia", "Noor", "Omar")
"""The customers that a form names before there is one."""

ZONE = "America/New_York"


@dataclass(frozen=True, slots=True)
class Named:
    """A sample: its source, and its file."""

    source: str
    name: str
    file: Path


def all_samples(studio: Studio) -> list[Named]:
    """The project's own first, then the reports of providers, then those of the vendors."""
    project = studio.project
    known = project.sources()
    found = [
        Named(folder.name, file.stem, file)
        for root in dict.fromkeys((project.root / EVENTS, CHECKOUT / EVENTS))
        for folder in (sorted(root.iterdir()) if root.is_dir() else ())
        if folder.name in known or folder.name == reports.SOURCE
        for file in sorted(folder.glob("*.json"))
    ]
    for folder in (project.configuration.parent / OWN, VENDORS):
        found += [
            Named(vendor, file.stem, file)
            for vendor in vendors(folder)
            if vendor in known
            for file in samples(vendor, folder)
        ]
    return list({(one.source, one.name): one for one in reversed(found)}.values())[::-1][:MOST_SAMPLES]


def sample(studio: Studio, source: str, name: str) -> Any:
    """The body of a sample as if it happened now. An event of ours has an id that was not posted yet."""
    found = next((one for one in all_samples(studio) if (one.source, one.name) == (source, name)), None)
    if found is None:
        raise StudioError(f"there is no sample {source}/{name}; choose one of the list")
    document = json.loads(found.file.read_text(encoding="utf-8"))
    if source == reports.SOURCE:
        return document
    document = just_now(source, fill_instants(document, studio.now()), studio.now(), studio.project.sources())
    if source == TRACK and isinstance(document, dict) and "id" in document:
        document |= {"id": _new_id(studio, str(document["id"]))}
    return document


def post(studio: Studio, source: str, text: str, name: str = "", customer: str = "") -> str:
    """Sign a body as its source would, post it, and do what follows from it. What came of it, in words.

    `name` is the sample that it was made of, whose headers it then has. Raises StudioError.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise StudioError(f"this is not JSON: {error}. Mend it, and post it again") from None
    if source == reports.SOURCE:
        return _report(studio, document, customer)
    known, now = studio.project.sources(), studio.now()
    if source not in known:
        raise StudioError(f"there is no source {source}; choose one of the list")
    own = next((one for one in all_samples(studio) if (one.source, one.name) == (source, name)), None)
    headers = sample_headers(own.file) if own else {}
    sent = posting(source, document, studio.secrets[source], now, headers=headers, known=known)
    route = "" if source == TRACK else source
    answer = studio.deployment.request("POST", sent.url, sent.headers, sent.body, route)
    studio.settle()
    return _answered(answer)


def _report(studio: Studio, document: Any, customer: str) -> str:
    """A provider's report takes AWS's road. `$customer`, `$message:<step>` and `$provider:<step>` are filled in."""
    try:
        filled = reports.fill_references(document, studio.deployment.report_references(customer))
    except KeyError as error:
        raise StudioError(f"there is no {error} yet that a report could be about: send the message first") from None
    studio.deployment.feedback(json.dumps(filled))
    studio.settle()
    return "Reported."


def _answered(answer: Shape) -> str:
    if answer["statusCode"] in ACCEPTED:
        return f"Taken ({answer['statusCode']})."
    try:
        detail = json.loads(answer["body"]).get("detail", answer["body"])
    except (ValueError, AttributeError):
        detail = answer.get("body", "")
    raise StudioError(f"refused ({answer['statusCode']}): {detail}")


def event_of(studio: Studio, type_: str, who: str, properties: str, *, may_be_asked: bool) -> Json:
    """An event of a customer by name, as the track API takes it. Raises StudioError.

    A name that was not used before is that of a made-up customer, with an address and a number that nobody has.
    """
    type_, who = type_.strip(), who.strip()
    if not type_ or not who:
        raise StudioError("name the event, such as trial.signup, and the customer")
    try:
        found = json.loads(properties or "{}")
    except ValueError as error:
        raise StudioError(f"the properties are not JSON: {error}") from None
    if not isinstance(found, dict):
        raise StudioError('properties are an object, such as {"plan": "pro"}')
    customer, attributes = customer_named(studio, who)
    event: Json = {
        "id": _new_id(studio, type_.replace(".", "-")),
        "type": type_,
        "occurred_at": instant_to_wire(studio.now()),
        "customer": customer,
    }
    event |= {"properties": found} if found else {}
    event |= {"attributes": attributes} if attributes else {}
    if may_be_asked:
        channels = [channel for channel, name in ((Channel.EMAIL, "email"), (Channel.SMS, "phone")) if name in customer]
        event["consent"] = [
            {"channel": one.value, "purpose": Purpose.MARKETING.value, "status": "granted", "source": "studio"}
            for one in channels
        ]
    return event


def customer_named(studio: Studio, who: str) -> tuple[Json, Json]:
    """How a post names a customer, with what is to be known of one that is new."""
    known = people(studio)
    if (found := known.get(who.casefold())) is not None:
        return found, {}
    if "@" in who:
        return {"email": who}, {}
    if re.fullmatch(r"\+[\d ()-]{6,}", who):
        return {"phone": who}, {}
    slug = re.sub(r"[^a-z0-9]+", "-", who.casefold()).strip("-") or "customer"
    number = 100 + len({one.get("user_id") for one in known.values()}) % 100
    customer = {"user_id": slug, "email": f"{slug}@example.com", "phone": f"+12015550{number}"}
    return customer, {"first_name": who.split(maxsplit=1)[0].title(), "time_zone": ZONE, "region": "NY"}


def people(studio: Studio) -> dict[str, Json]:
    """The customers of the events of ours that were posted, by each of their names."""
    found: dict[str, Json] = {}
    for event in tracked(studio.done):
        customer = event.get("customer")
        if isinstance(customer, dict):
            names = [customer.get(kind) for kind in ("user_id", "email", "phone")]
            first = (event.get("attributes") or {}).get("first_name")
            for name in [*names, first]:
                if isinstance(name, str) and name:
                    found.setdefault(name.casefold(), customer)
    return found


def tracked(acts: Sequence[Act]) -> Iterator[Json]:
    """The events that were posted to the track API."""
    for act in acts:
        if act.call == "request" and not act.given["source"]:
            try:
                body = json.loads(act.given["body"])
            except ValueError:
                continue
            yield from (one for one in (body if isinstance(body, list) else [body]) if isinstance(one, dict))


def named_people(studio: Studio) -> list[str]:
    """Names for a form: the customers of posts, by their user ids, else made-up ones."""
    posted = {str(one.get("user_id") or one.get("email") or one.get("phone")): None for one in people(studio).values()}
    return [*posted, *(one for one in FIRST_NAMES if one.casefold() not in posted)]


def event_types(studio: Studio) -> list[str]:
    """The events that the project's journeys name, those that start one first."""
    documents = [one["document"] for one in (studio.checked.compiled or () if studio.checked else ())]
    starting = [found for one in documents for found in _types_in(one["entry"])]
    return list(dict.fromkeys([*starting, *(found for one in documents for found in _types_in(one))]))


def _types_in(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("event"), str):
            yield value["event"]
        for one in value.values():
            yield from _types_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from _types_in(one)


def _new_id(studio: Studio, stem: str) -> str:
    used = {str(one.get("id")) for one in tracked(studio.done)}
    numbers = (number for number in range(1, len(used) + 2) if f"{stem}-{number}" not in used)
    return f"{stem}-{next(numbers)}"
