"""What does not carry over, each with what to do about it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """`about` is an activity of the journey, or the field that the note is about; `mend` is a sentence."""

    journey: str
    about: str
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.journey}: {self.about}: {self.message}. {self.mend}"


@dataclass
class Notes:
    """The notes of one journey, each once."""

    journey: str
    found: dict[Note, None] = field(default_factory=dict)

    def add(self, about: str, message: str, mend: str) -> None:
        self.found[Note(self.journey, about, message, mend)] = None
