"""docs/ci.md: a workflow that GitHub takes, with roles that trust it and no other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.cloud.stage import ROLLOUTS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
WORKFLOW: dict[Any, Any] = yaml.safe_load(FILES["deploy.yml"])
JOBS: dict[str, Any] = WORKFLOW["jobs"]
ON = WORKFLOW[True]
"""YAML 1.1 reads `on` as true."""

SUBJECT = "token.actions.githubusercontent.com:sub"
AUDIENCE = "token.actions.githubusercontent.com:aud"


def condition(role: str) -> dict[str, Any]:
    (statement,) = json.loads(FILES[f"{role}-trust.json"])["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Principal"]["Federated"].endswith(":oidc-provider/token.actions.githubusercontent.com")
    return dict(statement["Condition"])


def may_assume(role: str) -> str:
    (statement,) = json.loads(FILES[f"{role}-policy.json"])["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    return str(statement["Resource"])


def runs(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_pull_requests_show_a_diff_and_main_is_deployed() -> None:
    assert ON == {"pull_request": None, "push": {"branches": ["main"]}}
    assert JOBS.keys() == {"diff", "deploy"}
    assert "pull_request" in JOBS["diff"]["if"]
    assert JOBS["deploy"]["if"] == "github.event_name == 'push'"
    assert "diff --all" in runs("diff")[-1]
    assert not [command for command in runs("diff") if "deploy" in command]


def test_no_job_has_a_right_that_it_does_not_need_and_none_has_a_key() -> None:
    assert WORKFLOW["permissions"] == {}
    for job in JOBS.values():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        (configure,) = [step["with"] for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")]
        assert configure["role-to-assume"].startswith("${{ vars.")
        assert not {"aws-access-key-id", "aws-secret-access-key"} & configure.keys()
    assert "secrets." not in FILES["deploy.yml"]


def test_a_deployment_waits_for_its_reviewers_and_for_the_one_before() -> None:
    assert JOBS["deploy"]["environment"] == "prod"
    assert JOBS["deploy"]["concurrency"] == {"group": "deploy-prod", "cancel-in-progress": False}
    assert "--require-approval never" in " ".join(runs("deploy")), "its reviewers have approved it"


@pytest.mark.parametrize(
    ("role", "subject"),
    [("diff", "repo:ORG/REPO:pull_request"), ("deploy", "repo:ORG/REPO:environment:prod")],
)
def test_a_role_trusts_its_job_of_one_repository_alone(role: str, subject: str) -> None:
    """No pattern: a wildcard in a subject would let other branches or repositories in."""
    assert condition(role) == {"StringEquals": {AUDIENCE: "sts.amazonaws.com", SUBJECT: subject}}
    assert subject.rpartition(":")[2] in (JOBS[role].get("environment"), "pull_request")


def test_a_pull_request_can_only_look() -> None:
    assert "lookup-role" in may_assume("diff")
    assert "*" not in may_assume("diff")
    assert may_assume("deploy").endswith(":role/cdk-hnb659fds-*-123456789012-us-east-1")


def test_the_workflow_uses_the_makefile_and_the_cdk_of_the_repository() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pinned = re.findall(r"aws-cdk@[\d.]+", (ROOT / "app.py").read_text(encoding="utf-8"))
    commands = runs("diff") + runs("deploy")

    targets = {name for command in commands if command.startswith("make ") for name in command.split()[1:]}
    assert targets
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    assert set(re.findall(r"aws-cdk@[\d.]+", "\n".join(commands))) == set(pinned)
    assert ".venv/bin/cairn doctor --stage prod" in runs("deploy")


def minutes_of(rollout: str) -> int:
    """How long a rollout takes, by its name."""
    every = re.search(r"(\d+)-minutes$", rollout)
    return (int(every[1]) if every else 1) * (10 if rollout.startswith("linear") else 1)


def test_a_deployment_and_its_credentials_last_longer_than_the_slowest_rollout() -> None:
    (configure,) = [one["with"] for one in JOBS["deploy"]["steps"] if "configure" in one.get("uses", "")]

    longest = max(map(minutes_of, ROLLOUTS))
    assert longest == 100
    assert JOBS["deploy"]["timeout-minutes"] > longest
    assert configure["role-duration-seconds"] > longest * 60
