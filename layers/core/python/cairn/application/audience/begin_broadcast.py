"""Begin the broadcast of an event about a thing: a listing, a product, an outage."""

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from cairn.application.ports import Broadcasts
from cairn.domain.audience.audiences import Audiences
from cairn.domain.audience.broadcasts import Broadcast, broadcast_id
from cairn.domain.audience.selection import Asked, Selection, selection
from cairn.domain.event import Event
from cairn.domain.shared.errors import InvalidEventError


@dataclass(frozen=True, slots=True)
class BeginBroadcast:
    audiences: Audiences
    broadcasts: Broadcasts

    def __call__(self, event: Event, now: datetime) -> bool:
        """Whether it begins now; the same event a second time does not.

        Raises InvalidEventError where there is no such audience, or it cannot be asked so.
        """
        about = event.about or {}
        audience = self.audiences.named(about["audience"])
        if audience is None:
            near = get_close_matches(about["audience"], [one.name for one in self.audiences.all], n=1)
            meant = f"did you mean {near[0]}?" if near else "add it to audiences.toml, and redrive this event"
            raise InvalidEventError([f"about.audience: there is no audience {about['audience']}; {meant}"])
        selected = selection(audience, Asked(*(about.get(name) for name in ("partition", "from", "to", "value"))))
        if not isinstance(selected, Selection):
            raise InvalidEventError([f"about.{problem}" for problem in selected])
        limit = {"per_second": about["per_second"]} if "per_second" in about else {}
        return self.broadcasts.add(
            Broadcast(
                id=broadcast_id(event.source, event.id),
                audience=audience.name,
                audience_version=audience.version,
                type=event.type,
                at=event.occurred_at,
                properties=event.properties,
                selected=selected,
                by=event.source,
                created_at=now,
                **limit,
            )
        )
