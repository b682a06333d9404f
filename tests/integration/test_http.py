"""`cairn serve`: the whole stack behind HTTP on loopback, in a process of its own."""

import base64
import hmac
import http.client
import json
import os
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import stripe
from typer.testing import CliRunner

from authoring.sources.samples import sample_named, signed_headers
from cairn.settings import MAX_BODY_BYTES
from cli.main import app
from infra.local.signing import LOCAL_SECRET

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
START_SECONDS = 60


@dataclass(frozen=True)
class Served:
    """A running `cairn serve`."""

    url: str
    greeting: str

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> "Answer":
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(), dict(answer.headers))
        finally:
            connection.close()

    def now(self) -> datetime:
        return datetime.fromisoformat(self.request("GET", "/_clock").json()["now"])

    def tracks(self, document: Any, **changes: str) -> "Answer":
        """Post to our own API, signed at the server's current time."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        headers = signed_headers("track", body, LOCAL_SECRET, self.now()) | changes
        return self.request("POST", "/events", body, headers)

    def timeline(self, customer: str = "") -> list[dict[str, Any]]:
        query = f"?customer={quote(customer)}" if customer else ""
        return [json.loads(line) for line in self.request("GET", f"/_timeline{query}").text.splitlines()]


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.text)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    arguments = [sys.executable, "-c", "from cli.main import app; app()", "serve", "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CAIRN_"))}
    environment |= {"PYTHONUNBUFFERED": "1", "COLUMNS": "80"}
    with subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:  # noqa: S603
        try:
            greeting = _read_until(process, "/_timeline\n")
            url = next(word for word in greeting.split() if word.startswith("http://127.0.0.1:")).rstrip(",")
            yield Served(url, greeting)
        finally:
            process.terminate()


def _read_until(process: "subprocess.Popen[bytes]", end: str) -> str:
    output, deadline = "", time.monotonic() + START_SECONDS
    assert process.stdout is not None
    while end not in output:
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        more = os.read(process.stdout.fileno(), 65536) if ready else b""
        assert more, f"cairn serve ended or hung after: {output!r}"
        output += more.decode()
    return output


def sign_up(name: str, **changes: Any) -> dict[str, Any]:
    customer = {"user_id": name, "email": f"{name}@example.com", "phone": f"+1201555{abs(hash(name)) % 10000:04d}"}
    document = {"id": f"signup-{name}", "type": "trial.signup", "customer": customer}
    return document | {"attributes": {"first_name": "Mia", "contact_confidence": 1}} | changes


def test_the_printed_curl_command_works(served: Served) -> None:
    line = next(line for line in served.greeting.splitlines() if line.startswith("curl") and "/events" in line)
    words = shlex.split(line)

    if shutil.which("curl"):
        output = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout  # noqa: S603
        answer = json.loads(output)
    else:
        headers = dict(word.split(": ", 1) for flag, word in pairwise(words) if flag == "-H")
        answer = served.request("POST", urlsplit(words[1]).path, words[words.index("-d") + 1].encode(), headers).json()

    assert answer == {"accepted": 1, "ids": ["signup-4711"]}
    assert [line["step"] for line in served.timeline("member-4711") if line["kind"] == "message"] == ["confirm"]


def test_a_body_signed_by_stripes_own_library_is_accepted(served: Served) -> None:
    body = _stripe_body("evt_signed")

    answer = served.request("POST", "/webhooks/stripe", body, _stripe_signature(served, body))

    assert (answer.status, answer.json()) == (202, {"accepted": 1, "ids": ["evt_signed"]})
    assert "payment.failed" in [line.get("type") for line in served.timeline("stripe:cus_evt_signed")]


def test_a_body_with_one_changed_byte_is_refused(served: Served) -> None:
    body = _stripe_body("evt_changed")
    headers = _stripe_signature(served, body)

    answer = served.request("POST", "/webhooks/stripe", body.replace(b"4900", b"4901"), headers)

    assert (answer.status, answer.json()["title"]) == (401, "signature-invalid")
    assert answer.headers["content-type"] == "application/problem+json"
    assert served.timeline("stripe:cus_evt_changed") == []


def _stripe_body(event_id: str) -> bytes:
    document = json.loads(sample_named("stripe/invoice_payment_failed").read_bytes())
    document |= {"id": event_id}
    document["data"]["object"] |= {"customer": f"cus_{event_id}", "customer_email": f"{event_id}@example.com"}
    return json.dumps(document).encode()


def _stripe_signature(served: Served, body: bytes) -> dict[str, str]:
    seconds = int(served.now().timestamp())
    signature = stripe.WebhookSignature._compute_signature(f"{seconds}.{body.decode()}", LOCAL_SECRET)  # noqa: SLF001
    return {"Stripe-Signature": f"t={seconds},v1={signature}", "content-type": "application/json"}


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_request_without_its_signature_is_refused(served: Served, missing: str) -> None:
    answer = served.tracks(sign_up("unsigned"), **{missing: ""})

    assert (answer.status, answer.json()["title"]) == (401, "signature-missing")
    assert served.timeline("unsigned") == []


def test_a_signature_of_yesterday_is_refused(served: Served) -> None:
    body = json.dumps(sign_up("yesterday")).encode()
    yesterday = datetime.fromtimestamp(served.now().timestamp() - 86_400, UTC)

    answer = served.request("POST", "/events", body, signed_headers("track", body, LOCAL_SECRET, yesterday))

    assert (answer.status, answer.json()["title"]) == (401, "signature-invalid")


def test_an_unknown_source_is_answered_with_the_known_ones(served: Served) -> None:
    answer = served.request("POST", "/webhooks/nobody", b"{}")

    assert (answer.status, answer.json()["title"]) == (404, "unknown-source")
    assert "stripe" in answer.json()["detail"]


def test_a_body_over_the_limit_is_refused_even_with_a_valid_signature(served: Served) -> None:
    answer = served.tracks(b'"' + b"a" * (MAX_BODY_BYTES - 1) + b'"')

    assert (answer.status, answer.json()["title"]) == (413, "body-too-large")


def test_a_body_of_exactly_the_limit_is_read(served: Served) -> None:
    answer = served.tracks(b'"' + b"a" * (MAX_BODY_BYTES - 2) + b'"')

    assert answer.status == 422


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\x00", b"not json"])
def test_a_signed_body_that_is_not_json_is_malformed(served: Served, body: bytes) -> None:
    answer = served.request("POST", "/events", body, _signed_by_hand(body, str(int(served.now().timestamp()))))

    assert (answer.status, answer.json()["title"]) == (400, "malformed-body")


def _signed_by_hand(body: bytes, seconds: str) -> dict[str, str]:
    """Standard Webhooks 1.0.0; its own package signs text only."""
    key = base64.b64decode(LOCAL_SECRET.removeprefix("whsec_"))
    mac = hmac.digest(key, b"malformed." + seconds.encode() + b"." + body, "sha256")
    signature = "v1," + base64.b64encode(mac).decode()
    return {"webhook-id": "malformed", "webhook-timestamp": seconds, "webhook-signature": signature}


def test_an_invalid_event_is_answered_with_all_its_problems(served: Served) -> None:
    answer = served.tracks(
        [
            sign_up("fine"),
            {"type": "Signed Up", "occurred_at": "soon", "customer": {"mail": "x"}, "extra": 1},
            "no event",
        ],
    )

    problem = answer.json()
    named = {text.partition(":")[0] for text in problem["problems"]}
    assert (answer.status, problem["title"]) == (422, "invalid-event")
    assert {"[1].type", "[1].occurred_at", "[1].customer.mail", "[1].extra"} <= named
    assert any(text.startswith("[2].") for text in problem["problems"])
    assert served.timeline("fine") == []


def test_fifty_concurrent_posts_of_one_event_are_processed_once(served: Served) -> None:
    body = json.dumps(sign_up("many")).encode()
    headers = signed_headers("track", body, LOCAL_SECRET, served.now())

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: served.request("POST", "/events", body, headers), range(50)))

    assert {answer.status for answer in answers} == {202}
    kinds = [line["kind"] for line in served.timeline("many")]
    assert (kinds.count("event"), kinds.count("entered"), kinds.count("message")) == (1, 1, 1)


def test_a_timeline_is_found_by_any_identifier(served: Served) -> None:
    customer = {
        "user_id": "anna",
        "email": "Anna@example.com",
        "phone": "+1 201 555 7777",
        "external_ids": {"pos": "77"},
    }
    served.tracks(sign_up("anna", customer=customer))

    by_id = served.timeline("anna")
    assert {line["customer"] for line in by_id} == {"anna"}
    for name in ("anna@example.com", "ANNA@example.com", "+12015557777", "pos:77", by_id[0]["customer_id"]):
        assert served.timeline(name) == by_id
    assert [line for line in served.timeline() if line["customer"] == "anna"] == by_id
    assert served.timeline("nobody") == []


def test_a_sample_is_signed_and_sent_by_the_command_line(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAIRN_SECRET_STRIPE", raising=False)
    sample = str(sample_named("stripe/invoice_payment_failed"))

    result = CliRunner().invoke(app, ["send", sample, "--to", served.url, "--source", "stripe"])

    assert (result.exit_code, result.stdout.partition(" ")[0]) == (0, "202"), result.output


def test_a_sample_signed_with_another_secret_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAIRN_SECRET_TRACK", "whsec_YW5vdGhlcg==")

    result = CliRunner().invoke(app, ["send", str(EVENTS / "track" / "trial_signup.json"), "--to", served.url])

    assert result.exit_code == 1
    assert result.stderr.startswith("401")


@pytest.mark.parametrize("body", [b"", b"3d", b'{"advance": "soon"}', b'{"advance": "-3d"}', b"[]"])
def test_the_clock_accepts_durations_only(served: Served, body: bytes) -> None:
    before = served.now()

    answer = served.request("POST", "/_clock", body)

    assert answer.status == 400
    assert (served.now() - before).total_seconds() < 60


def test_moving_the_clock_runs_due_steps_in_order(served: Served) -> None:
    """Afterwards the server's clock is ahead, as the tests below need it."""
    before = served.now()
    served.tracks(sign_up("late", attributes={"first_name": "Mia", "contact_confidence": 1, "time_zone": "UTC"}))

    answer = served.request("POST", "/_clock", b'{"advance": "8d"}')

    now = datetime.fromisoformat(answer.json()["now"])
    lines = served.timeline("late")
    days = [(datetime.fromisoformat(line["at"]) - before).days for line in lines]
    assert 0 <= (now - before).total_seconds() - 8 * 86_400 < 60
    assert [line["step"] for line in lines if line["kind"] in {"message", "suppressed", "task"}] == [
        "confirm",
        "onboarding",
        "classes",
        "call",
    ]
    assert days == sorted(days)
    assert days[-1] in {6, 7}


