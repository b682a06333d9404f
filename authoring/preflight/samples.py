"""Made-up customers for preflight: layers/journeys/<journey>/samples.yaml (docs/journeys.md, Preflight)."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, JsonValue

from authoring.journeys import InvalidJourneysError, Problem
from authoring.journeys.shape import shape_problems
from authoring.journeys.source import Source, read_yaml
from authoring.journeys.steps.base import Wire
from authoring.journeys.values import Channel as WrittenChannel
from authoring.journeys.values import Purpose as WrittenPurpose
from authoring.journeys.values import Text
from authoring.shape import wrong
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.identity.identifiers import EMAIL, EXTERNAL, PHONE, USER_ID, Identifier, strongest_first
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel, Purpose

FILE = "samples.yaml"

MIDDAY = datetime(2026, 3, 3, 18, tzinfo=UTC)
"""The default instant of a sample: a Tuesday, midday in New York, evening in Madrid."""

RECENTLY = timedelta(hours=1)
"""How long before that instant a `heard` customer wrote."""

CONSENTED = timedelta(days=30)
"""How long before that instant consent was recorded."""


KNOWN_FOR = timedelta(days=30)
"""How long the business has known the customer."""

NAMES = frozenset({"id", "user_id", "external_ids"})
"""What a profile's view has beside its attributes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One made-up customer, with its consent."""

    name: str
    profile: Mapping[str, Any]
    """As templates see it."""
    data: Mapping[str, Any]
    values: Mapping[str, Any]
    """What its enrollment's steps have set."""
    at: datetime
    contact: Contact


def _instant(text: str) -> str:
    try:
        aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        aware = False
    if not aware:
        raise wrong(f'"{text}" is not an instant', "Write it with its offset, such as 2026-03-03T22:30:00+01:00.")
    return text


class _Consent(Wire):
    channel: WrittenChannel = Field(examples=["sms"])
    purpose: WrittenPurpose = Field(examples=["marketing"])
    status: Literal["granted", "denied", "pending"] = Field(default="granted", examples=["denied"])
    method: Text = Field(default_factory=str, examples=["double_opt_in"])


class _Sample(Wire):
    name: Text = Field(default_factory=str, examples=["a long name"])
    profile: dict[str, JsonValue] = Field(examples=['{first_name: Mia, phone: "+12015550123"}'])
    data: dict[str, JsonValue] = Field(default_factory=dict, examples=["{plan: pro}"])
    values: dict[str, JsonValue] = Field(default_factory=dict, examples=["{coupon: SPRING}"])
    consent: list[_Consent] = Field(default_factory=list, examples=["[{channel: sms, purpose: marketing}]"])
    heard: list[WrittenChannel] = Field(default_factory=list, examples=["[whatsapp]"])
    at: Annotated[str, AfterValidator(_instant)] = Field(default_factory=str, examples=["2026-03-03T22:30:00+01:00"])


def samples_of(folder: Path) -> Path:
    """The file of a journey's samples: its own, else the one that the journeys beside it share."""
    own, shared = folder / FILE, folder.parent / FILE
    return shared if shared.is_file() and not own.exists() else own


def read_samples(file: Path) -> tuple[Sample, ...]:
    """The samples of a file. Raises InvalidJourneysError with everything that is wrong with it."""
    try:
        source = read_yaml(file.read_text(encoding="utf-8"), file, merges=True)
    except FileNotFoundError:
        fix = "Write some, the awkward ones first (docs/journeys.md, Preflight)."
        raise InvalidJourneysError([Problem(file, 1, "", "", "there are no samples", fix)]) from None
    except UnicodeDecodeError:
        raise InvalidJourneysError([Problem(file, 1, "", "", "this file is not UTF-8", "Save it as UTF-8.")]) from None
    items = source.node.value if isinstance(source.node, yaml.SequenceNode) else []
    problems = list(source.problems)
    if not problems and not items:
        fix = "Write `- profile: {…}` for each customer."
        problems.append(source.problem((), "samples are a list of customers", fix))
    each = [
        replace(source, data=data, node=node, problems=()) for data, node in zip(source.data or (), items, strict=False)
    ]
    problems += [problem for one in each for problem in shape_problems(one, _Sample)]
    if problems:
        raise InvalidJourneysError(problems)
    return tuple(_sample(one, number) for number, one in enumerate(each, start=1))


def _sample(source: Source, number: int) -> Sample:
    document = source.data
    at = datetime.fromisoformat(document["at"]).astimezone(UTC) if document.get("at") else MIDDAY
    changes = [
        ConsentChange(
            Channel(one["channel"]),
            Purpose(one["purpose"]),
            ConsentStatus(one.get("status", "granted")),
            at - CONSENTED,
            "samples",
            {"method": one["method"]} if one.get("method") else {},
        )
        for one in document.get("consent", ())
    ]
    heard = {Channel(one): at - RECENTLY for one in document.get("heard", ())}
    own = {"id": f"c_sample_{number}", "tags": [], "external_ids": {}}
    return Sample(
        name=document.get("name") or f"sample {number}",
        profile=own | document["profile"],
        data=document.get("data", {}),
        values=document.get("values", {}),
        at=at,
        contact=Contact(last_inbound=heard).after(changes),
    )


def write_samples(journeys: Path, target: Path) -> None:
    """The samples of every journey that has some, for previews in a deployment.

    A file that is wrong is left out: preflight says what is, and nothing is deployed without it.
    """
    found = {}
    for file in sorted(journeys.glob(f"*/{FILE}")):
        with suppress(InvalidJourneysError):
            found[file.parent.name] = [
                {"name": one.name, "profile": one.profile, "data": one.data, "values": one.values}
                for one in read_samples(file)
            ]
    target.write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")


def profile_of(sample: Sample) -> Profile:
    """The profile of which the sample is the view."""
    view = sample.profile
    since = sample.at - KNOWN_FOR
    names = [Identifier(f"{EXTERNAL}{system}", str(id_)) for system, id_ in view.get("external_ids", {}).items()]
    names += [Identifier(kind, str(view[kind])) for kind in (USER_ID, EMAIL, PHONE) if view.get(kind)]
    profile = Profile(view["id"], since, identifiers=strongest_first(names))
    return profile.patched({name: value for name, value in view.items() if name not in NAMES}, since)
