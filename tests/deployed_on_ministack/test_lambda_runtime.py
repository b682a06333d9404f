"""Each function under Lambda's own runtime, awslambdaric, in AWS's runtime interface emulator, as it is deployed.

It has the bundle, the environment, the role and the resources of the stage on MiniStack, and gets an event in the shape
of its trigger. Layers are not at /opt: their folders are on Python's path, and the journeys' path is replaced. Wheels
are for Lambda's processor, so what is compiled in them does not run elsewhere; no function needs it to start.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from authoring.imports.mapping import mapping_named
from cairn.adapters.imports.batch import batch_to_wire
from cairn.domain.consent.links import LinkKind
from cairn.domain.imports.rows import Import, Kind, Row
from infra.cloud.bundle.code import core_layer, function_code
from infra.cloud.bundle.dependencies import dependencies_layer
from infra.cloud.bundle.journeys import JOURNEYS, journeys_layer
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.servers import free_port, on_loopback
from infra.local.shapes import rule_event
from infra.local.signing import local_secrets
from infra.local.wiring import FUNCTIONS
from tests.conftest import SHORT_JOURNEY, Story
from tests.deployed_on_ministack.conftest import ACCOUNT, REGION, ROOT, Deployment, Json

EMULATOR = ROOT / "build" / "rie" / "aws-lambda-rie"
PYTHON = ROOT / "build" / "lambda" / "bin" / "python"
ANSWERS_WITHIN = 120
"""Seconds, the start of the function included, on a machine that does much else."""

OPERATOR = f"arn:aws:iam::{ACCOUNT}:user/ada"


@pytest.fixture(scope="module")
def events() -> dict[str, Json]:
    """The first event that each function gets in a story on a laptop."""
    with ExitStack() as stack:
        made = stack.enter_context(
            local_deployment(
                SHORT_JOURNEY,
                start=datetime.now(UTC),
                secrets=local_secrets({}),
                webhook_endpoints={"crm": "http://127.0.0.1:9/nobody-listens"},
            )
        )
        recorded = _recorded(made)
        story = Story(made)
        story.signs_up(1)
        story.ses_reports("Delivery", of=("a-message", "a-customer"), address="mia.1@example.com")
        made.visit("GET", story.link(LinkKind.UNSUBSCRIBE, "mia.1@example.com"), {})
        made.visit("GET", "https://localhost/tasks/of-another-stage", {})
        made.in_app("GET", "https://localhost/in-app/messages", {})
        made.open_console("GET", "https://localhost/console/", {})
        made.manage("GET", "https://localhost/manage/switches", {}, actor=OPERATOR)
        of = Import(name="members", kind=Kind.CUSTOMERS, as_of=made.now())
        rows = [Row(1, {"user_id": "u-1", "email": "u1@example.com"})]
        made.import_rows(batch_to_wire(of, mapping_named("", Kind.CUSTOMERS), rows))
        story.erases("member-1")
        story.passes("1h")
        return {"sweep": rule_event("every-five-minutes", made.now()), **recorded}


def _recorded(made: LocalDeployment) -> dict[str, Json]:
    found: dict[str, Json] = {}

    def recording(name: str, handler: Any) -> Any:
        def record(event: Any, context: Any) -> Any:
            found.setdefault(name, event)
            return handler(event, context)

        return record

    made.handlers = {name: recording(name, handler) for name, handler in made.handlers.items()}
    return found


@contextmanager
def under_lambda(prod: Deployment, name: str, log: Path) -> Iterator[str]:
    """The address of a function of the stage, run by the emulator until the block ends."""
    function = prod.function(name)
    role = prod.cloud.client("sts").assume_role(RoleArn=function["Role"], RoleSessionName=name)["Credentials"]
    code, layers = function_code(name), (dependencies_layer(), core_layer())
    variables = {
        key: value.replace("../layer_2", str(journeys_layer(JOURNEYS)))
        for key, value in function["Environment"]["Variables"].items()
    }
    own = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(str(layer / "python") for layer in layers),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ENDPOINT_URL": prod.cloud.endpoint,
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": role["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"],
        "AWS_SESSION_TOKEN": role["SessionToken"],
        "AWS_LAMBDA_FUNCTION_NAME": function["FunctionName"],
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function["Timeout"]),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function["MemorySize"]),
        "LAMBDA_TASK_ROOT": str(code),
    }

    def start(port: int) -> "subprocess.Popen[bytes]":
        addresses = (
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{free_port()}"),
        )
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603  our own
                [EMULATOR, *addresses, PYTHON, "-m", "awslambdaric", function["Handler"]],
                cwd=code,
                env=own | variables,
                stdout=output,
                stderr=output,
            )

    with on_loopback(start, within=ANSWERS_WITHIN) as address:
        yield address


def invoked(address: str, event: Json) -> Any:
    body = json.dumps(event).encode()
    request = Request(f"{address}/2015-03-31/functions/function/invocations", body)  # noqa: S310  loopback
    with urlopen(request, timeout=ANSWERS_WITHIN) as answer:  # noqa: S310  loopback
        return json.load(answer)


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if not EMULATOR.exists():
        pytest.skip("Lambda's runtime interface emulator was not built: have Go, then make test-tools")
    if not PYTHON.exists():
        pytest.skip("Lambda's runtime is not installed: make test-tools")


REQUESTS = {
    "receive_webhook": 202,
    "manage_api": 200,
    "serve_preferences": 403,
    "serve_tasks": 403,
    "serve_in_app": 401,
    "serve_console": 303,
}
"""The status of each answer to a request. The links are not of this stage: another secret has signed them. A stranger
is led to where one signs in.
"""


def is_done(name: str, answer: Any) -> bool:
    """Whether a function did what it was asked for: no error, no message to deliver again, the status of REQUESTS."""
    if name in REQUESTS:
        return bool(answer.get("statusCode") == REQUESTS[name])
    if name == "import_rows":
        return bool(answer.get("counts") == {"created": 1})
    return answer is None or ("errorType" not in answer and not answer.get("batchItemFailures"))


@pytest.mark.parametrize("name", [one.name for one in FUNCTIONS if one.name != "check_identity_key"])
def test_a_function_answers_under_lambdas_own_runtime(
    prod: Deployment, events: dict[str, Json], name: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"

    with under_lambda(prod, name, log) as address:
        answer = invoked(address, events[name])

    assert is_done(name, answer), f"{answer}\n{log.read_text()}"


def test_an_event_that_a_function_cannot_read_is_an_error_there(prod: Deployment, tmp_path: Path) -> None:
    with under_lambda(prod, "process_event", tmp_path / "log") as address:
        answer = invoked(address, {"Records": None})

    assert not is_done("process_event", answer)
    assert answer["errorType"] == "FunctionFailedError"


def test_cloudformation_gets_its_answer_under_lambdas_own_runtime(prod: Deployment, tmp_path: Path) -> None:
    """It is asked in a deployment, and answers by putting a document where the request says."""
    s3 = prod.cloud.client("s3")
    answers = {"Bucket": f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}", "Key": "answer-of-check-identity-key"}
    request = {
        "RequestType": "Update",
        "StackId": "a-stack",
        "RequestId": "a-request",
        "LogicalResourceId": "a-resource",
        "ResponseURL": s3.generate_presigned_url("put_object", Params=answers),
    }

    with under_lambda(prod, "check_identity_key", tmp_path / "log") as address:
        invoked(address, request)

    said = json.load(s3.get_object(**answers)["Body"])
    assert said["Status"] == "SUCCESS", said
    assert said["RequestId"] == "a-request"
    assert said["Data"] == {
        "Fingerprint": prod.function("process_event")["Environment"]["Variables"]["CAIRN_IDENTITY_FINGERPRINT"]
    }
