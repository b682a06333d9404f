"""Customers as they are stored, and what one trigger changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cairn.domain.customer.state import Customer, Reaction
    from cairn.domain.effects import Effect
    from cairn.domain.event import Event
    from cairn.domain.identity.identifiers import Identifier
    from cairn.domain.journey.enrollment import Enrollment
    from cairn.domain.profile.profile import Profile


@dataclass(frozen=True, slots=True)
class FoundCustomers:
    """The customers of some identifiers, each once. And the identifiers that belong to nobody."""

    customers: tuple[Customer, ...] = ()
    unclaimed: tuple[Identifier, ...] = ()
    erased: Mapping[Identifier, datetime] = field(default_factory=dict)
    """Identifiers whose customer was erased, with the time of the erasure."""
    pointers: Mapping[Identifier, str] = field(default_factory=dict)
    """By an unclaimed identifier, the id under which it can be claimed, if a customer who lost it has the usual one."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Everything that follows from one trigger, written atomically."""

    reaction: Reaction
    before: tuple[Customer, ...]
    """The customers as loaded: their versions must still be current. All but the reaction's customer are absorbed."""
    at: datetime
    event: Event | None = None
    claimed: tuple[Identifier, ...] = ()
    """Identifiers that lead to the customer from now on. They must belong to nobody yet."""
    released: tuple[Customer, ...] = ()
    """Other customers, without the identifiers that they lose by this commit."""
    follows: Mapping[str, tuple[Effect, ...]] = field(default_factory=dict)
    """What follows for them from that, by their ids."""


@dataclass(frozen=True, slots=True)
class PresentCustomer:
    """What effects need of a customer as they are now."""

    profile: Profile
    enrollments: Mapping[str, Enrollment] = field(default_factory=dict)
    """Of those that were asked for, the ones that the customer still has."""
