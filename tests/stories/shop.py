"""A shop for stories: a local deployment with one journey of a few messages, a policy, and the customer Mia."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

from typer.testing import CliRunner, Result
from werkzeug.serving import make_server

from authoring.sources.samples import posting
from cairn.domain.gate.codes import Reason
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import duration
from cli.main import app
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.server import Application
from infra.local.signing import LOCAL_SECRET, local_secrets

Json = dict[str, Any]

NEW_YORK_MORNING = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""10:00 on Monday 2 March."""

CONSENTED = [
    {
        "channel": channel.value,
        "purpose": purpose.value,
        "status": "granted",
        "source": "shop",
        "method": "single_opt_in",
    }
    for channel in Channel
    for purpose in Purpose
]
MIA = {
    "customer": {"user_id": "mia", "email": "mia@example.com", "phone": "+12125550001"},
    "attributes": {"first_name": "Mia", "time_zone": "America/New_York", "region": "NY"},
    "consent": CONSENTED,
}
POLICY = """
brand = "Northside"
contact = "help@northside.example.com"
postal_address = "1 River Road, Albany, NY 12207, USA"
%s
[answers.en]
stop = "{brand}: no more texts. Reply START to come back."
help = "{brand}: for help, {contact}. Reply STOP to stop."
start = "{brand}: you are back. Reply STOP to stop."
"""


@dataclass
class Shop:
    """A local deployment with one journey, and Mia."""

    deployment: LocalDeployment
    url: str

    def happens(self, type_: str, **event: Any) -> None:
        body = {"id": f"{type_}-{self.deployment.now().isoformat()}", "type": type_, **MIA, **event}
        sent = posting("track", body, LOCAL_SECRET, self.deployment.now())
        assert self.deployment.request("POST", sent.url, sent.headers, sent.body)["statusCode"] == 202
        self.deployment.settle()

    def passes(self, length: str) -> None:
        self.deployment.advance_to(self.deployment.now() + duration(length))

    def whatsapps(self, words: str, ago: str = "0s") -> None:
        """Mia has written to us by WhatsApp, so long ago."""
        message = {"from": "12125550001", "id": f"wamid.{words}", "type": "text", "text": {"body": words}}
        message |= {"timestamp": str(int((self.deployment.now() - duration(ago)).timestamp()))}
        entry = {"changes": [{"field": "messages", "value": {"messages": [message]}}]}
        report = {"messageId": words, "whatsAppWebhookEntry": json.dumps(entry)}
        self.deployment.feedback(json.dumps(report))
        self.deployment.settle()

    def texts(self, words: str) -> None:
        """Mia sends us a text message."""
        reply = {"originationNumber": "+12125550001", "destinationNumber": "+12125550199", "messageKeyword": "K"}
        reply |= {"messageBody": words, "inboundMessageId": words}
        self.deployment.feedback(json.dumps(reply))
        self.deployment.settle()

    def cairn(self, *words: str) -> str:
        """The output of a `cairn` command that succeeds."""
        done = self.tries(*words)
        assert done.exit_code == 0, done.output
        return " ".join(done.stdout.split())

    def tries(self, *words: str) -> Result:
        done = CliRunner().invoke(app, [*words, "--to", self.url], catch_exceptions=False, env={"LOGNAME": "local"})
        self.deployment.settle()
        return done

    def asks(self, method: str, path: str, *, actor: str = "arn:aws:iam::123456789012:user/ada", **fields: Any) -> Json:
        """The API's answer to a signed-in operator; its HTTP status is under `status_code`."""
        body = json.dumps(fields).encode() if method == "POST" else b""
        answer = self.deployment.manage(method, f"https://localhost/manage/{path}", {}, body, actor=actor)
        self.deployment.settle()
        document: Json = json.loads(answer["body"])
        return {"status_code": answer["statusCode"], **document}

    def timeline(self, *kinds: str) -> list[Json]:
        return [line for line in self.deployment.timeline() if line["kind"] in kinds]

    def sent(self) -> list[str]:
        """The texts that were really sent."""
        from moto.sns.models import sns_backends

        from infra.local.shapes import ACCOUNT, REGION

        return [text for _, text in sns_backends[ACCOUNT][REGION].sms_messages.values()]

    def decided(self, reason: Reason) -> Json:
        """The last decision with that reason."""
        lines = [line for line in self.deployment.timeline() if line.get("reason") == reason]
        assert lines, [(line["kind"], line.get("reason")) for line in self.deployment.timeline()]
        return lines[-1]

    @property
    def deferred_id(self) -> str:
        return str([line for line in self.deployment.timeline() if line["kind"] == "deferred"][-1]["message_id"])


Opens = Callable[..., Shop]

SMS = {"channel": "sms", "template": "note", "purpose": "marketing"}
RECEIPT = {"channel": "sms", "template": "note", "purpose": "transactional"}
ASKS = {**RECEIPT, "asks": "yes_no"}
MAIL = {"channel": "email", "template": "note", "purpose": "marketing"}
WHATSAPP = {"channel": "whatsapp", "template": "note", "purpose": "transactional"}
REVIEWED = {**RECEIPT, "review": {"queue": "compliance", "within": "6h", "otherwise": "drop"}}

TEMPLATES = {
    "note.sms.txt": "Northside: hello {{ profile.first_name }}. Reply STOP to stop.",
    "note.whatsapp.txt": "Hello {{ profile.first_name }}",
    "note.email.html": "---\nsubject: Hello\n---\n<p>Hello {{ profile.first_name }}</p>",
}


@contextmanager
def served(made: LocalDeployment) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, Application(made), threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def shops(tmp_path: Path) -> Iterator[Opens]:
    """Open a shop whose journey sends these messages, with these policy lines; `also` names a second such journey.

    `asks` is a task that it opens after them.
    """
    with ExitStack() as stack:

        def open_shop(  # noqa: PLR0913  the files of a shop
            *sends: Json,
            policy: str = "",
            replies: str = "",
            people: str = "",
            bedrock_model: str = "",
            at: datetime = NEW_YORK_MORNING,
            also: str = "",
            asks: Json | None = None,
        ) -> Shop:
            for name in filter(None, ("shop", also)):
                _write_journey(tmp_path / "journeys" / name, sends, asks)
            (tmp_path / "policy.toml").write_text(POLICY % policy)
            for name, text in (("replies.toml", replies), ("people.toml", people)):
                if text:
                    (tmp_path / name).write_text(text)
            made = stack.enter_context(
                local_deployment(
                    tmp_path / "journeys",
                    start=at,
                    secrets=local_secrets({}),
                    policy=tmp_path / "policy.toml",
                    bedrock_model=bedrock_model,
                )
            )
            return Shop(made, stack.enter_context(served(made)))

        yield open_shop


def _write_journey(folder: Path, sends: tuple[Json, ...], asks: Json | None) -> None:
    steps = [{"id": f"note-{number}", "send": one} for number, one in enumerate(sends, 1)]
    steps += [{"id": "ask", "task": asks}] if asks else []
    steps.append({"id": "the-end", "wait": "30d"})
    document = {
        "journey": folder.name,
        "description": "For a story.",
        "time_zone": "America/New_York",
        "entry": {"event": "note.wanted", "again": "when-ended"},
        "exit_on": [{"event": "note.unwanted", "key": "any"}],
        "steps": steps,
    }
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(json.dumps(document))
    channels = {one["channel"] for one in sends}
    for name, text in TEMPLATES.items():
        if name.split(".")[1] in channels:
            (folder / "templates" / name).write_text(text)
