"""An actor whom AWS has authenticated is known by account, role or user, session and unique id; others are not."""

import pytest

from cairn.domain.operations.actor import Actor, identity_of
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import NotSignedInError
from tests.unit.makers import MONDAY

ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    ("arn", "user_id", "expected"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/support/ada", "AIDA1", {"user": "ada"}),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Support/ada@x", "AROA1:ada@x", {"role": "Support", "session": "ada@x"}),
        (f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/R/s", "AROA1:s", {"role": "R", "session": "s"}),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/ada", f"{ACCOUNT}:ada", {"session": "ada"}),
        (f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, {}),
    ],
)
def test_an_actor_has_the_whole_identity(arn: str, user_id: str, expected: dict[str, str]) -> None:
    actor = Actor.of_aws(arn=arn, account=ACCOUNT, user_id=user_id)

    assert actor == arn
    assert identity_of(actor) == {"account": ACCOUNT, "user_id": user_id, **expected}


@pytest.mark.parametrize("missing", ["arn", "account", "user_id"])
@pytest.mark.parametrize("blank", ["", " "])
def test_an_actor_of_whom_a_part_is_unknown_is_refused(missing: str, blank: str) -> None:
    known = {"arn": f"arn:aws:iam::{ACCOUNT}:user/ada", "account": ACCOUNT, "user_id": "AIDA1"}

    with pytest.raises(NotSignedInError):
        Actor.of_aws(**known | {missing: blank})


def test_an_actor_has_the_program_that_asks_for_them_where_it_is_one_of_ours() -> None:
    ada = Actor.of_aws(arn=f"arn:aws:iam::{ACCOUNT}:user/ada", account=ACCOUNT, user_id="AIDA1")

    assert identity_of(ada.by_client("mcp")) == {**identity_of(ada), "client": "mcp"}
    assert identity_of(ada.by_client("curl")) == identity_of(ada.by_client("")) == identity_of(ada)
    assert ada.by_client("mcp") == ada


def test_an_automatic_actor_has_a_name_alone() -> None:
    assert identity_of("breaker") == {}


def test_the_same_name_of_another_person_is_another_entry() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/ada"
    one, other = (Actor.of_aws(arn=arn, account=ACCOUNT, user_id=id_) for id_ in ("AIDA1", "AIDA2"))

    assert AuditEntry(MONDAY, one, "stop", "all", "").id != AuditEntry(MONDAY, other, "stop", "all", "").id
    assert AuditEntry(MONDAY, one, "stop", "all", "").id == AuditEntry(MONDAY, one, "stop", "all", "").id