def test_where_the_clock_was_moved_a_sample_happens_by_that_clock(served: Served, tmp_path: Path) -> None:
    """After the test before, the clock is days ahead."""
    before, sample = served.now(), tmp_path / "sample.json"
    assert before - datetime.now(UTC) > timedelta(days=7)
    sample.write_text(json.dumps(sign_up("by-our-clock", occurred_at="$at")), encoding="utf-8")

    result = CliRunner().invoke(app, ["send", str(sample), "--to", served.url])

    assert (result.exit_code, result.stdout.partition(" ")[0]) == (0, "202"), result.output
    (event,) = [one for one in served.timeline("by-our-clock") if one["kind"] == "event"]
    assert datetime.fromisoformat(event["at"]) >= before.replace(microsecond=0)


def test_a_members_announcement_and_the_page_of_the_task_are_seen_on_a_laptop(served: Served) -> None:
    served.tracks(sign_up("vip", attributes={"first_name": "Zoe", "contact_confidence": 1, "tags": ["vip"]}))
    served.request("POST", "/_clock", b'{"advance": "12h"}')

    mails = [json.loads(line) for line in served.request("GET", "/_mail").text.splitlines()]
    texts = [one["text"] for one in mails if "Welcome a new trial member in person" in one["text"]]
    link = next(word for word in texts[0].split() if "/tasks/" in word)
    page = served.request("GET", urlsplit(link).path)

    assert page.status == 200
    assert "Welcome a new trial member in person" in page.text


def test_where_the_clock_was_moved_a_wrong_secret_is_still_called_wrong(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAIRN_SECRET_TRACK", "whsec_YW5vdGhlcg==")

    result = CliRunner().invoke(app, ["send", str(EVENTS / "track" / "trial_signup.json"), "--to", served.url])

    assert result.exit_code == 1
    assert result.stderr.startswith("401")
    assert "no signature matches; check the secret" in result.stderr
