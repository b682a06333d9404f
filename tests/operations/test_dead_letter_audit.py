"""An operator who is shown dead letters or redrives them is in the audit before; without the audit, nothing is done."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from bench.aws_calls import AwsCall, intercepted
from cairn.adapters.dynamodb.audit import DynamoAudit
from cairn.domain.operations.audit import AuditEntry
from cli.main import app

SHOW, REDRIVE = ["show", "events"], ["redrive", "events", "--yes"]

Json = dict[str, Any]


def cairn(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dlq", *arguments], env={"LOGNAME": "ada"})


def audited() -> list[AuditEntry]:
    """The oldest entry first."""
    return list(DynamoAudit().latest(10))[::-1]


@pytest.fixture
def dead_letter(story: Any) -> Json:
    """One dead letter, of an event that nobody can process."""
    story.happens("trial.signup", "no-phone", customer={"phone": "call Mia"})
    [(body, _)] = story.dead_letters("events")
    story.passes("15m")  # until it is visible again
    return dict(json.loads(body))


@pytest.fixture(params=["laptop", "stack"])
def at(request: pytest.FixtureRequest) -> list[str]:
    """The two ways to name a deployment."""
    if request.param == "laptop":
        return ["--to", request.getfixturevalue("url")]
    return ["--stack", request.getfixturevalue("stack")]


@pytest.fixture
def audit_fails() -> Iterator[Callable[[str], list[str]]]:
    """From now on, the table refuses all that is put there, with a code of DynamoDB's; the list has all other calls."""
    with ExitStack() as stack:

        def fail(code: str) -> list[str]:
            operations: list[str] = []

            def refuse_puts(call: AwsCall) -> Any:
                if call.operation == "PutItem":
                    raise ClientError({"Error": {"Code": code}}, call.operation)
                operations.append(call.operation)
                return call.answer()

            stack.enter_context(intercepted(refuse_puts))
            return operations

        yield fail


@pytest.mark.usefixtures("dead_letter")
def test_who_is_shown_dead_letters_and_redrives_them_is_audited(story: Any, at: list[str]) -> None:
    shown = json.loads(cairn(*SHOW, "--reveal", "--json", *at).stdout)
    story.passes("1s")
    assert cairn("redrive", "events", "--reason", "phone", "--limit", "3", "--yes", *at).exit_code == 0

    first, second = audited()

    assert (first.action, first.target) == ("show_dead_letters", "queue:events")
    assert first.detail == {"letters": [one["id"] for one in shown["letters"]], "revealed": True}
    assert (second.action, second.target) == ("redrive_dead_letters", "queue:events")
    assert second.detail == {"with_reason": "phone", "limit": 3}


@pytest.mark.usefixtures("dead_letter")
def test_on_a_laptop_the_audit_has_the_identity_that_manage_audits_too(story: Any, url: str) -> None:
    cairn(*SHOW, "--to", url)
    story.passes("1s")
    CliRunner().invoke(app, ["suppress", "+12125550001", "--show", "--to", url], env={"LOGNAME": "ada"})

    shown, looked_up = audited()

    assert looked_up.action == "show_suppressions"
    assert shown.actor == looked_up.actor == "ada"
    assert shown.identity == looked_up.identity
    assert shown.identity.keys() == {"account", "user_id"}


@pytest.mark.usefixtures("dead_letter")
def test_in_a_deployment_the_audit_has_whom_aws_knows(story: Any, stack: str) -> None:
    caller = story.deployment.cloud.client("sts").get_caller_identity()

    cairn(*SHOW, "--stack", stack)

    (entry,) = audited()
    assert entry.actor == caller["Arn"]
    assert (entry.identity["account"], entry.identity["user_id"]) == (caller["Account"], caller["UserId"])


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ConditionalCheckFailedException"])
def test_nothing_is_shown_and_nothing_redriven_when_the_audit_cannot_be_written(
    story: Any, at: list[str], dead_letter: Json, audit_fails: Callable[[str], list[str]], code: str
) -> None:
    operations = audit_fails(code)

    for command in (SHOW, [*SHOW, "--reveal"], [*SHOW, "--reveal", "--json"], REDRIVE):
        refused = cairn(*command, *at)
        story.passes("1s")

        assert (refused.exit_code, refused.stdout) == (1, ""), command
        assert "the audit cannot be written, so nothing is shown and nothing redriven" in refused.stderr
        assert "Mia" not in refused.stderr
    assert not {"SendMessage", "SendMessageBatch", "DeleteMessage"} & set(operations), "nothing was sent back"
    [(still_there, _)] = story.dead_letters("events")
    assert json.loads(still_there) == dead_letter
    assert audited() == []


@pytest.mark.usefixtures("dead_letter")
def test_nothing_is_redriven_when_the_audit_has_another_entry_under_that_id(
    story: Any, at: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AuditEntry, "id", "as if two hashes were the same")
    assert cairn(*SHOW, *at).exit_code == 0
    story.passes("1s")

    refused = cairn(*REDRIVE, *at)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "the audit cannot be written" in refused.stderr
    assert len(story.dead_letters("events")) == 1


@pytest.mark.usefixtures("dead_letter")
def test_what_names_nobody_is_not_audited(at: list[str]) -> None:
    assert cairn("list", *at).exit_code == 0
    assert cairn("show", "wakes", *at).stdout == "wakes: no dead letters\n"
    assert cairn("redrive", "letters", "--yes", *at).exit_code == 1

    assert audited() == []


def test_dead_letters_are_written_to_a_file_for_its_owner_alone(url: str, tmp_path: Path, dead_letter: Json) -> None:
    out = tmp_path / "dead.json"

    done = cairn(*SHOW, "--reveal", "--out", str(out), "--to", url)

    assert done.stdout == f"written to {out}\n"
    assert out.stat().st_mode & 0o777 == 0o600
    [one] = json.loads(out.read_text())["letters"]
    assert one["body"] == dead_letter
    assert len(audited()) == 1


@pytest.mark.usefixtures("dead_letter")
def test_a_file_that_exists_is_replaced_only_by_force_and_nothing_is_asked_for_before(url: str, tmp_path: Path) -> None:
    out = tmp_path / "dead.json"
    out.write_text("before")
    out.chmod(0o644)

    refused = cairn(*SHOW, "--out", str(out), "--to", url)

    assert (refused.exit_code, refused.stdout, out.read_text()) == (1, "", "before")
    assert "exists: name another file, or add --force to replace it" in refused.stderr
    assert audited() == []

    assert cairn(*SHOW, "--out", str(out), "--force", "--to", url).exit_code == 0
    assert len(json.loads(out.read_text())["letters"]) == 1
    assert out.stat().st_mode & 0o777 == 0o600
