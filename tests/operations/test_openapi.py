"""Every answer of the public endpoints is one that docs/openapi.yaml names, and never a server error."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core import NOT_SET
from werkzeug.test import TestResponse

from authoring.sources.samples import signed_headers, url_of
from cairn.adapters.http.manage.forms import NAMES
from cairn.adapters.http.manage.routes import ROUTES as MANAGE
from cairn.adapters.in_app.api import COMPONENT
from cairn.adapters.in_app.api import ROUTES as IN_APP
from cairn.adapters.phone.numbers import phones_of
from cairn.adapters.sources import SNS, TRACK, sources
from cairn.adapters.sources.bodies import FORM
from cairn.domain.consent.links import LinkKind
from cairn.domain.identity.placeholders import is_placeholder
from cairn.domain.privacy.reasons import names
from infra.local.server import ROUTES
from infra.local.signing import LOCAL_SECRET
from tests.laws import examples

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
SCHEMA = schemathesis.openapi.from_path(str(DOCUMENT))
TRACK_OPERATION = SCHEMA["/events"]["POST"]
WEBHOOK = SCHEMA["/webhooks/{source}"]["POST"]
HANDSHAKE = SCHEMA["/webhooks/{source}"]["GET"]

SENDS_FORMS = {"mailchimp", "twilio"}
"""Twilio's signature covers the fields of a form; for another body, the URL has to carry a hash of it."""

ONLY_AWS_SIGNS = {"sns"}
"""Only AWS has the key."""

VENDORS = sorted(set(sources()) - {TRACK, SNS})
"""Without the source sns, for which only AWS can sign; tests/unit/adapters/feedback attacks it."""

APPLIED = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)

STOPS_A_VENDOR = {404, 410}
"""After these, and after redirects, vendors stop sending."""

AT_RANDOM = settings(
    max_examples=examples(fixed=10, proving=40),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)

A_LAW = pytest.mark.hypothesis
"""For a test whose examples are generated inside it, so that `make prove-laws` finds it."""

EITHER_MODE = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE])


def cases(operation: Any, **fixed: Any) -> st.SearchStrategy[Case]:
    """Requests that the document allows, and requests that it does not."""
    return EITHER_MODE.flatmap(lambda mode: operation.as_strategy(generation_mode=mode, **fixed))


def body_of(case: Case) -> bytes:
    if case.body is NOT_SET:
        return b""
    if case.media_type == FORM and isinstance(case.body, dict):
        return urlencode(case.body, doseq=True).encode()
    return case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()


def send(api: Any, case: Case, headers: dict[str, str] | None = None, token: str = "") -> TestResponse:
    """`token` is the query in which a vendor that signs nothing shows its secret."""
    own = {"content-type": case.media_type or "application/json", **dict(case.headers or {}), **(headers or {})}
    printable = {name: str(value) for name, value in own.items() if str(value).isprintable() and str(value).isascii()}
    response: TestResponse = api.client.open(
        case.formatted_path,
        method=case.method,
        base_url="https://localhost",
        query_string=token or {name: str(value) for name, value in (case.query or {}).items()},
        data=body_of(case),
        headers=printable,
    )
    case.validate_response(response, checks=APPLIED)
    return response


def signed(api: Any, case: Case, source: str) -> TestResponse:
    given = {"content-type": FORM if source in SENDS_FORMS else case.media_type or "application/json"}
    url = f"https://localhost{case.formatted_path}"
    headers = signed_headers(source, body_of(case), LOCAL_SECRET, api.deployment.now(), url=url, headers=given)
    assume(all(value.isascii() and value.isprintable() for value in headers.values()))  # not every id fits a header
    return send(api, case, headers, token_of(source))


def token_of(source: str) -> str:
    return urlsplit(url_of(source, LOCAL_SECRET, "https://localhost")).query


def names_nobody(event: Any) -> bool:
    """Whether only placeholders stand where the names of the customer belong; references may stand in for names."""
    customer = dict(event.get("customer", {}))
    return bool(customer) and all(map(is_placeholder, [*customer.pop("external_ids", {}).values(), *customer.values()]))


def test_the_document_names_every_public_route_and_no_other() -> None:
    """But for the console, whose pages are for people, and for what browsers ask before a request (CORS)."""
    document = yaml.safe_load(DOCUMENT.read_text())
    given = {
        (path, method.upper()) for path, one in document["paths"].items() for method in one if method != "parameters"
    }

    public = [rule for rule in ROUTES.iter_rules() if not rule.rule.startswith(("/_", "/console"))]
    served = {
        (rule.rule.replace("<", "{").replace(">", "}"), method) for rule in public for method in rule.methods or ()
    }

    assert given == {(path, method) for path, method in served if method not in {"HEAD", "OPTIONS"}}


@A_LAW
def test_no_request_to_the_track_api_causes_a_server_error(api: Any) -> None:
    @AT_RANDOM
    @given(case=cases(TRACK_OPERATION))
    def random_request(case: Case) -> None:
        response = send(api, case)

        assert response.status_code == 401

    random_request()


