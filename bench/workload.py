"""Journeys that are generated, and customers that post events: all by the front door, in any layout of the table."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from authoring.sources.samples import posting
from infra.local.deployment import LocalDeployment
from infra.local.signing import LOCAL_SECRET

KILOBYTE = "x" * 1000
ORDER = {
    "product": "Court 4, indoors",
    "starts_at": "2026-06-01T18:30:00Z",
    "price": 4900,
    "url": "https://example.com/orders",
}
"""What a mapping takes from a vendor's event: a few fields, with the key some 150 bytes."""
VALUE = "an attribute of thirty-six character"
NOBODY_HEARS = "page.viewed"
OPENS = "folder.opened"
STARTS = "order.placed"
MAILS = "order.mailed"

WAIT = timedelta(hours=1)
NEXT_DAY = timedelta(days=1)
MAIL = {"send": {"channel": "email", "template": "note", "purpose": "transactional"}}
NOTE = "---\nsubject: Thank you\n---\n<p>Hello {{ profile.first_name }}, thank you for the order.</p>"


@contextmanager
def journeys(number: int, *, one_event: int = 0) -> Iterator[Path]:
    """A folder of `number` journeys, of which two hear the events of `Customer`, and the others hear other events.

    `one_event`: so many of the others begin with the event that starts an enrollment.
    """
    with TemporaryDirectory(prefix="cairn-journeys-") as made:
        folder = Path(made)
        _write(folder / "folders", OPENS, [{"id": "open", "wait": "60d"}])
        _write(folder / "orders", STARTS, [{"id": "soon", "wait": "1h"}, {"id": "later", "wait": "60d"}])
        mails = [{"id": "soon", "wait": "1h"}, {"id": "mail", **MAIL}, {"id": "next-day", "wait": "1d"}]
        _write(folder / "mails", MAILS, mails)
        for other in range(number - len(list(folder.iterdir()))):
            event = STARTS if other < one_event else f"other{other}.happened"
            _write(folder / f"other-{other}", event, [{"id": "wait", "wait": "60d"}])
        yield folder


def _write(folder: Path, event: str, steps: list[Mapping[str, Any]]) -> None:
    (folder / "templates").mkdir(parents=True)
    document = {
        "journey": folder.name,
        "description": "Made to be measured.",
        "time_zone": "America/New_York",
        "entry": {"event": event, "key": "event.properties.key", "again": "when-ended"},
        "exit_on": [{"event": f"{folder.name.replace('-', '')}.stopped", "key": "any"}],
        "steps": steps,
    }
    (folder / "journey.yaml").write_text(json.dumps(document))
    if any("send" in step for step in steps):
        (folder / "templates" / "note.email.html").write_text(NOTE)


@dataclass(slots=True)
class Customer:
    deployment: LocalDeployment
    name: str
    attributes: int = 1
    _events: Iterator[int] = field(default_factory=lambda: count(1))

    def post(self, event_type: str, *, settle: bool = True, **more: Any) -> None:
        """Post one signed event, and do all work that is due now unless it is to wait."""
        number = next(self._events)
        document = {
            "id": f"{self.name}-{number}",
            "type": event_type,
            "customer": {"user_id": self.name, "email": f"{self.name}@example.com"},
            **more,
        }
        now = self.deployment.now()
        sent = posting("track", document, LOCAL_SECRET, now)
        answer = self.deployment.request("POST", sent.url, sent.headers, sent.body)
        if answer["statusCode"] != 202:  # noqa: PLR2004
            raise RuntimeError(f"an event was refused: {answer['body']}")
        if settle:
            self.deployment.settle()

    def arrives(self, enrollments: int) -> None:
        """Set all attributes, and open so many enrollments with a kilobyte of data each."""
        names = [f"attribute_{number}" for number in range(1, self.attributes)]
        attributes = {"first_name": "Mia", **dict.fromkeys(names, VALUE)}
        items = list(attributes.items())
        for at in range(0, len(items), 50):
            self.post(NOBODY_HEARS, attributes=dict(items[at : at + 50]))
        for number in range(enrollments):
            self.post(OPENS, properties={"key": f"folder-{number}", "text": KILOBYTE})

    def starts(self, number: int, event_type: str = STARTS) -> None:
        self.post(event_type, properties={"key": f"order-{number}", **ORDER})

    def ids(self) -> list[str]:
        return self.deployment.customer_ids(self.name)


def passes(made: LocalDeployment, length: timedelta) -> None:
    made.advance_to(made.now() + length)
