"""The record of the identity key in the table, and what CloudFormation hears in a deployment."""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.dynamodb.identity_record import DynamoIdentityRecord
from cairn.adapters.dynamodb.status_reports import DynamoStatusReports
from cairn.domain.message.message import STATUS_REPORTS
from cairn.domain.shared.errors import ConflictError, IdentityKeyError
from functions.check_identity_key import handler as function
from infra.local.cloud import IDENTITY_KEYS, IDENTITY_SECRET
from infra.local.deployment import LocalDeployment, load_handler, local_deployment
from infra.local.wiring import FUNCTIONS, Function
from tests.cloudformation import deploys, empties_the_table
from tests.unit.makers import MONDAY

CHECKED = [one for one in FUNCTIONS if "identity_fingerprint" in {each.name for each in fields(one.settings)}]
JOURNEYS = Path(__file__).parents[1] / "journeys"


@pytest.fixture
def made() -> Iterator[LocalDeployment]:
    with local_deployment(JOURNEYS, start=MONDAY, secrets={}) as deployment:
        empties_the_table()
        yield deployment


def stores(made: LocalDeployment, content: Any) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    made.cloud.client("secretsmanager").put_secret_value(SecretId=made.cloud.identity_secret_id, SecretString=text)


def test_a_record_is_written_once(made: LocalDeployment) -> None:
    record = DynamoIdentityRecord()
    assert record.fingerprint() is None
    assert not record.table_is_used()

    record.write("a", made.now())

    assert record.fingerprint() == "a"
    assert record.table_is_used()
    with pytest.raises(ConflictError):
        record.write("b", made.now())
    assert record.fingerprint() == "a"


def test_the_first_deployment_records_the_key_and_later_ones_compare(made: LocalDeployment) -> None:
    first, again = deploys(made), deploys(made, "Update")

    for answer in (first, again):
        assert answer["Status"] == "SUCCESS"
        assert answer["Data"] == {"Fingerprint": IDENTITY_KEYS.fingerprint}
    assert DynamoIdentityRecord().fingerprint() == IDENTITY_KEYS.fingerprint


def test_only_the_first_deployment_notes_that_no_earlier_release_stored_versions(made: LocalDeployment) -> None:
    deploys(made)
    assert DynamoStatusReports().unheard() == STATUS_REPORTS
    empties_the_table()

    deploys(made, "Update")

    assert DynamoStatusReports().unheard() == frozenset()


@pytest.mark.parametrize(
    "content",
    [{"key": "another-identity-key-that-nobody-has"}, {"key": "short"}, {}, "[]", {**IDENTITY_SECRET, "salt": "x"}],
)
def test_a_changed_key_is_refused_with_the_way_back_and_works_again_once_restored(
    made: LocalDeployment, content: Any
) -> None:
    deploys(made)
    stores(made, content)

    refused = deploys(made, "Update")

    assert refused["Status"] == "FAILED"
    assert "Put back the value from your backup (docs/operations.md" in refused["Reason"]
    stores(made, dict(IDENTITY_SECRET))
    assert deploys(made, "Update")["Status"] == "SUCCESS"


def test_a_lost_key_is_refused(made: LocalDeployment) -> None:
    deploys(made)
    made.cloud.client("secretsmanager").delete_secret(SecretId=made.cloud.identity_secret_id)

    refused = deploys(made, "Update")

    assert refused["Status"] == "FAILED"
    assert "cannot be read" in refused["Reason"]
    assert "Put back" in refused["Reason"]


def test_a_stack_that_goes_leaves_key_and_record(made: LocalDeployment) -> None:
    deploys(made)

    assert deploys(made, "Delete")["Status"] == "SUCCESS"
    assert DynamoIdentityRecord().fingerprint() == IDENTITY_KEYS.fingerprint


def test_an_answer_that_cloudformation_does_not_take_is_given_again(made: LocalDeployment) -> None:
    assert deploys(made, "Create", 503, 500)["Status"] == "SUCCESS"


def test_an_unexpected_error_is_an_answer_too(made: LocalDeployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Callable[..., str]:
        raise OSError("with a text that may quote anything")

    monkeypatch.setattr(function, "check", broken)

    refused = deploys(made)

    assert refused["Status"] == "FAILED"
    assert "could not be checked: OSError in" in refused["Reason"]
    assert "quote anything" not in refused["Reason"]


@pytest.mark.parametrize("function", CHECKED, ids=lambda function: function.name)
def test_a_function_does_not_start_with_another_key(made: LocalDeployment, function: Function) -> None:
    stores(made, {"key": "another-identity-key-that-nobody-has"})

    with pytest.raises(IdentityKeyError, match="another than the one that made the customer ids"):
        load_handler(function, made.cloud, made.catalogue)
