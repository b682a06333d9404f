"""Whether a customer may be written to: the last word counts, and a dead address stays dead."""

from datetime import timedelta
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.consent import Channel, ConsentChange, ConsentStatus, Purpose, latest
from cairn.domain.contact import HISTORY_LENGTH, HISTORY_WINDOW, Claim, Contact, Suppression
from tests.unit.makers import MONDAY, denied, granted
from tests.unit.strategies import consent_changes, few_instants

HOUR = timedelta(hours=1)
NEWS = (Channel.EMAIL, Purpose.MARKETING)

some_changes = st.lists(consent_changes, max_size=6)
suppressions = st.dictionaries(
    st.sampled_from(["a@x.org", "b@x.org"]),
    st.builds(Suppression, st.sampled_from(["bounced", "complained"]), few_instants),
)
contacts = st.builds(
    lambda said, dead: Contact(suppressed=dead).after(said),
    some_changes,
    suppressions,
)


@given(some_changes, st.randoms(use_true_random=False))
def test_words_on_consent_may_arrive_in_any_order(said: list[ConsentChange], luck: Any) -> None:
    shuffled = list(said)
    luck.shuffle(shuffled)

    assert Contact().after(said) == Contact().after(shuffled)


@given(contacts, contacts, contacts)
def test_contacts_that_are_one_are_the_same_in_whichever_order_they_meet(
    one: Contact, two: Contact, three: Contact
) -> None:
    assert one.absorbing(two) == two.absorbing(one)
    assert one.absorbing(two).absorbing(three) == one.absorbing(two.absorbing(three))
    assert one.absorbing(one) == one


def test_the_later_word_counts() -> None:
    contact = Contact().after([denied(*NEWS, MONDAY + HOUR), granted(*NEWS, MONDAY)])

    assert contact.consent(*NEWS) is ConsentStatus.DENIED
    assert contact.after([granted(*NEWS, MONDAY + 2 * HOUR)]).consent(*NEWS) is ConsentStatus.GRANTED


def test_of_two_words_at_the_same_instant_the_denial_counts() -> None:
    yes, no = granted(*NEWS), denied(*NEWS)

    assert latest(yes, no) == latest(no, yes) == no


def test_one_channel_says_nothing_of_another() -> None:
    contact = Contact().after([granted(*NEWS)])

    assert contact.consent(Channel.SMS, Purpose.MARKETING) is None
    assert contact.consent(Channel.EMAIL, Purpose.TRANSACTIONAL) is None


@given(suppressions, st.lists(st.tuples(st.sampled_from(["a@x.org", "c@x.org"]), few_instants), max_size=4))
def test_a_dead_address_stays_dead(dead: dict[str, Suppression], told: list[tuple[str, Any]]) -> None:
    contact = reduce(lambda so_far, one: so_far.suppressing(one[0], "bounced", one[1]), told, Contact(suppressed=dead))

    assert set(contact.suppressed) == set(dead) | {address for address, _ in told}


def test_claims_are_forgotten_once_no_cap_and_no_retry_looks_at_them() -> None:
    old = {f"old-{number}": Claim(MONDAY - HISTORY_WINDOW, Purpose.MARKETING) for number in range(HISTORY_LENGTH)}
    young = {"young": Claim(MONDAY, Purpose.MARKETING)}

    assert Contact(claims=old).pruned(MONDAY).claims == old  # few enough to keep
    assert Contact(claims=old | young).pruned(MONDAY).claims == young
