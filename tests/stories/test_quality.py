"""Data quality as a steward works on it: a run over the copy of the table, its report, and pairs to decide about."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.conftest import SHORT_JOURNEY, Begins, Story
from tests.console import Browser
from tests.stories.shop import POLICY, served

Json = dict[str, Any]


ANNA = {"first_name": "Anna", "last_name": "Lindqvist", "birth_date": "1984-05-12"}
SECRETS = ("anna", "lindqvist", "@example.com", "+1201555")


@dataclass
class Steward:
    story: Story
    url: str
    folder: Path

    def says(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["quality", *words, "--to", self.url], env={"LOGNAME": "ada", "COLUMNS": "150"})

    def runs(self) -> Json:
        done = self.says("run", "--why", "ticket 1", "--work", str(self.work), "--journeys", str(SHORT_JOURNEY))
        assert done.exit_code == 0, done.output
        return self.report()

    @property
    def work(self) -> Path:
        return self.folder / "quality.sqlite"

    def report(self) -> Json:
        found: Json = json.loads(self.says("--json").stdout)
        return found

    def pairs(self) -> list[set[str]]:
        return [{one["a"], one["b"]} for one in json.loads(self.says("pairs", "--json").stdout)["pairs"]]

    def customers(self, finding: str) -> list[str]:
        found = json.loads(self.says("customers", finding, "--json").stdout)["customers"]
        return [one["customer"] for one in found]

    def id_of(self, name: str) -> str:
        (found,) = self.story.deployment.customer_ids(name)
        return found

    def meets(self, user_id: str, *, email: str = "", phone: str = "", **attributes: Any) -> str:
        names = {name: value for name, value in (("user_id", user_id), ("email", email), ("phone", phone)) if value}
        self.story.passes("1s")
        self.story.happens("profile.stated", f"{names}-{attributes}", customer=names, attributes=attributes)
        return self.id_of(user_id or email or phone)


@pytest.fixture
def steward(a_story: Begins, tmp_path: Path) -> Iterator[Steward]:
    (tmp_path / "policy.toml").write_text(POLICY % "", encoding="utf-8")
    story = a_story(policy=tmp_path / "policy.toml")
    with served(story.deployment) as url:
        yield Steward(story, url, tmp_path)


def test_two_records_of_one_person_are_offered_compared_and_merged(steward: Steward) -> None:
    anna = steward.meets("", email="anna.lindqvist@example.com", **ANNA)
    again = steward.meets("", phone="+12015550101", **ANNA)
    steward.meets("bo", email="bo@example.com", first_name="Bo", last_name="Berg", birth_date="1990-01-02")
    steward.runs()

    assert steward.pairs() == [{anna, again}]
    compared = steward.says("compare", anna, again)
    assert "Lindqvist" in compared.stdout
    assert "+12015550101" in compared.stdout
    assert steward.says("merge", anna, again, "--why", "she called").exit_code == 0
    steward.story.deployment.settle()

    assert steward.id_of("anna.lindqvist@example.com") == steward.id_of("+12015550101")
    assert steward.pairs() == []
    assert "they were merged before" in steward.says("merge", anna, again, "--why", "again").output
    steward.runs()
    assert steward.pairs() == []


def test_two_people_are_never_offered_again(steward: Steward) -> None:
    anna = steward.meets("", email="anna.lindqvist@example.com", **ANNA)
    again = steward.meets("", phone="+12015550101", **ANNA)
    steward.runs()
    assert steward.pairs() == [{anna, again}]

    assert steward.says("different", again, anna, "--why", "cousins").exit_code == 0

    assert steward.pairs() == []
    assert steward.runs()["offered"] == 0
    assert steward.pairs() == []


def test_what_a_person_said_of_two_is_true_of_whom_they_are_merged_with(steward: Steward) -> None:
    anna = steward.meets("", email="anna.lindqvist@example.com", **ANNA)
    cousin = steward.meets("", phone="+12015550101", **ANNA)
    third = steward.meets("lindqvist-3", email="a.lindqvist@example.com", **ANNA)
    steward.says("different", anna, cousin, "--why", "cousins")
    steward.says("merge", anna, third, "--why", "she said so")
    steward.story.deployment.settle()
    assert steward.id_of("anna.lindqvist@example.com") == third

    assert steward.runs()["offered"] == 0


def test_who_was_erased_since_is_in_no_list(steward: Steward) -> None:
    steward.meets("anna", email="anna.lindqvist@example.com", **ANNA)
    steward.meets("", phone="+12015550101", **ANNA)
    steward.meets("bo", email="bo@example.com", push_endpoint="nowhere")
    steward.runs()
    assert len(steward.pairs()) == len(steward.customers("push_endpoint_invalid")) == 1

    for name in ("anna", "bo"):
        steward.story.erases(name)

    assert steward.pairs() == []
    assert steward.customers("push_endpoint_invalid") == []


def test_accounts_of_one_system_are_offered_and_not_merged_here(steward: Steward) -> None:
    steward.meets("anna-1", email="anna.lindqvist@example.com", **ANNA)
    steward.meets("anna-2", phone="+12015550101", **ANNA)
    steward.runs()

    (pair,) = json.loads(steward.says("pairs", "--json").stdout)["pairs"]
    refused = steward.says("merge", pair["a"], pair["b"], "--why", "it is she")

    assert pair["accounts"] == ["user_id"]
    assert refused.exit_code == 1
    assert "each has an account of its own: user_id" in refused.output
    assert steward.id_of("anna-1") != steward.id_of("anna-2")


def test_the_report_counts_what_journeys_ask_for_and_who_disagrees(
    steward: Steward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(steward.folder)  # where the state of the import is
    steward.meets("anna", email="anna@example.com", phone="+12015550101", plan="pro", country="US")
    steward.meets("bo", email="bo@example.com", plan="undefined")
    imported = steward.folder / "customers.csv"
    imported.write_text("user_id,attributes.plan,attributes.country\nanna,basic,us\n", encoding="utf-8")
    words = ["import", "customers", str(imported), "--as-of", "2026-03-03T00:00:00Z", "--why", "ticket 2"]
    done = CliRunner().invoke(app, [*words, "--to", steward.url], env={"LOGNAME": "ada"})
    assert done.exit_code == 0, done.output

    report = steward.runs()

    assert report["customers"] == 2
    everybody, *_ = (row for row in report["completeness"] if row["segment"] == "all")
    assert everybody["filled"]["email"] == 2
    assert everybody["filled"]["phone"] == 1
    assert report["disagreements"] == [{"attribute": "plan", "sources": ["imports", "track"], "customers": 1}]
    assert steward.customers("disagreement") == [steward.id_of("anna")]
    assert report["addresses"]["phone"] == {"none": 1, "usable": 1}


def test_what_journeys_lost_by_missing_data_is_counted_from_the_log(steward: Steward) -> None:
    steward.story.signs_up(1, consent=[])
    steward.story.passes("6h")

    report = steward.runs()

    assert [(row["journey"], row["kind"], row["reason"], row["customers"]) for row in report["losses"]] == [
        ("welcome", "suppressed", "no_consent", 1)
    ]
    assert "no consent" in steward.says().stdout


def test_a_report_names_nobody_and_the_audit_says_who_looked(steward: Steward) -> None:
    anna = steward.meets("", email="anna.lindqvist@example.com", **ANNA)
    again = steward.meets("", phone="+12015550101", **ANNA)
    steward.runs()
    steward.says("compare", anna, again, "--why", "ticket 3")
    steward.says("different", anna, again, "--why", "ticket 3")

    items = steward.story.deployment.cloud.client("dynamodb").query(
        TableName=steward.story.deployment.cloud.table,
        KeyConditionExpression="pk = :quality",
        ExpressionAttributeValues={":quality": {"S": "quality"}},
    )["Items"]
    stored = json.dumps(items).lower()
    assert anna in stored
    assert not [secret for secret in SECRETS if secret in stored]
    audit = CliRunner().invoke(app, ["audit", "--to", steward.url, "--json"], env={"LOGNAME": "ada"})
    actions = sorted(one["what"] for one in json.loads(audit.stdout)["entries"])
    assert actions == ["begin_quality", "compare", "distinguish", "export", "publish_quality"]


def test_the_steward_sees_what_to_do_in_a_terminal(steward: Steward) -> None:
    steward.meets("", email="anna.lindqvist@example.com", **ANNA)
    steward.meets("", phone="+12015550101", **ANNA)
    assert "start one with `cairn quality run`" in steward.says().output
    steward.runs()

    shown = steward.says().stdout

    assert "2 customers" in shown
    assert "pairs who are probably one person twice: 1" in shown
    assert "same name, same birth date" in steward.says("pairs").stdout


def test_the_examples_of_the_page_run_in_their_order(steward: Steward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(steward.folder)
    names = {
        "ONE": steward.meets("", email="anna.lindqvist@example.com", **ANNA),
        "OTHER": steward.meets("", phone="+12015550101", push_endpoint="nowhere", **ANNA),
        "THIRD": steward.meets("bo", email="bo@example.com", **(ANNA | {"first_name": "Bo"})),
    }

    printed = {}
    for block in ("quality", "decisions"):
        for line in examples(block):
            words = [names.get(word.removeprefix("$"), word) for word in shlex.split(line)[2:]]
            where = ("--journeys", str(SHORT_JOURNEY)) if words[:1] == ["run"] else ()
            done = steward.says(*words, *where)
            assert done.exit_code == 0, (line, done.output)
            printed[line] = done.stdout
            steward.story.deployment.settle()

    assert printed["cairn quality customers push_endpoint_invalid"] == f"{names['OTHER']}\n"
    assert steward.id_of("+12015550101") == steward.id_of("anna.lindqvist@example.com")


def examples(block: str) -> list[str]:
    """The commands of a block of docs/quality.md."""
    page = (Path(__file__).parents[2] / "docs" / "quality.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```sh {block}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return str(found).splitlines()


def test_a_steward_decides_on_the_page_of_a_pair(steward: Steward) -> None:
    browser = Browser(steward.story.deployment)
    assert "No quality run yet" in browser.get("/quality").text
    anna = steward.meets("", email="anna.lindqvist@example.com", **ANNA)
    again = steward.meets("", phone="+12015550101", **ANNA)
    steward.runs()

    address = re.search(r'href="/console(/quality/pairs/[^"]+)"', browser.get("/quality").html)
    assert address is not None
    for section in ("completeness", "disagreements", "losses", "findings"):
        assert browser.get(f"/quality?section={section}").status == 200
    page = browser.get(address[1]).text
    assert "+12015550101" in page
    assert "Lindqvist" in page
    assert browser.post(address[1], do="merge", why="she called").location == "/console/quality"
    steward.story.deployment.settle()

    assert steward.id_of("anna.lindqvist@example.com") == steward.id_of("+12015550101")
    assert {anna, again} not in steward.pairs()


def test_a_copy_that_ends_too_soon_is_no_copy(steward: Steward, monkeypatch: pytest.MonkeyPatch) -> None:
    steward.meets("", email="anna.lindqvist@example.com", **ANNA)
    cloud = type(steward.story.deployment.cloud)
    items_of, seen = cloud.items_of, list[Any]()

    def breaks(self: Any, key: Any) -> Any:
        seen.append(key)
        if len(seen) > 1:
            raise RuntimeError("the laptop ran out of memory")
        return items_of(self, key)

    with monkeypatch.context() as patched:
        patched.setattr(cloud, "items_of", breaks)
        done = steward.says("run", "--why", "x", "--work", str(steward.work), "--journeys", str(SHORT_JOURNEY))

    assert done.exit_code == 1
    assert "stopped in the middle of the table" in done.output
    assert steward.runs()["customers"] == 1, "what was read by then is read again"
