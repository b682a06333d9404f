"""An import through the real function: exact, repeatable, and it starts nothing."""

import csv
import json
import os
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from infra.local.faults import FaultPlan
from infra.local.faults.fault import Fault
from tests.stories.shop import RECEIPT, Opens, Shop

SAMPLES = Path(__file__).parents[2] / "events" / "imports"
WHY = ("--why", "the move")
HEADER = "user_id,email,phone,attributes.first_name,tags"
ROWS = [f"u-{number},u{number}@example.com,+1212555{number:04},Ada{number},vip" for number in range(1, 6)]


@pytest.fixture
def shop(opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    return opens(RECEIPT)


def write(name: str, *lines: str) -> str:
    Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(name, (1_767_225_600, 1_767_225_600))  # 2026-01-01
    return name


def imports(shop: Shop, kind: str, *words: str) -> Result:
    return shop.tries("import", kind, *words)


def counted(done: Result) -> dict[str, int]:
    """Outcomes and reasons by their numbers, as they are printed."""
    lines = [line.strip().replace("would be ", "").partition(":")[0].split() for line in done.stdout.splitlines()[1:]]
    return {
        name: int(number.replace(",", ""))
        for number, name in (one for one in lines if len(one) == 2)
        if number.isdigit()
    }


def profile(shop: Shop, name: str) -> dict[str, Any]:
    found = shop.asks("POST", "export", customer=name, why="a test")
    assert found["status_code"] == 200, found
    return found


def test_customers_are_created_with_names_attributes_and_tags_and_enter_no_journey(shop: Shop) -> None:
    done = imports(shop, "customers", write("list.csv", HEADER, *ROWS), *WHY)

    assert (done.exit_code, counted(done)) == (0, {"created": 5})
    ada = profile(shop, "u1@example.com")["customer"]
    assert [one["kind"] for one in ada["identifiers"]] == ["user_id", "email", "phone"]
    assert ada["attributes"]["first_name"] == {"value": "Ada1", "told_at": "2026-01-01T00:00:00Z"}
    assert (ada["tags"], ada["activity"]) == (["vip"], {})
    assert shop.timeline("message", "task", "deferred") == []


def test_the_same_import_again_changes_nothing(shop: Shop) -> None:
    file = write("list.csv", HEADER, *ROWS)
    imports(shop, "customers", file, *WHY)
    before = shop.deployment.timeline()
    for state in Path(".cairn/imports").iterdir():
        state.unlink()

    again = imports(shop, "customers", file, *WHY)

    assert counted(again) == {"repeated": 5}
    assert shop.deployment.timeline() == before


def test_a_dry_run_counts_what_would_happen_and_writes_nothing(shop: Shop) -> None:
    shop.happens("page.viewed", customer={"email": "u1@example.com"}, attributes={}, consent=[])
    shop.happens("page.viewed", customer={"phone": "+12125550001"}, attributes={}, consent=[])
    shop.happens("page.viewed", customer={"user_id": "u-2"}, attributes={}, consent=[])
    before = shop.deployment.timeline()
    file = write("list.csv", HEADER, *ROWS, "u-9,nobody,,Eve,")

    dry = imports(shop, "customers", file, "--dry-run")

    assert counted(dry) == {"created": 3, "updated": 1, "merged": 1, "refused": 1, "email": 1}
    assert "line 7: customer.email: not an e-mail address: u-•,n•••••,,E••," in dry.stdout
    assert shop.deployment.timeline() == before
    assert counted(imports(shop, "customers", file, *WHY)) == counted(dry)


def test_newer_values_stay_and_older_ones_are_replaced(shop: Shop) -> None:
    shop.happens("page.viewed", customer={"user_id": "u-1"}, attributes={"first_name": "Newer"}, consent=[])

    done = imports(shop, "customers", write("list.csv", HEADER, *ROWS[:1]), *WHY)

    assert counted(done) == {"updated": 1}
    assert profile(shop, "u-1")["customer"]["attributes"]["first_name"]["value"] == "Newer"
    shop.passes("2d")
    imports(shop, "customers", "list.csv", *WHY, "--name", "later", "--as-of", "2026-03-03")
    assert profile(shop, "u-1")["customer"]["attributes"]["first_name"]["value"] == "Ada1"


@pytest.mark.parametrize(
    ("policy", "first_name", "counts"),
    [
        ("first", "One", {"created": 2, "refused": 1, "duplicate": 1}),
        ("last", "Two", {"created": 2, "refused": 1, "duplicate": 1}),
        ("refuse", None, {"created": 1, "refused": 2, "duplicate": 2}),
    ],
)
def test_of_two_rows_about_one_customer_the_policy_decides(
    shop: Shop, policy: str, first_name: str | None, counts: dict[str, int]
) -> None:
    rows = ("u-1,u1@example.com,,One,", "u-3,u3@example.com,,Three,", ",U1@Example.com,,Two,")

    done = imports(shop, "customers", write("list.csv", HEADER, *rows), *WHY, "--on-duplicate", policy)

    assert (done.exit_code, counted(done)) == (1, counts)
    if first_name is not None:
        assert profile(shop, "u1@example.com")["customer"]["attributes"]["first_name"]["value"] == first_name
    with Path("list.csv.refused.csv").open(newline="") as file:
        reported = list(csv.DictReader(file))
    assert {one["reason"] for one in reported} == {"duplicate"}
    assert all("--on-duplicate" in one["what_to_do"] for one in reported)
    assert {one["line"]: one["detail"] for one in reported}.items() <= {
        "2": "the same customer is in row 4",
        "4": "the same customer is in row 2",
    }.items()
    assert [one["row"] for one in reported] == [rows[int(one["line"]) - 2] for one in reported]


def test_the_report_is_for_its_owner_alone(shop: Shop) -> None:
    imports(shop, "customers", write("list.csv", HEADER, "u-1,nobody,,,"), *WHY)

    assert Path("list.csv.refused.csv").stat().st_mode & 0o777 == 0o600


def test_a_customer_who_was_erased_after_the_file_was_made_stays_erased(shop: Shop) -> None:
    shop.happens("page.viewed", customer={"user_id": "u-1"}, attributes={}, consent=[])
    shop.cairn("erase", "u-1", "--why", "ticket 1", "--yes")
    shop.passes("1h")

    done = imports(shop, "customers", write("list.csv", HEADER, *ROWS), *WHY)

    assert (done.exit_code, counted(done)) == (1, {"created": 4, "refused": 1, "erased": 1})
    assert shop.asks("POST", "export", customer="u-1", why="a test")["status_code"] == 404


def test_consents_come_with_their_proof(shop: Shop) -> None:
    header = "email,channel,purpose,status,at,source,wording"
    row = "ada@example.com,email,marketing,{},{},shop,Yes please."
    rows = [row.format("granted", "2025-03-01"), row.format("denied", "2025-01-01"), row.format("granted", "")]

    done = imports(shop, "consents", write("proof.csv", header, *rows), *WHY)

    assert counted(done) == {"created": 1, "updated": 1, "refused": 1, "proof": 1}
    found = profile(shop, "ada@example.com")
    (consent,) = found["consent"]
    assert (consent["status"], consent["at"], consent["source"]) == ("granted", "2025-03-01T00:00:00Z", "shop")
    assert consent["wording"] == "Yes please."
    assert len(found["consent_history"]) == 2


def test_suppressions_reach_customers_and_addresses_of_nobody(shop: Shop) -> None:
    shop.happens("page.viewed", customer={"email": "ada@example.com"}, attributes={}, consent=[])
    header = "channel,address,cause,at"
    rows = ("email,ada@example.com,hard_bounce,2025-01-01", "sms,+12125550199,stop,2025-02-02")

    done = imports(shop, "suppressions", write("bounced.csv", header, *rows), *WHY)

    assert counted(done) == {"updated": 1, "suppressed": 1}
    shown = shop.cairn("suppress", "ada@example.com", "--show", "--why", "a test")
    assert "bounce" in shown
    assert "stop" in shop.cairn("suppress", "+12125550199", "--channel", "sms", "--show", "--why", "a test").lower()
    assert len(shop.deployment.customer_ids("+12125550199")) == 0 or not shop.deployment.timeline("+12125550199")


def test_events_are_history(shop: Shop) -> None:
    lines = [
        {"id": f"o-{number}", "type": "note.wanted", "at": f"2025-0{number}-01", "email": "ada@example.com",
         "properties": {"total": number}}
        for number in (1, 2)
    ]  # fmt: skip

    done = imports(shop, "events", write("orders.jsonl", *map(json.dumps, lines)), *WHY)

    assert counted(done) == {"created": 1, "updated": 1}
    activity = profile(shop, "ada@example.com")["customer"]["activity"]["note.wanted"]
    assert activity == {"count": 2, "first": "2025-01-01T00:00:00Z", "last": "2025-02-01T00:00:00Z"}
    assert shop.timeline("message", "deferred") == []


@pytest.mark.parametrize(
    ("kind", "sample", "mapping", "counts"),
    [
        ("customers", "mailchimp.csv", "mailchimp", {"created": 2}),
        ("customers", "mailchimp-unsubscribed.csv", "mailchimp", {"created": 1}),
        ("suppressions", "mailchimp-cleaned.csv", "mailchimp-cleaned", {"suppressed": 1}),
        ("customers", "klaviyo.csv", "klaviyo", {"created": 2}),
        ("suppressions", "klaviyo-suppressed.csv", "klaviyo-suppressed", {"suppressed": 2}),
        ("customers", "hubspot.csv", "hubspot", {"created": 2}),
        ("suppressions", "hubspot-opted-out.csv", "hubspot-opted-out", {"suppressed": 3}),
        ("customers", "pinpoint.jsonl", "pinpoint", {"created": 1, "updated": 1}),
    ],
)
def test_the_exports_of_vendors_are_known(  # noqa: PLR0913, PLR0917  a row of the table
    shop: Shop, tmp_path: Path, kind: str, sample: str, mapping: str, counts: dict[str, int]
) -> None:
    report = str(tmp_path / "refused.csv")

    done = imports(shop, kind, str(SAMPLES / sample), "--mapping", mapping, "--report", report, *WHY)

    assert (done.exit_code, counted(done)) == (0, counts), done.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("customers", "list.csv"), "say why, for the audit"),
        (("customers", "none.csv", *WHY), "none.csv is no file"),
        (("customers", "list.csv", *WHY, "--mapping", "mailchmp"), "did you mean mailchimp?"),
        (("customers", "list.csv", *WHY, "--mapping", "mailchimp"), "the column 'Email Address' is missing"),
        (("events", "list.csv", *WHY, "--mapping", "mailchimp"), "kind: write kind = 'events'"),
        (("customers", "list.csv", *WHY, "--dates", "year-first"), "day-first or month-first"),
        (("customers", "list.csv", *WHY, "--as-of", "soon"), "--as-of is an instant"),
        (("customers", "list.csv", *WHY, "--set", "account"), "--set is NAME=VALUE"),
        (("customers", "unknown.csv", *WHY), "the column 'emial' is unknown; did you mean email?"),
        (
            ("customers", "vendor.csv", *WHY),
            "these are the columns of Mailchimp: audience export: add --mapping mailchimp",
        ),
        (("customers", "list.csv", *WHY, "--encoding", "klingon"), "no encoding is called klingon"),
        (("customers", "bad.csv", *WHY, "--max-refused", "10"), "1 of 1 rows are refused, more than 10 %"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_the_way_on(shop: Shop, words: tuple[str, ...], problem: str) -> None:
    write("list.csv", HEADER, *ROWS)
    write("unknown.csv", "emial,user_id", "a@example.com,u-1")
    write("vendor.csv", "Email Address,LEID,EUID", "a@example.com,1,2")
    write("bad.csv", HEADER, "u-1,nobody,,,")

    done = imports(shop, *words)

    assert done.exit_code == 1
    assert problem in " ".join(done.output.split())
    assert shop.deployment.timeline() == []


def test_every_problem_of_a_mapping_is_named_at_once(shop: Shop) -> None:
    mapping = """
kind = "customers"
zone = "Mars/North"
[customer]
e-mail = "row.Email"
[attributes]
first_name = "lowr(row.Name)"
[types]
age = "numbr"
[[consent]]
channel = "emial"
granted = "row.["
"""
    write("mine.toml", mapping)

    done = imports(shop, "customers", write("list.csv", HEADER, *ROWS), *WHY, "--mapping", "mine.toml")

    assert done.exit_code == 1
    problems = [line.partition(": ")[2] for line in done.output.splitlines()]
    assert [one.partition(":")[0] for one in problems] == [
        "customer.e-mail", "attributes.first_name", "types.age", "consent[0].channel", "consent[0].purpose",
        "consent[0]", "consent[0].granted", "zone",
    ]  # fmt: skip
    assert "did you mean email?" in problems[0]
    assert "did you mean lower?" in problems[1]


def test_the_audit_says_who_imported_what(shop: Shop) -> None:
    imports(shop, "customers", write("list.csv", HEADER, *ROWS), "--name", "spring", *WHY)

    (entry,) = [one for one in shop.asks("GET", "audit")["entries"] if one["what"] == "import"]

    assert (entry["target"], entry["why"]) == ("import:spring", "the move")


def test_another_file_under_the_same_name_is_refused(shop: Shop) -> None:
    imports(shop, "customers", write("list.csv", HEADER, *ROWS), "--name", "spring", *WHY)

    done = imports(shop, "customers", write("list.csv", HEADER, *ROWS[:2]), "--name", "spring", *WHY)

    assert done.exit_code == 1
    assert "give this one another --name" in done.output


def recorded(shop: Shop) -> Counter[tuple[str, str]]:
    return Counter((line["customer"], line["kind"]) for line in shop.deployment.timeline())


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.ANSWER_LOST])
def test_a_function_that_dies_at_any_call_writes_each_row_once(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.chdir(tmp_path)
    header, rows = f"{HEADER},at", [f"{row},2025-01-01" for row in ROWS[:2]]
    shop = opens(RECEIPT)
    shop.deployment.faults = FaultPlan.none()
    imports(shop, "customers", write("list.csv", header, *rows), *WHY)
    wanted = recorded(shop)
    calls = [one.number for one in shop.deployment.faults.calls if one.function == "import_rows"]

    for number, call in enumerate(calls):
        shop.deployment.faults = FaultPlan.at({number: fault})
        renamed = [row.replace("u-", f"x{call}-").replace("u", f"x{call}", 1) for row in rows]
        renamed = [row.replace("@", f".{number}@").replace("+1212555", f"+1646{number + 200}") for row in renamed]
        done = imports(shop, "customers", write(f"list-{number}.csv", header, *renamed), *WHY)
        shop.passes("1m")

        assert done.exit_code == 0, done.output
        assert sum(counted(done).values()) == 2
        assert len(shop.deployment.faults.struck) == 1
    assert sorted(Counter(customer for customer, _ in recorded(shop)).values()) == sorted(
        list(Counter(customer for customer, _ in wanted).values()) * (len(calls) + 1)
    )


def test_progress_has_no_value_of_a_row(shop: Shop) -> None:
    imports(shop, "customers", write("list.csv", HEADER, *ROWS, "u-9,nobody@@x,,Evelyn,"), "--name", "spring", *WHY)

    with sqlite3.connect(".cairn/imports/spring.sqlite") as state:
        text = "\n".join(state.iterdump())

    assert Path(".cairn/imports/spring.sqlite").stat().st_mode & 0o777 == 0o600
    for value in ("u-1", "u1@example.com", "+12125550001", "Ada1", "Evelyn", "nobody"):
        assert value not in text
