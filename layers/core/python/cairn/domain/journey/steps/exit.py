"""The step `exit`: end the enrollment."""

from dataclasses import dataclass

from cairn.domain.journey.walk import Next, Stop, Walk


@dataclass(frozen=True, slots=True)
class Exit:
    id: str
    outcome: str

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (None,)

    def perform(self, walk: Walk) -> Next:
        walk.end(self.outcome)
        return Stop.HERE
