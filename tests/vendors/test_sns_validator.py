"""AWS's own validator for Node reads what our test topic signs, so that what we verify is what SNS means.

It takes `npm ci --prefix tests/vendors` once; where that was not done, these tests are skipped and say so.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.feedback.sns_https import SnsSource
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import CairnError
from infra.cloud.node import NodeMissingError, put_node_on_path
from tests.unit.adapters.feedback.topic import ARN, Topic
from tests.unit.makers import MONDAY

HERE = Path(__file__).parent

PROGRAM = """
const { Readable } = require("stream");
const { message, certificate } = JSON.parse(require("fs").readFileSync(0));
require("https").get = (url, answer) => {
  answer(Object.assign(Readable.from([certificate]), { statusCode: 200 }));
  return { on() {} };
};
const Validator = require("sns-validator");
new Validator().validate(message, (error) => console.log(JSON.stringify(!error)));
"""

Validator = Callable[[dict[str, Any], Topic], bool]


@pytest.fixture(scope="module")
def is_genuine() -> Validator:
    try:
        put_node_on_path()
    except NodeMissingError:
        pytest.skip("there is no Node on this machine")
    program = shutil.which("node")
    if program is None or not (HERE / "node_modules" / "sns-validator").is_dir():
        pytest.skip("the vendors' packages are not installed: make test-tools")

    def ask(message: dict[str, Any], topic: Topic) -> bool:
        question = {"message": message, "certificate": topic.certificate().decode()}
        done = subprocess.run(  # noqa: S603  our own script
            [str(program), "--input-type=commonjs", "-e", PROGRAM],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=False,
            cwd=HERE,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return bool(json.loads(done.stdout))

    return ask


@pytest.fixture(scope="module")
def topic() -> Topic:
    return Topic()


def we_find(message: dict[str, Any], topic: Topic) -> bool:
    request = Request("https://localhost/webhooks/sns", {}, json.dumps(message).encode())
    try:
        SnsSource(topic.fetch).verify(request, (ARN,), MONDAY)
    except CairnError:
        return False
    return True


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Zustellung für Zoë"}])
def test_both_accept_a_notification(is_genuine: Validator, topic: Topic, version: str, more: dict[str, str]) -> None:
    message = topic.notification("Grüße 👋", MONDAY, version=version, **more)

    assert is_genuine(message, topic)
    assert we_find(message, topic)


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_accept_a_confirmation(is_genuine: Validator, topic: Topic, version: str) -> None:
    message = topic.confirmation(MONDAY, version=version)

    assert is_genuine(message, topic)
    assert we_find(message, topic)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("Message", "Hello!"), ("MessageId", "2"), ("Timestamp", "2026-03-02T09:59:59.000Z"), ("Subject", "x")],
        *[("TopicArn", ARN + "x"), ("SignatureVersion", "1"), ("SigningCertURL", "https://evil.example/a.pem")],
    ],
)
def test_both_refuse_a_changed_message(is_genuine: Validator, topic: Topic, name: str, value: str) -> None:
    message = topic.notification("Hello", MONDAY) | {name: value}

    assert not is_genuine(message, topic)
    assert not we_find(message, topic)
