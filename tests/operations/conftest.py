"""HTTP access to the local deployment of a story, as a vendor and as an operator."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.test import Client, TestResponse

from authoring.sources.samples import posting
from cairn.adapters.sqs.dead_letters import NAMES
from infra.local.deployment import LocalDeployment
from infra.local.fact_log import STREAMS
from infra.local.server import Application
from infra.local.signing import LOCAL_SECRET
from infra.local.stream import function_arn
from infra.local.throttle import unlimited

Json = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """The endpoints of a local deployment."""

    deployment: LocalDeployment
    client: Client

    def posts(self, document: Any, source: str = "track") -> TestResponse:
        """Post and sign as the vendor does."""
        sent = posting(source, document, LOCAL_SECRET, self.deployment.now())
        path = "/" + sent.url.split("/", 3)[3]
        return self.client.post(path, base_url="https://localhost", data=sent.body, headers=dict(sent.headers))

    def tracks(self, event_id: str, event_type: str = "note.written", user: str = "one", **event: Any) -> TestResponse:
        return self.posts({"id": event_id, "type": event_type, "customer": {"user_id": user}, **event})

    def dead_letters(self, queue: str, *, reveal: bool = False) -> list[Json]:
        found: list[Json] = self.client.get(f"/_dlq/{queue}?reveal={int(reveal)}").get_json()["letters"]
        return found

    def redrives(self, queue: str, **options: Any) -> Json:
        done: Json = self.client.post(f"/_dlq/{queue}/redrive", data=json.dumps(options)).get_json()
        return done


def _signed_in(application: Application) -> Callable[..., Any]:
    """The application, asked by an operator with a name."""
    return lambda environ, start: application({"HTTP_X_CAIRN_ACTOR": "ada"} | environ, start)


@pytest.fixture
def api_of() -> Callable[..., Api]:
    def make(deployment: LocalDeployment, limiter: Callable[[str], float] = unlimited) -> Api:
        return Api(deployment, Client(_signed_in(Application(deployment, limiter))))

    return make


@pytest.fixture
def api(story: Any, api_of: Callable[..., Api]) -> Api:
    return api_of(story.deployment)


@contextmanager
def _served(deployment: LocalDeployment) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, Application(deployment), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def url(story: Any) -> Iterator[str]:
    """The story's local deployment behind a real socket."""
    with ExitStack() as stack:
        yield stack.enter_context(_served(story.deployment))


@pytest.fixture
def stack(story: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stacks that put out what the CDK's do, for the queues and the table of the story's local deployment."""
    monkeypatch.setattr("infra.local.dead_letters.WAIT_SECONDS", 0)  # time stands still here
    cloud = story.deployment.cloud
    queues = {"LogFactsArn": function_arn("log_facts")}
    for queue in NAMES:
        queues[f"{queue.title()}DeadLettersUrl"] = cloud.urls.get(f"{queue}-dead-letters", "")
        if queue in cloud.urls:
            queues[f"{queue.title()}QueueUrl"] = cloud.urls[queue]
    queues["MarketingQueueUrl"] = cloud.urls["marketing"]
    data = {"TableName": cloud.table, "OverflowBucket": cloud.bucket}
    data |= {f"Facts{stored.title()}Stream": name for stored, name in STREAMS.items()}
    for name, outputs in (("Cairn-dev", queues), ("Cairn-dev-Data", data)):
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {output: {"Value": value} for output, value in outputs.items()},
        }
        cloud.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
    return "Cairn-dev"
