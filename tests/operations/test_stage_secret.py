"""A stage of version 0.2 has three secrets. Joined, every link, webhook and delivery works on, and none is shown."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from authoring.sources.samples import posting
from bench.aws_calls import AwsCall, intercepted
from cairn.adapters.secrets_manager import Part, read_object
from cli.main import app
from infra.local.cloud import LINKS_SECRET, LOCAL_ENDPOINT_SECRET
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import LOCAL_SECRET, local_secrets
from tests.cloudformation import deploys, empties_the_table
from tests.conftest import MONDAY, OF_MEMBERS, SHORT_JOURNEY, Story
from tests.stories.test_webhooks_out import Crm, crm_server

STACK = "Cairn-dev"
MAIL = "mia@example.com"
NEW = "another-secret-that-signs-links"
JOIN = ["secrets", "join", "--stack", STACK, "--yes"]
OUTPUTS = {Part.LINKS: "LinksSecretArn", Part.WEBHOOK_ENDPOINTS: "SubscribersSecretArn"}
VALUES = (LINKS_SECRET, LOCAL_ENDPOINT_SECRET, NEW, LOCAL_SECRET)


@dataclass
class Stage:
    """A deployment of version 0.2, whose secrets stand apart."""

    made: LocalDeployment
    crm: Crm
    arns: dict[Part, str] = field(default_factory=dict)

    @property
    def story(self) -> Story:
        return Story(self.made)

    @property
    def secrets(self) -> Any:
        return self.made.cloud.client("secretsmanager")

    def parts(self) -> dict[str, Any]:
        return {part: read_object(self.secrets, self.made.cloud.secret_id, part) for part in OUTPUTS}

    def moves_apart(self) -> None:
        """As version 0.2 had it: a secret for each, and no label."""
        versions = self.secrets.list_secret_version_ids(SecretId=self.made.cloud.secret_id)["Versions"]
        labelled = {label: one["VersionId"] for one in versions for label in one["VersionStages"]}
        for part, output in OUTPUTS.items():
            content = {**self.parts()[part], **({} if part is Part.LINKS else {"unused": "drawn by Secrets Manager"})}
            self.arns[part] = self.secrets.create_secret(Name=output, SecretString=json.dumps(content))["ARN"]
            self.secrets.update_secret_version_stage(
                SecretId=self.made.cloud.secret_id, VersionStage=part, RemoveFromVersionId=labelled[part]
            )

    def puts_out(self, *, secrets_of_before: bool = True) -> None:
        outputs = {"TableName": self.made.cloud.table, "SourcesSecretArn": self.made.cloud.secret_id}
        outputs |= {OUTPUTS[part]: arn for part, arn in self.arns.items()} if secrets_of_before else {}
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": value} for name, value in outputs.items()},
        }
        self.made.cloud.client("cloudformation").create_stack(
            StackName=f"{STACK}-Data", TemplateBody=json.dumps(template)
        )

    def rotates_before(self, content: Any) -> None:
        self.made.advance_to(self.made.now().replace(minute=30))
        self.secrets.put_secret_value(SecretId=self.arns[Part.LINKS], SecretString=json.dumps(content))

    def opens(self, url: str) -> int:
        return int(self.made.visit("GET", url, {})["statusCode"])

    def posts(self, event_id: str, **event: Any) -> int:
        document = {"id": event_id, "type": "page.viewed", "customer": {"email": MAIL}, **event}
        sent = posting("track", document, LOCAL_SECRET, self.made.now())
        headers = {name.lower(): value for name, value in sent.headers.items()}
        status = int(self.made.request("POST", sent.url, headers, sent.body)["statusCode"])
        self.made.settle()
        return status


@pytest.fixture
def stage() -> Iterator[Stage]:
    with (
        crm_server(Crm("crm")) as crm,
        local_deployment(
            SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({}), webhook_endpoints={"crm": crm.url}
        ) as made,
    ):
        stage = Stage(made, crm)
        empties_the_table()
        assert deploys(made)["Status"] == "SUCCESS"
        stage.story.happens("trial.signup", customer={"email": MAIL})
        stage.moves_apart()
        yield stage


def cairn(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    assert not any(value in done.output for value in VALUES)
    return done.exit_code, done.output


def current_version(stage: Stage) -> str:
    return str(stage.secrets.get_secret_value(SecretId=stage.made.cloud.secret_id)["VersionId"])


def test_a_deployment_is_refused_until_its_secrets_are_joined_and_then_links_and_deliveries_work_on(
    stage: Stage,
) -> None:
    stage.puts_out()
    sent = stage.story.link("preferences", MAIL)
    current = current_version(stage)

    refused = deploys(stage.made, "Update")
    code, said = cairn(*JOIN)

    assert refused["Status"] == "FAILED"
    assert "cairn secrets join" in refused["Reason"]
    assert code == 0, said
    assert "webhook-endpoints: copied\nlinks: copied" in said
    assert stage.parts() == {"links": {"links": LINKS_SECRET}, "webhook-endpoints": {"crm": LOCAL_ENDPOINT_SECRET}}
    assert current_version(stage) == current, "version 0.2 reads what it has read"

    assert deploys(stage.made, "Update")["Status"] == "SUCCESS"
    stage.made.deploy(SHORT_JOURNEY)
    assert stage.opens(sent) == 200
    denied = [{"channel": "email", "purpose": "marketing", "status": "denied", "method": "operator"}]
    assert stage.posts("optout", type="consent.changed", consent=denied) == 202
    assert stage.crm.received("channel", "status") == [("email", "denied")], "signed with the secret of before"


def test_joining_twice_is_joining_once(stage: Stage) -> None:
    stage.puts_out()
    assert cairn(*JOIN)[0] == 0
    before = stage.secrets.list_secret_version_ids(SecretId=stage.made.cloud.secret_id)["Versions"]

    code, said = cairn(*JOIN)

    assert (code, said) == (0, f"{STACK} has nothing to join.\n")
    after = stage.secrets.list_secret_version_ids(SecretId=stage.made.cloud.secret_id)["Versions"]
    assert [one["VersionId"] for one in after] == [one["VersionId"] for one in before]


def test_a_run_that_was_interrupted_is_no_joined_stage_and_the_next_one_finishes_it(stage: Stage) -> None:
    stage.puts_out()
    written: list[str] = []

    def second_put_fails(call: AwsCall) -> Any:
        if call.operation == "PutSecretValue":
            written.append(call.arguments["VersionStages"][0])
            if len(written) == 2:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, call.operation)
        return call.answer()

    with intercepted(second_put_fails):
        code, said = cairn(*JOIN)
    assert code == 1
    assert "AccessDeniedException" in said
    assert written == ["webhook-endpoints", "links"]
    assert deploys(stage.made, "Update")["Status"] == "FAILED"

    code, said = cairn(*JOIN)

    assert code == 0
    assert "webhook-endpoints" not in said
    assert deploys(stage.made, "Update")["Status"] == "SUCCESS"


def test_a_secret_that_is_rotated_between_joining_and_deploying_is_joined_again(stage: Stage) -> None:
    stage.puts_out()
    cairn(*JOIN)
    stage.rotates_before({"links": [NEW, LINKS_SECRET]})

    assert cairn(*JOIN)[0] == 0

    assert stage.parts()["links"] == {"links": [NEW, LINKS_SECRET]}


def test_a_secret_that_was_rotated_in_the_stages_secret_stays(stage: Stage) -> None:
    stage.puts_out()
    cairn(*JOIN)
    stage.made.advance_to(stage.made.now().replace(minute=30))
    stage.made.cloud.store(Part.LINKS, {"links": [NEW, LINKS_SECRET]})

    code, said = cairn(*JOIN)

    assert (code, said) == (0, f"{STACK} has nothing to join.\n")
    assert stage.parts()["links"] == {"links": [NEW, LINKS_SECRET]}


def test_a_stage_without_webhook_endpoints_joins_its_links_alone(stage: Stage) -> None:
    stage.secrets.put_secret_value(SecretId=stage.arns[Part.WEBHOOK_ENDPOINTS], SecretString='{"unused": "drawn"}')
    stage.puts_out()

    assert cairn(*JOIN)[0] == 0

    assert stage.parts() == {"links": {"links": LINKS_SECRET}, "webhook-endpoints": {}}


def test_a_stage_with_one_secret_has_nothing_to_join(stage: Stage) -> None:
    stage.puts_out(secrets_of_before=False)

    assert cairn(*JOIN) == (0, f"{STACK} has nothing to join.\n")


@pytest.mark.parametrize(
    ("content", "problem"), [({}, "has no field links"), ("[]", "not a JSON object"), ("whsec_x", "not a JSON object")]
)
def test_links_without_a_secret_are_no_joined_stage(stage: Stage, content: Any, problem: str) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    stage.secrets.put_secret_value(SecretId=stage.arns[Part.LINKS], SecretString=text)
    stage.puts_out()

    code, said = cairn(*JOIN)

    assert code == 1
    assert problem in said
    assert stage.parts() == {"links": {}, "webhook-endpoints": {}}


def test_without_a_stack_the_command_says_so(stage: Stage) -> None:
    code, said = cairn(*JOIN)

    assert code == 1
    assert "does not exist" in said
    assert stage.parts() == {"links": {}, "webhook-endpoints": {}}


def test_an_operator_who_says_no_changes_nothing(stage: Stage) -> None:
    stage.puts_out()

    done = CliRunner().invoke(app, JOIN[:-1], input="n\n")

    assert done.exit_code == 1
    assert "Copy webhook-endpoints and links into the secret of Cairn-dev?" in done.output
    assert stage.parts() == {"links": {}, "webhook-endpoints": {}}


def test_a_new_deployment_signs_links_from_the_first_minute_with_the_drawn_value() -> None:
    drawn = "32 characters that nobody chose!"
    with local_deployment(SHORT_JOURNEY, start=MONDAY, secrets={"unused": drawn}) as made:
        stage = Stage(made, Crm("crm"))
        stage.moves_apart()
        empties_the_table()
        assert deploys(made)["Status"] == "SUCCESS"
        made.cloud.client("secretsmanager").put_secret_value(
            SecretId=made.cloud.secret_id, SecretString=json.dumps(local_secrets({}))
        )
        made.deploy(SHORT_JOURNEY)

        stage.story.signs_up()
        stage.story.passes("3h")
        mails = [(one["Destination"]["ToAddresses"][0], one) for one in made.cloud.mails]
        (mail,) = [one for address, one in mails if not address.endswith(OF_MEMBERS)]
        links = [one for one in mail["Content"]["Simple"]["Headers"] if one["Name"] == "List-Unsubscribe"]
        sent = links[0]["Value"].strip("<>")

        assert stage.opens(sent) == 200
        made.cloud.store(Part.LINKS, {"links": NEW, "unused": drawn})
        made.deploy(SHORT_JOURNEY)
        assert stage.opens(sent) == 200
        made.cloud.store(Part.LINKS, {"links": NEW})
        made.deploy(SHORT_JOURNEY)
        assert stage.opens(sent) == 403


def test_the_page_names_the_commands() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    page = " ".join(text.split())

    assert f"cairn secrets join --stack {STACK}" in page
    assert "-c upgrade_from=0.2" in page
    for part in OUTPUTS:
        assert f"--version-stages {part}" in page
