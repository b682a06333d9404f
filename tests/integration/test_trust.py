"""The stories of trust, on the real table: names that are lost, released, detached and claimed again."""

from collections.abc import Callable
from typing import Any

import pytest

from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.application.values.customers import Commit
from cairn.domain.identity.identifiers import Identifier
from tests.unit.application.events import test_trust as stories
from tests.unit.application.events.test_trust import MIA, Shop
from tests.unit.fakes import KEYS

pytestmark = pytest.mark.usefixtures("table")


class Recorded(DynamoCustomers):
    """The table's customers; it remembers what was committed."""

    def __init__(self) -> None:
        super().__init__(KEYS)
        self.commits: list[Commit] = []

    def commit(self, commit: Commit) -> None:
        super().commit(commit)
        self.commits.append(commit)


@pytest.fixture
def shop() -> Shop:
    customers: Any = Recorded()
    return Shop(customers=customers)


@pytest.mark.parametrize(
    "story",
    [
        stories.test_what_a_visitor_typed_is_answered_there_alone,
        stories.test_once_a_source_vouches_the_other_typed_names_are_dropped,
        stories.test_a_vendors_record_loses_a_typed_address_to_its_owner_and_keeps_its_id,
        stories.test_data_of_another_visitor_goes_on_only_where_both_allow,
        stories.test_an_address_counts_once_its_owner_has_clicked_a_link_that_was_sent_there,
        stories.test_a_number_that_a_guest_typed_into_her_account_never_sees_what_is_known_of_her,
        stories.test_a_name_still_leads_to_its_customer_when_the_one_who_began_with_it_is_erased,
        stories.test_a_name_that_was_lost_is_free_after_both_are_erased,
        stories.test_running_journeys_no_longer_write_to_a_detached_address,
    ],
)
def test_a_story_of_trust_on_the_table(shop: Shop, story: Callable[[Shop], None]) -> None:
    story(shop)


@pytest.mark.parametrize("lost", MIA)
def test_a_detached_identifier_on_the_table(shop: Shop, lost: Identifier) -> None:
    stories.test_a_detached_identifier_leads_to_nobody_and_then_to_the_next(shop, lost)
