"""The message that a reply is about, and how a model reads the reply."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that a reply or a report is about, and the step that sent it."""

    id: str
    journey: str = ""
    version: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Guess:
    """How a model reads a reply."""

    intent: str
    """The name of an intent; empty for none of them."""
    confidence: float
    """From 0 to 1, as the model says."""
    draft: str = ""
