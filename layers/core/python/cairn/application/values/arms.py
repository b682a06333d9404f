"""How many customers are in the arms of splits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CountedArm:
    version: str
    step: str
    arm: str


@dataclass(frozen=True, slots=True)
class ArmCount:
    entered: int = 0
    reached: int = 0
    """Of the customers who entered."""
