"""`cairn secrets write` puts a secret into the stage's secret, keeps those of before valid, and shows none."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from authoring.sources.samples import posting
from cairn.adapters.pages.links import SECRET
from cairn.adapters.secrets_manager import REREAD_AFTER, Part, read_object
from cli import secrets
from cli.main import app
from infra.local.cloud import LINKS_SECRET
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import LOCAL_SECRET, local_secrets
from tests.conftest import MONDAY, SHORT_JOURNEY, Story
from tests.operations.test_stage_secret import STACK

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
BLOCK = re.compile(r"^```sh secrets\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OTHER_POLICY = """
[[subscribers]]
name = "hubspot"
url = "https://crm.example.com/hooks/cairn"
secret = "crm"
"""

NEW = "whsec_dGhlIG5ldyBzZWNyZXQgb2Ygb3VyIHRlc3Rz"
NEWER = "whsec_dGhlIG5ld2VyIHNlY3JldCBvZiBvdXIgdGVzdHM="
DRAWN = "32 characters that nobody chose!"
VALUES = (NEW, NEWER, DRAWN, LOCAL_SECRET, LINKS_SECRET)


@pytest.fixture
def made() -> Iterator[LocalDeployment]:
    with local_deployment(SHORT_JOURNEY, start=MONDAY, secrets={**local_secrets({}), "unused": DRAWN}) as made:
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {"SourcesSecretArn": {"Value": made.cloud.secret_id}},
        }
        made.cloud.client("cloudformation").create_stack(StackName=f"{STACK}-Data", TemplateBody=json.dumps(template))
        yield made


def write(name: str, *more: str, value: str = NEW) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["secrets", "write", name, "--stage", "dev", *more], input=f"{value}\n")
    assert not any(one in done.output for one in VALUES)
    return done.exit_code, done.output


def stored(made: LocalDeployment, part: Part = Part.SOURCES) -> dict[str, Any]:
    return read_object(made.cloud.client("secretsmanager"), made.cloud.secret_id, part)


def versions(made: LocalDeployment) -> list[Any]:
    found = made.cloud.client("secretsmanager").list_secret_version_ids(SecretId=made.cloud.secret_id)["Versions"]
    return [(one["VersionId"], one["VersionStages"]) for one in found]


def posts(made: LocalDeployment, secret: str) -> int:
    document = {"id": secret[-8:], "type": "page.viewed", "customer": {"email": "mia@example.com"}}
    sent = posting("track", document, secret, made.now())
    headers = {name.lower(): value for name, value in sent.headers.items()}
    return int(made.request("POST", sent.url, headers, sent.body)["statusCode"])


def reads_again(made: LocalDeployment) -> None:
    made.advance_to(made.now() + REREAD_AFTER)


def test_a_secret_is_rotated_without_a_webhook_that_is_refused(made: LocalDeployment) -> None:
    assert (posts(made, LOCAL_SECRET), posts(made, NEW)) == (202, 401)

    code, said = write("track")
    reads_again(made)

    assert code == 0, said
    assert "track: stored; secrets that are valid: 2" in said
    assert stored(made)["track"] == [NEW, LOCAL_SECRET]
    assert (posts(made, LOCAL_SECRET), posts(made, NEW)) == (202, 202)

    code, said = write("track", "--alone")
    reads_again(made)

    assert "track: stored; secrets that are valid: 1" in said
    assert stored(made)["track"] == NEW
    assert (posts(made, LOCAL_SECRET), posts(made, NEW)) == (401, 202)


def test_the_other_sources_and_parts_stay_as_they_are(made: LocalDeployment) -> None:
    sources, links = stored(made), stored(made, Part.LINKS)

    assert write("stripe")[0] == 0

    assert stored(made) == {name: one for name, one in sources.items() if name != "unused"} | {
        "stripe": [NEW, LOCAL_SECRET]
    }
    assert stored(made, Part.LINKS) == links
    assert stored(made, Part.WEBHOOK_ENDPOINTS) == {}


def test_the_drawn_value_signs_links_and_leaves_what_other_functions_read(made: LocalDeployment) -> None:
    made.cloud.store(Part.LINKS, {"unused": DRAWN})

    write("stripe")
    code, said = write(SECRET, "--part", "links")

    assert (code, "secrets that are valid: 2" in said) == (0, True)
    assert "unused" not in stored(made)
    assert stored(made, Part.LINKS) == {SECRET: NEW, "unused": DRAWN}

    write(SECRET, "--part", "links", "--alone", value=NEWER)

    assert stored(made, Part.LINKS) == {SECRET: NEWER}


def test_links_that_were_sent_work_on_with_a_new_secret(made: LocalDeployment) -> None:
    story = Story(made)
    story.happens("trial.signup", customer={"email": "mia@example.com"})
    sent = story.link("preferences", "mia@example.com")

    write(SECRET, "--part", "links")
    reads_again(made)

    assert stored(made, Part.LINKS)[SECRET] == [NEW, LINKS_SECRET]
    assert made.visit("GET", sent, {})["statusCode"] == 200


def test_a_webhook_endpoint_has_a_part_of_its_own(
    made: LocalDeployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(secrets.POLICY.read_text(encoding="utf-8") + OTHER_POLICY, encoding="utf-8")
    monkeypatch.setattr(secrets, "POLICY", policy)
    sources = stored(made)

    code, said = write("crm", "--part", "webhook-endpoints")

    assert code == 0, said
    assert stored(made, Part.WEBHOOK_ENDPOINTS) == {"crm": NEW}
    assert stored(made) == sources
    assert write("hubspot", "--part", "webhook-endpoints")[0] == 1


def test_who_writes_the_same_secret_again_changes_nothing(made: LocalDeployment) -> None:
    write("stripe")
    before = versions(made)

    code, said = write("stripe")

    assert (code, said) == (0, "stripe: stands there already; secrets that are valid: 2\n")
    assert versions(made) == before


def test_a_secret_of_before_that_is_written_again_is_the_first(made: LocalDeployment) -> None:
    for value in (NEW, NEWER, NEW):
        write("stripe", value=value)

    assert stored(made)["stripe"] == [NEW, NEWER, LOCAL_SECRET]


def test_a_secret_that_no_function_uses_is_replaced(made: LocalDeployment) -> None:
    made.cloud.store(Part.SOURCES, {"stripe": ["", 7, "short", LOCAL_SECRET]})

    write("stripe")

    assert stored(made) == {"stripe": [NEW, LOCAL_SECRET]}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("stripe", "", "the secret is empty"),
        ("stripe", "sixteen-minus-1", "the secret has 15 bytes; it needs 16 or more"),
        ("track", "whsec_!this is no base64, though it is long!", "is not base64 after whsec_"),
        ("tills", NEW, "no secret of sources is called tills. Known: calcom, calendly, "),
        ("sns", NEW, "no secret of sources is called sns"),
    ],
)
def test_what_cannot_work_is_not_stored(made: LocalDeployment, name: str, value: str, problem: str) -> None:
    before = versions(made)

    code, said = write(name, value=value)

    assert code == 1
    assert problem in said
    assert versions(made) == before


def test_the_verify_token_of_a_source_is_written_alike(made: LocalDeployment) -> None:
    assert write("whatsapp-verify", "--alone", value="a-token-of-our-own-making")[0] == 0

    assert stored(made)["whatsapp-verify"] == "a-token-of-our-own-making"


def test_at_a_terminal_the_secret_is_asked_for_and_not_shown(
    made: LocalDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))

    code, said = write("stripe", "--alone")

    assert code == 0
    assert "The secret of stripe: \n" in said
    assert stored(made)["stripe"] == NEW


def test_a_secret_is_no_argument(made: LocalDeployment) -> None:
    """It would stand in the shell's history, and in the list of processes."""
    before = versions(made)

    done = CliRunner().invoke(app, ["secrets", "write", "stripe", "a-secret-of-an-argument", "--stage", "dev"])

    assert done.exit_code == 2
    assert versions(made) == before


