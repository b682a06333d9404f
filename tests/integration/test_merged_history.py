"""Records that lie under an id which was merged are part of the customer's history, whenever they were written."""

import pytest

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.codec import names_to_wire
from cairn.adapters.dynamodb.entries import changed_entries
from cairn.adapters.dynamodb.items import FACTS, STATE, CustomerItem, RecordItem
from cairn.adapters.dynamodb.present_customers import DynamoPresentCustomers
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.domain.customer.state import Customer
from cairn.domain.effects import Fact
from cairn.domain.profile.profile import Profile
from tests.unit.makers import MONDAY

HAPPENED = (Fact("entered", "e1", "visit"),)


SURVIVOR = Profile("c_new", MONDAY, merged={"c_old": MONDAY})
STORED = {
    "as now": {
        "profile": names_to_wire(SURVIVOR),
        "entries": changed_entries(Customer(Profile("c_new", MONDAY)), Customer(SURVIVOR)),
    },
    "until 0.2": {"profile": codec.profile_to_wire(SURVIVOR)},
}


@pytest.fixture(params=STORED, autouse=True)
def merged(table: str, request: pytest.FixtureRequest) -> None:  # noqa: ARG001
    CustomerItem("c_new", STATE, version=2, **STORED[request.param]).save()
    CustomerItem("c_old", STATE, alias_of="c_new").save()


def test_what_is_written_under_the_old_id_after_the_merge_was_relayed_is_shown_and_found() -> None:
    timeline = DynamoTimeline()
    timeline.absorb("c_new", "c_old")

    timeline.remember("c_old", "000000001", HAPPENED, MONDAY)  # from another shard, which was late

    assert [line["kind"] for line in timeline.entries("c_new")] == ["entered"]


def test_a_late_commit_of_a_merged_profile_is_written_once_wherever_it_is_written() -> None:
    timeline = DynamoTimeline()
    timeline.remember("c_old", "000000001", HAPPENED, MONDAY)
    timeline.remember("c_new", "000000001", HAPPENED, MONDAY, "c_old")
    assert len(timeline.entries("c_new")) == 1

    timeline.absorb("c_new", "c_old")

    assert len(timeline.entries("c_new")) == 1
    assert [item.sk for item in RecordItem.query("c_new", RecordItem.sk.startswith(FACTS))] == [
        f"{FACTS}000000001-c_old"
    ]


def test_a_commit_that_enters_many_journeys_is_written_in_few_calls() -> None:
    entries = tuple(Fact("entered", f"e{number}", "visit") for number in range(60))

    DynamoTimeline().remember("c_new", "000000003", entries, MONDAY)

    assert len(DynamoTimeline().entries("c_new")) == 60


def test_present_ids_follow_merges_and_end_at_an_erasure() -> None:
    CustomerItem("c_older", STATE, alias_of="c_old").save()
    CustomerItem("c_erased", STATE, erased="2026-03-02T15:00:00Z").save()
    CustomerItem("c_erased_since", STATE, erased="2026-03-02T15:00:00Z", alias_of="c_new").save()
    CustomerItem("c_of_erased", STATE, alias_of="c_erased").save()
    asked = {"c_new", "c_old", "c_older", "c_erased", "c_erased_since", "c_of_erased", "c_unknown"}

    assert DynamoPresentCustomers().present_ids(asked) == dict.fromkeys(("c_new", "c_old", "c_older"), "c_new")
