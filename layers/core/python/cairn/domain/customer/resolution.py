"""The customer of an event: where its identifiers lead, and which names lead to this customer from now on.

A customer is *known* once a source has vouched for one of its names, or its owner has confirmed one. Laws, each a
property test (tests/unit/application/events/test_trust_properties.py):

* Names that a visitor typed find one existing customer or begin a new one. They never tie a second name to a customer
  who is known, never merge customers who are known, never replace or fill an address of theirs.
* Two different accounts of one system are two people, whatever address they share, unless this system names them in
  one event: then it says that they are one.
* A name that was only typed gives way to a source that vouches for it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cairn.domain.customer.state import Customer
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, PHONE, Identifier, may_be_same_person
from cairn.domain.identity.trust import TYPED, field_of, is_provider
from cairn.domain.policy import MAX_IDENTIFIERS

TOO_MANY = "too_many_identifiers"
"""The reason for names beyond those that a customer may have."""

OTHER_ACCOUNT = "other_account"
"""The reason for an account of a system at which the customer has another one."""

Holders = Mapping[Identifier, Customer]
"""The customer that each identifier leads to; identifiers that lead nowhere are missing."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """How an event's identifiers are understood."""

    customers: tuple[Customer, ...] = ()
    """The customers to merge; none: the event begins a new one. Of a customer who is not known, only what the event
    names is left."""
    vouched: tuple[Identifier, ...] = ()
    """Names that the customer has from now on, because the source vouches for them."""
    typed: tuple[Identifier, ...] = ()
    """Names that lead to the customer until a source vouches for them. Only a beginning customer gets any."""
    released: tuple[Customer, ...] = ()
    """Known customers, without the typed names, of which this customer gets one."""
    dropped: Mapping[str, str] = field(default_factory=dict)
    """Fields of names that the customer did not get, each with its reason."""
    by_vouched: bool = True
    """Whether the event is about the customer because its source vouches so. Otherwise a visitor typed a name."""


def needs_typed_names(event: Event, holders: Holders) -> bool:
    """Whether it matters to whom the typed names lead, with the holders of the vouched names at hand."""
    if not event.typed_identifiers:
        return False
    owners = _owners(event, holders)
    return not owners or any(_may_begin(owner, event, name) for owner in owners for name in event.typed_identifiers)


def resolve(
    event: Event, holders: Holders, limit: int = MAX_IDENTIFIERS, guarded: frozenset[str] = frozenset()
) -> Resolution:
    """The customer of an event.

    `holders` knows the vouched names, and the typed ones if `needs_typed_names`. `guarded` are attributes that the
    policy's rules read.
    """
    if is_provider(event.source) and event.about_a_message and not _owners(event, holders):
        found = next((holders[name] for name in event.identifiers if name in holders), None)
        if found is not None:  # an answer finds the customer whom it answers, and ties nothing
            return Resolution((found,), by_vouched=False)
    owners = _one_person(event, holders, limit)
    known = _known_by_typed_name(event, holders)
    if owners and not (known and _is_bare_record(owners, event)):
        return _joined(event, holders, owners, limit, guarded)
    if not event.vouched_identifiers:
        return _found_or_begun(event, holders)
    if known is not None and may_be_same_person(event.vouched_identifiers, known.profile.vouched_identifiers):
        return Resolution((known,), dropped=_as_dropped(event.vouched_identifiers, TYPED), by_vouched=False)
    return _joined(event, holders, owners, limit, guarded)


def one_by_order(
    customers: tuple[Customer, ...], limit: int = MAX_IDENTIFIERS, guarded: frozenset[str] = frozenset()
) -> Resolution:
    """The first customer, with those whom a person has called the same, unless the rules for sources keep them apart.

    What a visitor typed becomes no name or address of a customer who is known, by whatever order.
    """
    first, *others = customers
    if not others:
        return Resolution(customers)
    if reason := why_apart(customers, limit):
        return Resolution((first,), dropped={"customer.duplicate": reason})
    known = any(one.profile.is_known for one in customers)
    return Resolution(
        tuple(one.narrowed((), guarded, joins=True) if known and not one.profile.is_known else one for one in customers)
    )


def why_apart(customers: Sequence[Customer], limit: int = MAX_IDENTIFIERS) -> str:
    """Why customers cannot be one: OTHER_ACCOUNT or TOO_MANY; empty where they can."""
    names: set[Identifier] = set()
    for one in customers:
        own = one.profile.vouched_identifiers
        if not may_be_same_person(names, own):
            return OTHER_ACCOUNT
        names |= set(own)
    return TOO_MANY if len(names) > limit else ""