def test_without_the_right_to_write_nothing_changes(made: LocalDeployment, monkeypatch: pytest.MonkeyPatch) -> None:
    call, before = BaseClient._make_api_call, versions(made)  # noqa: SLF001

    def denied(client: BaseClient, operation: str, given: dict[str, Any]) -> Any:
        if operation == "PutSecretValue":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
        return call(client, operation, given)

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", denied)
        code, said = write("stripe")

    assert (code, "AccessDeniedException" in said) == (1, True)
    assert versions(made) == before


@pytest.mark.usefixtures("made")
def test_a_stage_that_is_not_deployed_has_no_secret() -> None:
    done = CliRunner().invoke(app, ["secrets", "write", "stripe", "--stage", "prod"], input=NEW)

    assert done.exit_code == 1
    assert "does not exist" in done.output


def test_the_commands_of_the_page_work(made: LocalDeployment) -> None:
    (block,) = BLOCK.findall(OPERATIONS.read_text(encoding="utf-8"))
    commands = [shlex.split(line, comments=True) for line in block.splitlines()]

    for command in commands:
        done = CliRunner().invoke(app, command[1:], input=NEW)
        assert (command[0], done.exit_code) == ("cairn", 0), done.output

    assert stored(made)["stripe"] == NEW
    assert stored(made, Part.LINKS)[SECRET] == [NEW, LINKS_SECRET]
