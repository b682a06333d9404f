"""The examples of docs/policy.md work as the page says."""

import json
import re
import tomllib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from authoring.journeys import compile_catalogue
from authoring.policy import check_policy, compile_policy
from authoring.policy.models import BY_TABLE, Law, Policy
from authoring.shape import keys_of
from cairn.adapters.documents.policy import policy_from_document
from cairn.adapters.phone.jurisdiction import jurisdiction_of
from cairn.domain import policy as domain
from cairn.domain.gate.quiet_hours import HORIZON, first_legal
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import message

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml policy\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SENT = re.findall(r"^\| `(\{.*?\})`(?P<more>[^|]*)\| (\S+) \| (\S+) \|$", PAGE, re.MULTILINE)
NUMBERS = {"+91": "+919812345678", "+383": "+38344123456"}
KEYS = re.findall(r"^\| (`.*?) \| (.*?) \| (.*?) \|$", PAGE.partition("## All keys")[2], re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_passes_the_check(example: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    # What stands by itself belongs above the tables.
    policy.write_text(example if example is EXAMPLES[0] else f"{_above(example)}{EXAMPLES[0]}{_tables(example)}")

    assert check_policy(policy, ROOT / "law.toml", compile_catalogue(ROOT / "layers" / "journeys")) == []


@pytest.mark.parametrize(("profile", "more", "asked", "goes_out"), SENT)
def test_every_message_goes_out_when_the_page_says(profile: str, more: str, asked: str, goes_out: str) -> None:
    policy = policy_from_document(compile_policy(ROOT / "policy.toml", ROOT / "law.toml"))
    number = next((number for code, number in NUMBERS.items() if code in more), "+12015550123")
    text = message(
        purpose=Purpose.MARKETING,
        channels=(Channel.SMS,),
        addresses={Channel.SMS: number},
        variables={"profile": json.loads(profile)},
    )

    found = first_legal(
        policy, replace(text, jurisdiction=jurisdiction_of(text)), Channel.SMS, datetime.fromisoformat(asked)
    )

    assert found.at == datetime.fromisoformat(goes_out)


def test_the_page_has_examples_of_all_of_it() -> None:
    assert len(EXAMPLES) == 5
    assert len(SENT) == 8


def test_every_key_is_on_the_page_and_no_other() -> None:
    shown = {name for keys, _, _ in KEYS for name in re.findall(r"`([a-z_]+)", keys)}

    assert shown == set(keys_of(Policy))
    for keys, _, rows in KEYS:
        (table,) = re.findall(r"`([a-z_]+)", keys)[:1]
        if table in BY_TABLE and table != "answers":
            assert set(re.findall(r"`(\w+)`", rows)) == set(keys_of(BY_TABLE[table]))
    assert all(f"`{name}`" in PAGE for name in keys_of(Law))


def test_the_defaults_on_the_page_are_those_of_the_domain() -> None:
    said = {keys: default for keys, default, _ in KEYS}
    read = policy_from_document({"preferred_hour_window": said["`preferred_hour_window`"].strip('`"')})

    assert read == domain.Policy()
    assert policy_from_document({"max_hold": said["`max_hold`"].strip('`"')}) == domain.Policy()
    assert said["`unknown_region`"] == f'`"{domain.Policy().unknown_region}"`'
    assert f"within {HORIZON.days} days" in PAGE
    (breaker,) = [example for example in EXAMPLES if "[breaker]" in example]
    assert policy_from_document(tomllib.loads(breaker)).breaker == domain.Breaker()
    assert policy_from_document(tomllib.loads(breaker)).erasure_orders_per_hour == domain.ERASURE_ORDERS_PER_HOUR


def _above(example: str) -> str:
    return "" if example.startswith("[") else example.partition("\n[")[0] + "\n"


def _tables(example: str) -> str:
    return "\n" + example.removeprefix(_above(example))
