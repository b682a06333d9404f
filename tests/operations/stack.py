"""A stack for commands that work on a deployment: on moto, with its outputs, and a table that can be exported."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli import table_copy
from infra.local.deployment import local_deployment
from infra.local.signing import local_secrets
from tests.conftest import MONDAY, SHORT_JOURNEY, Story
from tests.stories.shop import POLICY, served

STACK = "Cairn-dev"


class DeployedStack:
    def __init__(self, story: Story, url: str, folder: Path) -> None:
        self.story, self.url, self.folder = story, url, folder

    def objects(self) -> list[str]:
        s3 = self.story.deployment.cloud.client("s3")
        return [one["Key"] for one in s3.list_objects_v2(Bucket=self.story.deployment.cloud.bucket).get("Contents", ())]


@contextmanager
def deployed_stack(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Story, str]]:
    """A story in it, and the address of its /manage. Commands that wait for an export do not wait long."""
    (folder / "policy.toml").write_text(POLICY % "", encoding="utf-8")
    monkeypatch.setattr(table_copy, "POLL_SECONDS", 0.01)
    with local_deployment(
        SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({}), policy=folder / "policy.toml"
    ) as made:
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {"TableName": {"Value": made.cloud.table}, "OverflowBucket": {"Value": made.cloud.bucket}},
        }
        made.cloud.client("cloudformation").create_stack(StackName=f"{STACK}-Data", TemplateBody=json.dumps(template))
        made.cloud.client("s3")  # its bucket is made with the first client
        made.cloud.client("dynamodb").update_continuous_backups(
            TableName=made.cloud.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        with served(made) as url:
            yield Story(made), url