def _joined(
    event: Event, holders: Holders, owners: Sequence[Customer], limit: int, guarded: frozenset[str]
) -> Resolution:
    """The event of the owners of its vouched names; without any, of a visitor who has typed its names, or of nobody."""
    own = {name for owner in owners for name in owner.profile.vouched_identifiers}
    one_person = own | _said_to_be_one(event)
    wanted = [name for name in event.vouched_identifiers if name not in own and _owner(name, holders) is None]
    fitting = [name for name in wanted if may_be_same_person(one_person, [name])]
    room = max(0, limit - len(own))
    vouched, refused = fitting[:room], fitting[room:]
    joining = {owner.id: owner for owner in owners}
    released: dict[str, Customer] = {}
    for name in vouched:
        holder = holders.get(name)
        if holder is None or holder.id in joining:
            continue
        if holder.profile.is_known:
            released[holder.id] = holder.without_typed()
        else:
            joining[holder.id] = holder
    typed = []
    for name in event.typed_identifiers:
        holder = holders.get(name)
        if owners and not any(_may_begin(owner, event, name) for owner in owners):
            continue
        if holder is None or (holder.id in joining and not holder.profile.is_known):
            typed.append(name)
        elif not holder.profile.is_known and not typed:  # one visitor joins, not several
            typed.append(name)
            joining[holder.id] = holder
    names = (*vouched, *typed)
    customers = tuple(
        one if one.profile.is_known else one.narrowed(names, guarded, joins=bool(owners)) for one in joining.values()
    )
    return Resolution(
        customers,
        tuple(vouched),
        tuple(typed),
        tuple(released.values()),
        _as_dropped(refused, TOO_MANY) | _as_dropped(set(wanted) - set(fitting), OTHER_ACCOUNT),
    )


def _found_or_begun(event: Event, holders: Holders) -> Resolution:
    """Only typed names: the strongest decides. It finds one customer, or begins a new one with those that are free."""
    strongest = event.typed_identifiers[0]
    holder = holders.get(strongest)
    if holder is not None and (not holder.profile.is_known or strongest in holder.profile.own_identifiers):
        others = [name for name in event.typed_identifiers if name not in holder.profile.identifiers]
        return Resolution((holder,), dropped=_as_dropped(others, TYPED), by_vouched=False)
    released = () if holder is None else (holder.without_typed(),)
    free = tuple(name for name in event.typed_identifiers if name == strongest or name not in holders)
    return Resolution(typed=free, released=released, by_vouched=False)


def _owner(name: Identifier, holders: Holders) -> Customer | None:
    """The customer for whom a name is vouched."""
    holder = holders.get(name)
    return holder if holder is not None and name in holder.profile.vouched_identifiers else None


def _owners(event: Event, holders: Holders) -> list[Customer]:
    """The owners of the vouched names, each once, in the order of the names."""
    owners = (_owner(name, holders) for name in event.vouched_identifiers)
    return list({owner.id: owner for owner in owners if owner is not None}.values())


def _one_person(event: Event, holders: Holders, limit: int) -> list[Customer]:
    """The owners of the vouched names who may be one person, with no more names together than a customer may have.

    The strongest name decides: an owner who has another account at a system that a stronger name belongs to is
    another person.
    """
    same: list[Customer] = []
    names = _said_to_be_one(event)
    for name in event.vouched_identifiers:
        owner = _owner(name, holders)
        if owner is None:
            names |= {name} if may_be_same_person(names, [name]) else set()
        elif owner.id not in {one.id for one in same}:
            own = owner.profile.vouched_identifiers
            if may_be_same_person(names, own) and (not same or len(names | set(own)) <= limit):
                same.append(owner)
                names |= set(own)
    return same


def _said_to_be_one(event: Event) -> set[Identifier]:
    """The ids of one system that the system itself says are one person: a merged contact, a number that changed."""
    kinds = Counter(name.kind for name in event.vouched_identifiers)
    return {name for name in event.vouched_identifiers if kinds[name.kind] > 1}


def _known_by_typed_name(event: Event, holders: Holders) -> Customer | None:
    """The known customer whose own address the strongest typed name is."""
    if not event.typed_identifiers:
        return None
    strongest = event.typed_identifiers[0]
    holder = holders.get(strongest)
    if holder is None or not holder.profile.is_known or strongest not in holder.profile.own_identifiers:
        return None
    return holder


def _is_bare_record(owners: Sequence[Customer], event: Event) -> bool:
    """Whether nothing is known of the owners but the vendor's ids in this event: no other name, and no address."""
    return all(
        set(owner.profile.identifiers) <= set(event.vouched_identifiers) and not _has_address(owner) for owner in owners
    )


def _may_begin(owner: Customer, event: Event, name: Identifier) -> bool:
    """Whether a typed name still belongs to the beginning of a customer.

    The customer has no names but the vendor's ids in this event and what was typed beside them, and no address of the
    name's kind.
    """
    profile = owner.profile
    record = set(profile.vouched_identifiers) <= set(event.vouched_identifiers)
    return record and not _has_address(owner, name.kind)


def _has_address(owner: Customer, *kinds: str) -> bool:
    kinds = kinds or (EMAIL, PHONE)
    return any(one.kind in kinds for one in owner.profile.identifiers) or any(owner.profile.get(one) for one in kinds)


def _as_dropped(names: Iterable[Identifier], reason: str) -> dict[str, str]:
    return {f"customer.{field_of(name)}": reason for name in names}