@A_LAW
def test_every_event_that_the_document_allows_is_accepted_and_processed(story: Any, api: Any) -> None:
    @settings(AT_RANDOM, max_examples=examples(fixed=8, proving=15))
    @given(case=TRACK_OPERATION.as_strategy(headers={}))
    def allowed(case: Case) -> None:
        response = signed(api, case, TRACK)

        if any(map(names_nobody, case.body if isinstance(case.body, list) else [case.body])):
            assert response.status_code == 422
            assert all("a placeholder" in problem for problem in response.get_json()["problems"])
        else:
            assert response.status_code == 202

    allowed()
    story.passes("1h")
    reasons = {dead_letter["reason"] for dead_letter in api.dead_letters("events")}
    known = ("phone", "there is no audience")
    assert all(any(one in reason for one in known) for reason in reasons), "these alone are dead-lettered"


@A_LAW
def test_no_signed_event_causes_a_server_error(story: Any, api: Any) -> None:
    @AT_RANDOM
    @given(case=cases(TRACK_OPERATION, headers={}))
    def random_event(case: Case) -> None:
        assert signed(api, case, TRACK).status_code in {202, 400, 422}

    random_event()
    story.deployment.settle()


@A_LAW
@pytest.mark.parametrize("source", VENDORS)
def test_no_vendor_gets_an_answer_that_disables_it_or_a_server_error(api: Any, source: str) -> None:
    @AT_RANDOM
    @given(case=cases(WEBHOOK, path_parameters={"source": source}))
    def random_request(case: Case) -> None:
        response = send(api, case)

        assert response.status_code not in STOPS_A_VENDOR
        assert not 300 <= response.status_code < 400

    random_request()


@A_LAW
@pytest.mark.parametrize("source", sorted(set(VENDORS) - ONLY_AWS_SIGNS))
def test_every_body_that_a_vendor_signed_is_acknowledged(story: Any, api: Any, source: str) -> None:
    form = {"media_type": FORM} if source in SENDS_FORMS else {}

    @AT_RANDOM
    @given(case=cases(WEBHOOK, path_parameters={"source": source}, **form))
    def genuine(case: Case) -> None:
        assert signed(api, case, source).status_code in {200, 202}

    genuine()
    story.deployment.settle()


@A_LAW
@pytest.mark.parametrize("source", VENDORS)
def test_no_handshake_causes_a_server_error(api: Any, source: str) -> None:
    @AT_RANDOM
    @given(case=cases(HANDSHAKE, path_parameters={"source": source}))
    def random_question(case: Case) -> None:
        assert send(api, case).status_code in {200, 401}

    random_question()


@A_LAW
def test_an_unknown_source_is_not_found(api: Any) -> None:
    @AT_RANDOM
    @given(name=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True).filter(lambda name: name not in VENDORS))
    def unknown(name: str) -> None:
        answer = api.client.post(f"/webhooks/{name}", base_url="https://localhost", data=b"{}")

        assert answer.status_code == 404 if name != TRACK else 401

    unknown()


TOKENS = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,300}", fullmatch=True)

LINK_OPERATIONS = [(f"/{kind}/{{token}}", method) for kind in LinkKind for method in ("GET", "POST")]


TASK_OPERATIONS = [("/tasks/{token}", method) for method in ("GET", "POST")]


@A_LAW
@pytest.mark.parametrize(("path", "method"), LINK_OPERATIONS + TASK_OPERATIONS)
def test_an_invented_link_gets_no_server_error(api: Any, path: str, method: str) -> None:
    @AT_RANDOM
    @given(case=TOKENS.flatmap(lambda token: cases(SCHEMA[path][method], path_parameters={"token": token})))
    def random_request(case: Case) -> None:
        assert send(api, case).status_code in ({403} if method == "GET" else {400, 403, 413})

    random_request()


@A_LAW
@pytest.mark.parametrize(("path", "method"), LINK_OPERATIONS)
def test_no_request_to_a_genuine_link_causes_a_server_error(story: Any, api: Any, path: str, method: str) -> None:
    story.signs_up()
    token = story.link(path.split("/")[1], "mia.1@example.com").rpartition("/")[2]

    @AT_RANDOM
    @given(case=cases(SCHEMA[path][method], path_parameters={"token": token}))
    def random_request(case: Case) -> None:
        assert send(api, case).status_code in ({200} if method == "GET" else {200, 400, 413})

    random_request()
    story.deployment.settle()
    assert not api.dead_letters("events"), "every stored event can be processed"


@A_LAW
@pytest.mark.parametrize(("path", "method"), TASK_OPERATIONS)
def test_no_request_to_the_page_of_a_task_causes_a_server_error(story: Any, api: Any, path: str, method: str) -> None:
    story.signs_up()
    story.passes("3h")
    texts = [one["Content"]["Simple"]["Body"]["Text"]["Data"] for one in story.deployment.cloud.mails]
    token = next(found[1] for text in texts if (found := re.search(r"https://\S+/tasks/(\S+)", text)))

    @AT_RANDOM
    @given(case=cases(SCHEMA[path][method], path_parameters={"token": token}))
    def random_request(case: Case) -> None:
        assert send(api, case).status_code in ({200} if method == "GET" else {200, 400, 413})

    random_request()
    story.deployment.settle()


