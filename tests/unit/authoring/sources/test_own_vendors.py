"""Vendors of a deployment's own, in the folder beside its sources.toml."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from authoring.sources.check import all_problems
from authoring.sources.mapping import problems
from cairn.adapters.sources import OWN, sources
from cairn.adapters.sources.mapped import MappedSource
from cli.main import app


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    path = tmp_path / "sources.toml"
    path.write_text("", encoding="utf-8")
    return path


def cairn(configuration: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["sources", *arguments, "--configuration", str(configuration)])


@pytest.fixture
def acme(configuration: Path) -> Path:
    """A new vendor's folder."""
    assert cairn(configuration, "new", "acme").exit_code == 0
    return configuration.parent / OWN / "acme"


def test_a_vendor_beside_sources_toml_is_a_source(acme: Path, configuration: Path) -> None:
    known = sources(configuration)

    assert isinstance(known["acme"], MappedSource)
    assert "stripe" in known
    assert all_problems(configuration) == []
    assert (acme / "mapping.toml").is_file()


def test_it_stands_in_for_one_of_the_same_name(acme: Path, configuration: Path) -> None:
    acme.rename(acme.with_name("typeform"))

    source = sources(configuration)["typeform"]

    assert isinstance(source, MappedSource)
    assert source.mapping["title"] == "Acme"


def test_a_fault_of_it_is_listed(acme: Path, configuration: Path) -> None:
    (acme / "README.md").unlink()

    assert all_problems(configuration) == [
        "acme/README.md: missing; write where to click at the vendor, and which events its webhooks become"
    ]


@pytest.mark.usefixtures("acme")
def test_a_trial_shows_each_value_and_the_events(configuration: Path) -> None:
    shown = cairn(configuration, "try", "acme/order_paid")

    assert shown.exit_code == 0, shown.output
    assert 'id = "evt_0001"' in shown.stdout
    assert "events[0] is the rule that counts: order.paid" in shown.stdout
    assert 'customer.email = "sam.sample@example.com"' in shown.stdout
    event = json.loads(shown.stdout.partition("\n\n")[2])
    assert (event["type"], event["source"], event["properties"]) == ("order.paid", "acme", {"order_id": "1001"})


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"type": "order.paid", "id": "1"}, "it names no customer"),
        ({"type": "order.paid", "customer": {"id": "7"}, "created_at": "x"}, "occurred_at: an instant in ISO 8601"),
    ],
)
def test_a_trial_says_why_a_body_becomes_no_event(body: object, why: str, acme: Path, configuration: Path) -> None:
    path = acme / "samples" / "odd.json"
    path.write_text(json.dumps(body), encoding="utf-8")

    shown = cairn(configuration, "try", str(path))

    assert shown.exit_code == 1
    assert why in shown.stderr


def test_a_trial_of_a_body_elsewhere_needs_the_name_of_its_source(configuration: Path, tmp_path: Path) -> None:
    path = tmp_path / "paid.json"
    path.write_text(json.dumps({"id": "evt_1", "created": 1, "type": "x.y", "data": {"object": {"customer": "c"}}}))

    assert cairn(configuration, "try", str(path)).exit_code == 2
    assert '"type": "stripe.x.y"' in cairn(configuration, "try", str(path), "--source", "stripe").stdout


def test_a_trial_takes_the_headers_of_the_sample_and_of_the_command(configuration: Path) -> None:
    paid = cairn(configuration, "try", "shopify/orders_paid")
    created = cairn(configuration, "try", "shopify/orders_paid", "--header", "X-Shopify-Topic: orders/create")

    assert '"type": "order.paid"' in paid.stdout
    assert '"type": "order.created"' in created.stdout


def test_what_samples_become_is_accepted(acme: Path, configuration: Path) -> None:
    (acme / "samples" / "seen.json").write_text(json.dumps({"id": "2", "type": "seen", "customer": {"id": "7"}}))
    mapping = acme / "mapping.toml"
    mapping.write_text(mapping.read_text() + 'total = "body.total"\n')
    assert len(all_problems(configuration)) == 1  # the page's table

    assert cairn(configuration, "accept", "acme").exit_code == 0

    assert all_problems(configuration) == []
    assert json.loads((acme / "expected.json").read_text())["seen"][0]["type"] == "acme.seen"
    assert "| `order.paid` | `order.paid` | `order_id`, `total`" in (acme / "README.md").read_text()


def test_a_fault_of_the_mapping_is_named_when_its_events_are_accepted(acme: Path, configuration: Path) -> None:
    mapping = acme / "mapping.toml"
    mapping.write_text(mapping.read_text() + '\n[each]\naccount = "body.account"\n')

    result = cairn(configuration, "accept", "acme")

    assert result.exit_code == 1
    assert "account: this name has a meaning already" in result.stderr


def test_rules_of_sources_toml_come_before_those_of_the_mapping(configuration: Path) -> None:
    configuration.write_text(
        """
        [[stripe.events]]
        when = "body.type == 'charge.refunded'"
        type = "payment.refunded"
        """,
        encoding="utf-8",
    )

    source = sources(configuration)["stripe"]

    assert isinstance(source, MappedSource)
    assert source.mapping["events"][0]["type"] == "payment.refunded"
    assert "payment.failed" in [rule.get("type") for rule in source.mapping["events"]]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("frist_name(body.name)", "no function is called frist_name; did you mean first_name?"),
        ("e164(body.phone)", "e164 takes 2 values, not 1"),
        ("body.items[?contains(lower(name, 'x'), 'y')]", "lower takes 1 values, not 2"),
        ("not_null(body.a, body.b, body.c)", ""),
    ],
)
def test_a_call_that_is_always_null_is_named(expression: str, problem: str) -> None:
    mapping = {
        "id": expression,
        "occurred_at": "null",
        "signature": {"scheme": "body-hmac", "header": "X-Signature"},
    }

    assert problems("acme", mapping) == ([f"id: {problem}"] if problem else [])