IN_APP_OPERATIONS = [
    (path, method) for method, path in IN_APP if method != "OPTIONS" and not path.endswith(COMPONENT.name)
]


@A_LAW
@pytest.mark.parametrize(("path", "method"), IN_APP_OPERATIONS)
def test_an_invented_token_opens_no_inbox_and_causes_no_server_error(api: Any, path: str, method: str) -> None:
    @AT_RANDOM
    @given(case=cases(SCHEMA[path][method]), token=TOKENS)
    def random_request(case: Case, token: str) -> None:
        assert send(api, case, {"Authorization": f"Bearer {token}"}).status_code == 401

    random_request()


@A_LAW
@pytest.mark.parametrize(("path", "method"), IN_APP_OPERATIONS)
def test_no_request_to_an_inbox_causes_a_server_error(story: Any, api: Any, path: str, method: str) -> None:
    story.signs_up()
    asked = {"base_url": "https://localhost", "headers": {"X-Cairn-Actor": "server"}}
    made = api.client.post("/manage/in-app-tokens", json={"customer": "mia.1@example.com"}, **asked).get_json()

    @AT_RANDOM
    @given(case=cases(SCHEMA[path][method]))
    def random_request(case: Case) -> None:
        answer = send(api, case, {"Authorization": f"Bearer {made['token']}"})

        assert answer.status_code in ({200, 400} if method == "GET" else {204, 404})

    random_request()
    story.deployment.settle()


A_STAGE = {"pipeline": "corporate", "stage": "toured"}
"""Of leads.toml, which no schema can know."""

AN_ADDRESS = {
    "email": "Mia@example.com",
    "sms": "(201) 555-0123",
    "whatsapp": "+12015550123",
    "push": "arn:aws:sns:x",
    "in_app": "mia-1",
}

MANAGE_OPERATIONS = [(path, method) for method, path in MANAGE]


@A_LAW
@pytest.mark.parametrize(("path", "method"), MANAGE_OPERATIONS)
def test_no_operator_request_causes_a_server_error(story: Any, api: Any, path: str, method: str) -> None:
    story.signs_up()

    @AT_RANDOM
    @given(case=cases(SCHEMA[path][method]))
    def random_request(case: Case) -> None:
        assert send(api, case).status_code in {200, 202, 400, 404, 409, 413}

    random_request()
    story.deployment.settle()
    assert not api.dead_letters("events"), "every stored event can be processed"


@A_LAW
@pytest.mark.parametrize(("path", "method"), MANAGE_OPERATIONS)
def test_every_request_that_the_document_allows_is_understood(story: Any, api: Any, path: str, method: str) -> None:
    story.signs_up()

    @settings(AT_RANDOM, max_examples=examples(fixed=6, proving=20))
    @given(case=SCHEMA[path][method].as_strategy())
    def allowed(case: Case) -> None:
        given = case.body if isinstance(case.body, dict) else {}
        assume(not (given.get("do") in {"stop", "start"} and {"policy", "window"} & given.keys()))
        if "until" in given:
            given["until"] = "2099-01-01"  # no schema can say that it lies ahead
            given.pop("from", None)
        given |= {name: known for name, known in A_STAGE.items() if name in given}
        if "when" in given:
            given["when"] = "profile.stage == 'customer'"  # no schema can say what a condition is
        if "address" in given:
            given["address"] = AN_ADDRESS[given["channel"]]
        query = case.query or {}
        assume(query.get("report") != "funnel" or query.get("journey"))  # no schema can say that it needs one
        named = [given[name] for name in NAMES if name in given]
        assume(not any(names(given.get("why", ""), name, phones_of("US")) for name in named))  # no schema can say it

        assert send(api, case).status_code in {200, 202, 404, 409}

    allowed()


BREAKS_PARSERS = [
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"1" * 5_000,
    b'{"id": 1e999}',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"type": "\\u0000\\ud800"}',
    b"NaN",
    b"",
    b"null",
]


@pytest.mark.parametrize("source", sorted({TRACK, *VENDORS} - ONLY_AWS_SIGNS))
def test_inputs_that_break_parsers_get_no_server_error(story: Any, api: Any, source: str) -> None:
    path = "/events" if source == TRACK else f"/webhooks/{source}"
    given = {"content-type": FORM} if source in SENDS_FORMS else {}
    answers = set()
    for body in BREAKS_PARSERS:
        headers = signed_headers(source, body, LOCAL_SECRET, api.deployment.now(), headers=given)
        query = token_of(source)
        answers.add(
            api.client.post(
                path, base_url="https://localhost", query_string=query, data=body, headers=headers
            ).status_code
        )
    story.deployment.settle()

    assert answers <= ({400, 422} if source == TRACK else {200, 202})
