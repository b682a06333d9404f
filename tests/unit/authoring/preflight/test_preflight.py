"""Preflight finds the problems of a journey's messages before a customer gets one."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from authoring.journeys import InvalidJourneysError, write_catalogue
from authoring.policy import compile_policy
from authoring.preflight.check import preflight
from authoring.preflight.links import faults
from authoring.preflight.report import Finding, Report, sentence
from authoring.preflight.samples import MIDDAY, read_samples
from authoring.preflight.texts import encoding_of
from cairn.adapters.documents.policy import policy_from_document
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.message.sms import parts_of
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from cli.main import app

ROOT = Path(__file__).parents[4]
JOURNEYS = ROOT / "layers" / "journeys"
DOCS = (ROOT / "docs" / "journeys.md").read_text(encoding="utf-8")

BUSINESS = Policy(
    brand="Northside",
    postal_address="1 River Road, Hoboken",
    countries_needing_registration={Channel.SMS: frozenset({"IN"})},
)

MIA: dict[str, Any] = {
    "name": "Mia",
    "profile": {"first_name": "Mia", "email": "mia@example.com", "phone": "+12015550123"},
    "data": {"day": "Monday", "url": "https://northside.com/t/1"},
    "consent": [
        {"channel": "sms", "purpose": "marketing"},
        {"channel": "email", "purpose": "marketing"},
        {"channel": "whatsapp", "purpose": "marketing"},
    ],
}

SMS = "Northside: hello {{ profile.first_name }}! {{ data.url }} Reply STOP to stop."
EMAIL = "---\nsubject: Hello\n---\n<p>Northside says hello. <a href='{{ data.url }}'>Look</a></p>"
WHATSAPP = "---\nwhatsapp_template: hello\nwhatsapp_language: en_US\n---\nHello"


def like_mia(name: str, **changed: Any) -> dict[str, Any]:
    """Mia with changes; None removes a field of the profile."""
    profile = {**MIA["profile"], **changed.pop("profile", {})}
    return {
        **MIA,
        "name": name,
        **changed,
        "profile": {key: value for key, value in profile.items() if value is not None},
    }


def written(
    root: Path,
    templates: dict[str, str],
    samples: list[dict[str, Any]] | None = None,
    purpose: str = "marketing",
    **document: Any,
) -> Path:
    """A journey that sends one template on each channel of its files."""
    folder = root / "visit"
    (folder / "templates").mkdir(parents=True)
    channels = list(dict.fromkeys(name.split(".")[-2] for name in templates))
    steps = [
        {"id": f"by-{channel}", "send": {"channel": channel, "template": "hello", "purpose": purpose}}
        for channel in channels
    ]
    whole = {
        "journey": "visit",
        "entry": {"event": "trial.signup"},
        "link_hosts": ["northside.com"],
        "steps": steps,
        **document,
    }
    (folder / "journey.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    for name, text in templates.items():
        (folder / "templates" / name).write_text(text, encoding="utf-8")
    listed = yaml.safe_dump(samples if samples is not None else [MIA], allow_unicode=True)
    (folder / "samples.yaml").write_text(listed, encoding="utf-8")
    return root


def report_of(root: Path, policy: Policy = BUSINESS, email_sender: str = "hello@northside.com") -> Report:
    return preflight(root, "visit", policy, email_sender=email_sender)


def codes_of(report: Report) -> list[tuple[str, str, tuple[str, ...]]]:
    """Level, code and samples of each finding."""
    return [(one.level, one.code, one.samples) for one in report.findings]


def only(report: Report) -> Finding:
    (finding,) = report.findings
    return finding


def test_a_journey_without_faults_passes(tmp_path: Path) -> None:
    templates = {"hello.sms.txt": SMS, "hello.email.html": EMAIL, "hello.whatsapp.txt": WHATSAPP}

    report = report_of(written(tmp_path, templates))

    assert report.findings == ()
    assert report.passed
    assert [(row.file, row.rendered) for row in report.rows] == [
        ("templates/hello.sms.txt", 1),
        ("templates/hello.email.html", 1),
        ("templates/hello.whatsapp.txt", 1),
    ]


# Gaps.


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("Northside: {{ profile.first_name }}! STOP", "profile.first_name is not there"),
        ("Northside: {{ data.visit.at }}! STOP", "data.visit is not there"),
        ("Northside: {% for one in data.classes %}{{ one }}{% endfor %} STOP", "data.classes is not there"),
        ("Northside: {{ data.day | local('%A') }} STOP", "the local filter needs an instant"),
        ("Northside: {{ data.day | money }} STOP", "a filter for numbers needs a number"),
    ],
)
def test_a_message_that_some_customer_would_not_get_is_an_error_that_names_the_field(
    tmp_path: Path, template: str, why: str
) -> None:
    nameless = like_mia("nobody", profile={"first_name": None})

    report = report_of(written(tmp_path, {"hello.sms.txt": template}, [nameless]))

    finding = only(report)
    assert (finding.level, finding.code, finding.samples) == ("error", "gap", ("nobody",))
    assert why in finding.message
    assert not report.passed
    assert report.rows[0].rendered == 0


def test_a_gap_in_any_part_of_an_email_counts(tmp_path: Path) -> None:
    gaps = EMAIL.replace("subject: Hello", "subject: Hello {{ profile.last_name }}")

    finding = only(report_of(written(tmp_path, {"hello.email.html": gaps})))

    assert "profile.last_name" in finding.message


def test_a_parameter_of_an_approved_template_is_never_empty(tmp_path: Path) -> None:
    empty = WHATSAPP.replace("---\nHello", "whatsapp_parameters: ['{{ data.nothing | default() }}']\n---\nHello")

    assert "parameter is empty" in only(report_of(written(tmp_path, {"hello.whatsapp.txt": empty}))).message


def test_a_text_that_is_empty_for_some_customer_is_an_error(tmp_path: Path) -> None:
    some = "{% if profile.vip is defined %}Northside: hello! STOP{% endif %}"

    assert codes_of(report_of(written(tmp_path, {"hello.sms.txt": some}))) == [("error", "empty", ("Mia",))]


# SMS.


@pytest.mark.parametrize(
    ("text", "segments", "encoding"),
    [
        ("a" * 160, 1, "GSM-7"),
        ("a" * 161, 2, "GSM-7"),
        ("a" * 306, 2, "GSM-7"),
        ("a" * 307, 3, "GSM-7"),
        ("€" * 80, 1, "GSM-7"),
        ("€" * 81, 2, "GSM-7"),
        ("a" * 152 + "€" + "a" * 10, 2, "GSM-7"),  # an escape does not straddle two segments
        ("a" * 152 + "€" + "a" * 152, 3, "GSM-7"),
        ("ç" * 70, 1, "UCS-2 (ç)"),
        ("ç" * 71, 2, "UCS-2 (ç)"),
        ("ç" * 134, 2, "UCS-2 (ç)"),
        ("ç" * 135, 3, "UCS-2 (ç)"),
        ("🎉" * 35, 1, "UCS-2 (🎉)"),
        ("🎉" * 36, 2, "UCS-2 (🎉)"),
        ("a" * 66 + "🎉" * 33, 2, "UCS-2 (🎉)"),
        ("a" * 66 + "🎉" + "a" * 66, 3, "UCS-2 (🎉)"),  # nor does a surrogate pair
        ("Ω Ä ñ @ £", 1, "GSM-7"),
        ("`tick`", 1, "UCS-2 (`)"),
        ("🏋️ë", 1, "UCS-2 (🏋 ë)"),
    ],
)
def test_a_text_is_cut_into_as_many_segments_as_carriers_make_of_it(text: str, segments: int, encoding: str) -> None:
    assert (parts_of(text), encoding_of(text)) == (segments, encoding)


def test_the_report_has_segments_encodings_and_highest_price_of_texts(tmp_path: Path) -> None:
    zoe = like_mia("Zoë", profile={"first_name": "Zoë" * 20})

    row = report_of(written(tmp_path, {"hello.sms.txt": SMS}, [MIA, zoe])).rows[0]

    assert row.texts is not None
    assert row.texts.segments == (1, 2)
    assert row.texts.encodings == ("GSM-7", "UCS-2 (ë)")
    assert row.texts.highest_price == pytest.approx(2 * 0.00881)


def test_a_character_in_a_customers_name_is_not_the_templates_problem(tmp_path: Path) -> None:
    zoe = like_mia("Zoë", profile={"first_name": "Zoë"})

    assert report_of(written(tmp_path, {"hello.sms.txt": SMS}, [zoe])).findings == ()


def test_a_curly_quote_in_the_template_is_reported_with_its_replacement(tmp_path: Path) -> None:
    finding = only(report_of(written(tmp_path, {"hello.sms.txt": SMS.replace("hello", "it’s {{ data.day }},")})))  # noqa: RUF001

    assert (finding.level, finding.code) == ("warning", "ucs_2")
    assert "U+2019, right single quotation mark" in finding.message
    assert "Write ' for" in finding.fix


def test_a_character_of_another_alphabet_has_no_replacement(tmp_path: Path) -> None:
    finding = only(report_of(written(tmp_path, {"hello.sms.txt": SMS.replace("hello", "привет")})))

    assert finding.code == "ucs_2"
    assert finding.fix == "Do without, or accept 70 characters a segment."


@pytest.mark.parametrize(("words", "level", "code"), [(100, "warning", "many_segments"), (120, "error", "too_long")])
def test_a_long_text_is_a_warning_and_one_of_too_many_segments_is_an_error(
    tmp_path: Path, words: int, level: str, code: str
) -> None:
    assert codes_of(report_of(written(tmp_path, {"hello.sms.txt": SMS + " more" * words}))) == [(level, code, ("Mia",))]


def test_a_template_says_how_many_segments_it_may_have(tmp_path: Path) -> None:
    longer = f"---\nmax_parts: 5\n---\n{SMS}" + " more" * 120

    assert codes_of(report_of(written(tmp_path, {"hello.sms.txt": longer}))) == [("warning", "many_segments", ("Mia",))]


def test_a_text_that_the_longest_values_make_too_long_is_a_warning(tmp_path: Path) -> None:
    tight = f"---\nmax_parts: 1\n---\n{SMS}" + " more" * 15

    finding = only(report_of(written(tmp_path, {"hello.sms.txt": tight})))

    assert (finding.level, finding.code) == ("warning", "may_be_too_long")
    assert finding.message == "with the longest values it has 2 segments, and is not sent over 1"


def test_a_value_that_is_shortened_is_reported(tmp_path: Path) -> None:
    long = like_mia("Hubert", profile={"first_name": "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff"})

    (tmp_path / "short").mkdir()
    (tmp_path / "full").mkdir()
    in_full = SMS.replace("first_name", "first_name | full")

    assert codes_of(report_of(written(tmp_path / "short", {"hello.sms.txt": SMS}, [long]))) == [
        ("warning", "shortened", ("Hubert",))
    ]
    assert report_of(written(tmp_path / "full", {"hello.sms.txt": in_full}, [long])).findings == ()


def test_a_country_without_a_price_is_reported(tmp_path: Path) -> None:
    spanish = like_mia("Ana", profile={"phone": "+34600123456"})

    report = report_of(written(tmp_path, {"hello.sms.txt": SMS}, [spanish]))

    assert only(report).message == "no price is known for ES"
    assert report.rows[0].texts is not None
    assert report.rows[0].texts.highest_price is None


@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_a_text_names_its_sender(tmp_path: Path, purpose: str) -> None:
    anonymous = SMS.replace("Northside: ", "")

    assert codes_of(report_of(written(tmp_path, {"hello.sms.txt": anonymous}, purpose=purpose))) == [
        ("error", "no_brand", ("Mia",))
    ]


def test_a_journey_may_have_a_brand_of_its_own(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS.replace("Northside", "PINEGROVE")}, sender={"brand": "Pinegrove"})

    assert report_of(root).findings == ()


@pytest.mark.parametrize(
    "said", ["Reply STOP to stop.", "STOP=end", "Text STOP: no more.", "Reply UNSUBSCRIBE to leave."]
)
def test_marketing_that_says_how_to_stop_it_passes(tmp_path: Path, said: str) -> None:
    assert report_of(written(tmp_path, {"hello.sms.txt": f"Northside: hello! {said}"})).findings == ()


@pytest.mark.parametrize("said", ["", "You can stop any time.", "Cancel your booking any time.", "NON-STOPPING fun"])
def test_marketing_that_does_not_say_how_to_stop_it_is_an_error(tmp_path: Path, said: str) -> None:
    root = written(tmp_path, {"hello.sms.txt": f"Northside: hello! {said}"})

    assert codes_of(report_of(root)) == [("error", "no_stop", ("Mia",))]


def test_a_receipt_need_not_say_how_to_stop_it(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": "Northside: hello!"}, purpose="transactional")

    assert report_of(root).findings == ()


def test_each_language_has_its_own_word_to_stop(tmp_path: Path) -> None:
    ana = like_mia("Ana", profile={"locale": "es"})
    spanish = {"hello.sms.txt": SMS, "hello.es.sms.txt": "Northside: hola. Responda BAJA."}

    assert report_of(written(tmp_path, spanish, [ana])).findings == ()


# Links.


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("https://northside.com/classes", None),
        ("https://northside.com:8443/a?b=c#d", None),
        ("https://8.8.8.8/", None),
        ("http://northside.com", "link_insecure"),
        ("ftp://northside.com/a", "link_insecure"),
        ("https://localhost/t", "link_private"),
        ("https://127.0.0.1:8787/t", "link_private"),
        ("https://[::1]/t", "link_private"),
        ("https://10.1.2.3/t", "link_private"),
        ("https://booking.internal/t", "link_private"),
        ("https://intranet/t", "link_private"),
        ("https://northside.example.com/t", "link_reserved"),
        ("https://northside.test/t", "link_reserved"),
        ("https://bit.ly/3xyz", "link_shortened"),
        ("https://northside.com/None", "link_unfilled"),
        ("https://northside.com/t?id=undefined&x=1", "link_unfilled"),
        ("https://northside.com/{{ data.id }}", "link_unfilled"),
        ("https://northside.com/nonesuch", None),
        ("www.northside.com", "link_relative"),
    ],
)
def test_a_link_is_absolute_secure_and_public(tmp_path: Path, link: str, code: str | None) -> None:
    own = SMS.replace("{{ data.url }}", f"{{% raw %}}{link}{{% endraw %}}")

    report = report_of(written(tmp_path, {"hello.sms.txt": own}))

    assert [finding.code for finding in report.findings] == ([code] if code else [])
    assert report.passed == (code in {None, "link_reserved", "link_shortened"})


@pytest.mark.parametrize(
    ("href", "code"),
    [
        ("", "link_empty"),
        ("#", "link_empty"),
        ("/classes", "link_relative"),
        ("classes.html", "link_relative"),
        ("javascript:alert(1)", "foreign_link"),
        ("mailto:hello@northside.com", None),
        ("tel:+12015550100", None),
        ("https://[broken", "foreign_link"),
        ("https://elsewhere.com/t", "foreign_link"),
    ],
)
def test_the_links_of_an_email_are_those_of_its_html(tmp_path: Path, href: str, code: str | None) -> None:
    mia = like_mia("Mia", data={"url": href})
    html, text = EMAIL, "Northside says hello."

    report = report_of(written(tmp_path, {"hello.email.html": html, "hello.email.txt": text}, [mia]))

    assert [finding.code for finding in report.findings] == ([code] if code else [])


def test_a_push_message_may_link_into_its_app() -> None:
    assert [fault.code for fault in faults("northside://classes", Channel.PUSH)] == []
    assert [fault.code for fault in faults("northside://classes", Channel.SMS)] == ["link_insecure"]


def test_punctuation_at_the_end_of_a_sentence_is_not_part_of_a_link(tmp_path: Path) -> None:
    assert report_of(written(tmp_path, {"hello.sms.txt": SMS.replace("{{ data.url }}", "(https://a.co/b).")})).passed


# E-mail.


def test_marketing_email_gets_its_unsubscribe_link_and_address_from_the_footer(tmp_path: Path) -> None:
    assert report_of(written(tmp_path, {"hello.email.html": EMAIL})).findings == ()


def test_an_email_with_its_own_footer_has_to_name_the_sender_and_the_address(tmp_path: Path) -> None:
    own = EMAIL.replace("Northside says hello.", "<a href='{{ links.unsubscribe }}'>No more</a>")

    codes = {
        (finding.level, finding.code) for finding in report_of(written(tmp_path, {"hello.email.html": own})).findings
    }

    assert codes == {("error", "no_postal_address"), ("error", "no_brand")}


def test_marketing_email_without_an_unsubscribe_link_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cairn.adapters.templates.renderer.with_unsubscribe_links", lambda rendered, *_: rendered)
    root = written(tmp_path, {"hello.email.html": EMAIL.replace("Northside", "Northside, 1 River Road, Hoboken,")})

    codes = [finding.code for finding in report_of(root).findings]

    assert codes == ["no_one_click", "no_unsubscribe", "no_unsubscribe"]


def test_a_transactional_email_needs_no_unsubscribe_link(tmp_path: Path) -> None:
    assert report_of(written(tmp_path, {"hello.email.html": EMAIL}, purpose="transactional")).findings == ()


def test_a_subject_is_never_empty(tmp_path: Path) -> None:
    silent = EMAIL.replace("subject: Hello", "subject: '{{ data.nothing | default() }}'")

    assert codes_of(report_of(written(tmp_path, {"hello.email.html": silent}))) == [("error", "no_subject", ("Mia",))]


@pytest.mark.parametrize(
    ("policy", "email_sender", "where", "code"),
    [
        (replace(BUSINESS, brand=""), "hello@northside.com", "policy.toml", "no_brand"),
        (replace(BUSINESS, postal_address=""), "hello@northside.com", "policy.toml", "no_postal_address"),
        (BUSINESS, "", "cdk.json", "no_sender"),
    ],
)
def test_the_sender_has_to_be_configured(
    tmp_path: Path, policy: Policy, email_sender: str, where: str, code: str
) -> None:
    finding = only(report_of(written(tmp_path, {"hello.email.html": EMAIL}), policy, email_sender))

    assert (finding.level, finding.where, finding.code) == ("error", where, code)


# Templates that need approval.


@pytest.mark.parametrize(
    ("purpose", "level", "code"),
    [("marketing", "error", "not_approved"), ("transactional", "warning", "session_only")],
)
def test_whatsapp_without_an_approved_template_is_reported(tmp_path: Path, purpose: str, level: str, code: str) -> None:
    root = written(tmp_path, {"hello.whatsapp.txt": "Hello"}, purpose=purpose)

    assert codes_of(report_of(root)) == [(level, code, ())]


INDIAN = like_mia("Asha", profile={"phone": "+919820012345", "first_name": "Asha"})
REGISTERED = f"---\ndlt_template: '1107160000000012345'\n---\n{SMS}"


def codes_in_india(tmp_path: Path, template: str, sample: dict[str, Any], entity: str) -> list[str]:
    report = report_of(written(tmp_path, {"hello.sms.txt": template}, [sample]), replace(BUSINESS, dlt_entity=entity))
    return [finding.code for finding in report.findings if finding.code != "no_price"]


def test_a_text_to_india_needs_both_ids(tmp_path: Path) -> None:
    assert codes_in_india(tmp_path / "a", SMS, INDIAN, "") == ["no_dlt_entity", "not_registered"]
    assert codes_in_india(tmp_path / "b", REGISTERED, INDIAN, "") == ["no_dlt_entity"]
    assert codes_in_india(tmp_path / "c", SMS, INDIAN, "1101") == ["not_registered"]
    assert codes_in_india(tmp_path / "d", REGISTERED, INDIAN, "1101") == []


@pytest.mark.parametrize(
    ("length", "template", "found"),
    [
        (30, REGISTERED, []),
        (31, REGISTERED, ["shortened"]),
        (31, REGISTERED.replace("first_name", "first_name | full"), ["variable_too_long"]),
    ],
    ids=["30", "31", "31 in full"],
)
def test_a_variable_of_a_registered_text_has_at_most_30_characters(
    tmp_path: Path, length: int, template: str, found: list[str]
) -> None:
    asha = like_mia("Asha", profile={"phone": "+919820012345", "first_name": "a" * length})

    assert codes_in_india(tmp_path, template, asha, "1101") == found


# Languages.

ANA = like_mia("Ana", profile={"locale": "es-MX"})


def test_a_language_that_some_template_lacks_is_reported(tmp_path: Path) -> None:
    templates = {"hello.sms.txt": SMS, "hello.es.sms.txt": SMS, "hello.email.html": EMAIL}

    finding = only(report_of(written(tmp_path, templates, [MIA, ANA])))

    assert (finding.level, finding.code, finding.where) == ("warning", "no_language", "templates/hello.email.html")
    assert finding.message == "it is not there in es"


def test_a_language_that_only_a_sample_reads_is_reported_too(tmp_path: Path) -> None:
    assert only(report_of(written(tmp_path, {"hello.sms.txt": SMS}, [ANA]))).message == "it is not there in es"


def test_every_language_is_rendered_for_every_sample_and_should_have_a_reader(tmp_path: Path) -> None:
    gap = {"hello.sms.txt": SMS, "hello.es.sms.txt": SMS.replace("first_name", "nombre")}

    report = report_of(written(tmp_path, gap))

    assert {(one.where, one.code) for one in report.findings} == {
        ("templates/hello.es.sms.txt", "gap"),
        ("templates/hello.es.sms.txt", "unread"),
    }


def test_a_sample_reads_the_closest_language_only(tmp_path: Path) -> None:
    templates = {"hello.sms.txt": SMS, "hello.es.sms.txt": SMS, "hello.es-MX.sms.txt": SMS}

    finding = only(report_of(written(tmp_path, templates, [ANA])))

    assert (finding.where, finding.code) == ("templates/hello.es.sms.txt", "unread")


@pytest.mark.parametrize(
    ("format_", "found"),
    [("%c", ["english_names"]), ("%-I %P", ["english_names"]), ("%A %d/%m", []), ("%d/%m %H:%M", [])],
)
def test_english_names_of_days_are_reported_in_other_languages(tmp_path: Path, format_: str, found: list[str]) -> None:
    spanish = SMS.replace("hello", f"{{{{ '2026-03-02' | local('{format_}') }}}}")

    report = report_of(written(tmp_path, {"hello.sms.txt": spanish, "hello.es.sms.txt": spanish}, [ANA]))

    assert [finding.code for finding in report.findings] == found


def test_the_language_of_the_journey_is_that_of_the_files_without_one(tmp_path: Path) -> None:
    spanish = {"hello.sms.txt": SMS.replace("hello", "{{ '2026-03-02' | local('%c') }}")}

    report = report_of(written(tmp_path, spanish, [ANA], language="es"))

    assert [finding.code for finding in report.findings] == ["english_names"]


# The gate.


def test_the_gate_decides_on_every_sample_and_gives_its_reason(tmp_path: Path) -> None:
    denied = [{"channel": "sms", "purpose": "marketing", "status": "denied"}]
    samples = [
        MIA,
        like_mia("no word", consent=[]),
        like_mia("no", consent=denied),
        like_mia("no number", profile={"phone": None}),
    ]

    report = report_of(written(tmp_path, {"hello.sms.txt": SMS}, samples))

    assert report.counts("by-sms") == {
        "sent": {"granted": 1},
        "deferred": {},
        "suppressed": {"no_address": 1, "no_consent": 1, "opted_out": 1},
    }
    assert sentence(report.counts()) == (
        "1 sent, 1 suppressed: no_address, 1 suppressed: no_consent, 1 suppressed: opted_out"
    )


def test_law_and_consent_decide(tmp_path: Path) -> None:
    rules = policy_from_document(compile_policy(ROOT / "policy.toml", ROOT / "law.toml"))
    late = like_mia("late", at="2026-03-03T23:00:00-05:00", profile={"time_zone": "America/New_York", "region": "NY"})
    early = {**late, "name": "early", "at": "2026-03-03T10:00:00-05:00"}
    root = written(
        tmp_path, {"hello.sms.txt": SMS, "hello.whatsapp.txt": "Hello"}, [late, early], sender={"brand": "N"}
    )

    report = report_of(root, rules)

    assert report.counts("by-sms") == {"sent": {"granted": 1}, "deferred": {"quiet_hours": 1}, "suppressed": {}}
    assert report.counts("by-whatsapp")["suppressed"] == {"forbidden": 2}  # Meta delivers no marketing to +1


def test_a_customer_who_has_just_written_may_get_free_text(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.whatsapp.txt": "Hello"}, [{**MIA, "heard": ["whatsapp"]}, like_mia("silent")])

    counts = report_of(root).counts("by-whatsapp")

    assert (counts["sent"], counts["suppressed"]) == ({"granted": 1}, {"session_over": 1})


def test_the_terms_of_step_and_template_count(tmp_path: Path) -> None:
    evening = like_mia("evening", profile={"preferred_time": "21:00", "time_zone": "America/New_York"})
    root = written(tmp_path, {"hello.whatsapp.txt": WHATSAPP}, [MIA, evening])
    journey = root / "visit" / "journey.yaml"
    journey.write_text(journey.read_text().replace("template: hello", "template: hello\n    hour: preferred"))

    counts = report_of(root).counts("by-whatsapp")

    assert (counts["sent"], counts["deferred"]) == ({"granted": 1}, {"preferred_hour": 1})


# Samples.


def test_the_samples_of_the_docs_can_be_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml samples\n(.*?)^```$", DOCS, re.DOTALL | re.MULTILINE)
    (tmp_path / "samples.yaml").write_text(example, encoding="utf-8")

    mia, late = read_samples(tmp_path / "samples.yaml")

    assert mia.contact.consent(Channel.SMS, Purpose.MARKETING) is ConsentStatus.GRANTED
    assert mia.contact.consent(Channel.EMAIL, Purpose.MARKETING) is ConsentStatus.DENIED
    assert mia.at == MIDDAY
    assert late.at.isoformat() == "2026-03-03T21:30:00+00:00"
    assert late.contact.last_inbound.keys() == {Channel.WHATSAPP}


def test_a_sample_takes_the_data_of_another_and_changes_some(tmp_path: Path) -> None:
    file = tmp_path / "samples.yaml"
    file.write_text(
        "- {profile: {}, data: &order {plan: pro, seats: 2}}\n- {profile: {}, data: {<<: *order, seats: 5}}\n",
        encoding="utf-8",
    )

    _, other = read_samples(file)

    assert other.data == {"plan": "pro", "seats": 5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: samples are a list of customers. Write `- profile: {…}` for each customer."),
        ("profile: {}", "1: samples are a list of customers. Write `- profile: {…}` for each customer."),
        ("- name: a", '1: profile: it is missing. Add `profile: {first_name: Mia, phone: "+12015550123"}`.'),
        ("- profile: {}\n- profle: {}", "2: profile: it is missing."),
        ("- profile: {}\n  consents: []", "2: consents: there is no such key. Did you mean consent?"),
        ("- profile: {}\n  at: 2026-03-03T10:00", '2: at: "2026-03-03T10:00" is not an instant.'),
        ("- profile: {}\n  heard: [fax]", '2: heard[0]: "fax" is not one of'),
        ("- profile: {a: 1, a: 2}", "1: [0].profile.a: this key is there twice."),
        ("- {", "2: not YAML"),
    ],
)
def test_problems_of_samples_are_reported_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "samples.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidJourneysError) as error:
        read_samples(file)

    assert f"{file}:{said}" in str(error.value)


def test_a_journey_without_samples_cannot_be_checked(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS})
    (root / "visit" / "samples.yaml").unlink()

    with pytest.raises(InvalidJourneysError, match="there are no samples"):
        report_of(root)


def test_journeys_share_the_samples_beside_them_and_their_own_come_first(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS})
    own = root / "visit" / "samples.yaml"
    (root / "samples.yaml").write_text(yaml.safe_dump([MIA, ANA, MIA]), encoding="utf-8")

    before = report_of(root).samples
    own.unlink()

    assert before != 3
    assert report_of(root).samples == 3


# The command and its stamp.


def run(*arguments: str, journeys: Path) -> Any:
    policy = str(ROOT / "policy.toml")
    return CliRunner().invoke(app, ["preflight", *arguments, "--journeys", str(journeys), "--policy", policy])


NAMED: dict[str, Any] = {"sender": {"brand": "Northside"}}


def test_a_journey_that_passed_may_go_live_until_it_changes(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS}, **NAMED)
    catalogue = tmp_path / "catalogue.json"
    with pytest.raises(InvalidJourneysError, match=r"has not passed this journey\. Run `cairn preflight visit`"):
        write_catalogue(root, catalogue, stamped=True)
    assert not catalogue.exists()

    assert run("visit", journeys=root).exit_code == 0
    write_catalogue(root, catalogue, stamped=True)

    (root / "visit" / "templates" / "hello.sms.txt").write_text(SMS + "!", encoding="utf-8")
    with pytest.raises(InvalidJourneysError, match=r"preflight passed version \w+, and the journey is \w+"):
        write_catalogue(root, catalogue, stamped=True)
    write_catalogue(root, catalogue)  # a laptop needs no stamp


def test_samples_are_not_part_of_the_version(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS}, **NAMED)
    run(journeys=root)
    stamp = (root / "visit" / "preflight.json").read_text()

    (root / "visit" / "samples.yaml").write_text(yaml.safe_dump([MIA, ANA]), encoding="utf-8")

    write_catalogue(root, tmp_path / "catalogue.json", stamped=True)
    assert "samples" not in (tmp_path / "catalogue.json").read_text()
    run(journeys=root)
    assert json.loads((root / "visit" / "preflight.json").read_text())["version"] == json.loads(stamp)["version"]


def test_an_unreadable_stamp_does_not_count(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS})
    (root / "visit" / "preflight.json").write_text("<<<<<<< ours", encoding="utf-8")

    with pytest.raises(InvalidJourneysError, match="this is no stamp of preflight"):
        write_catalogue(root, tmp_path / "catalogue.json", stamped=True)


def test_an_error_removes_the_stamp_and_a_warning_does_not(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS.replace("hello", "привет")}, **NAMED)
    assert run("visit", journeys=root).exit_code == 0
    stamp = root / "visit" / "preflight.json"
    assert json.loads(stamp.read_text())["warnings"] == 1

    (root / "visit" / "templates" / "hello.sms.txt").write_text("Northside: hello {{ profile.x }}. STOP")

    result = run("visit", journeys=root)
    assert result.exit_code == 1
    assert "profile.x is not there" in result.stdout
    assert not stamp.exists()


def test_other_samples_leave_no_stamp(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS}, **NAMED)

    result = run("visit", "--samples", str(root / "visit" / "samples.yaml"), journeys=root)

    assert result.exit_code == 0
    assert not (root / "visit" / "preflight.json").exists()


def test_the_report_in_json_is_complete(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS.replace("Northside: ", "")}, **NAMED)

    result = run("--json", journeys=root)

    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["journey"], document["passed"], document["samples"]) == ("visit", False, 1)
    (variant,) = document["variants"]
    assert variant["segments"] == [1, 1]
    assert variant["usd"] == pytest.approx(0.00881)
    (finding,) = document["findings"]
    assert (finding["code"], finding["samples"]) == ("no_brand", ["Mia"])
    assert document["gate"]["by-sms"]["sent"] == {"granted": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("nowhere",), "there is no such journey"), (("--stage", "moon"), "cdk.json has no stage moon")],
)
def test_a_command_with_a_wrong_argument_fails_with_a_message(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = run(*arguments, journeys=written(tmp_path, {"hello.sms.txt": SMS}))

    assert result.exit_code != 0
    assert said in result.stderr


@pytest.mark.parametrize(
    "folder", sorted(one.parent for one in JOURNEYS.glob("*/journey.yaml")), ids=lambda one: one.name
)
def test_each_journey_of_ours_has_a_stamp_of_its_version(folder: Path) -> None:
    rules = policy_from_document(compile_policy(ROOT / "policy.toml", ROOT / "law.toml"))

    report = preflight(JOURNEYS, folder.name, rules, email_sender="hello@example.com")

    assert report.passed
    assert json.loads((folder / "preflight.json").read_bytes()) == report.stamp(), "run `make preflight`"


# Dates.


@pytest.mark.parametrize(
    ("visit_at", "readable"), [("2026-03-06T18:30[Europe/Madrid]", True), ("", True), ("next Friday", False)]
)
@pytest.mark.parametrize("timeout", [True, False])
def test_a_date_of_a_sample_that_nobody_can_read_is_an_error(
    tmp_path: Path, visit_at: str, *, readable: bool, timeout: bool
) -> None:
    date = {"until": "data.visit_at", "offset": "-48h"}
    step: dict[str, Any] = {"wait_for": {"event": "a.b", "timeout": date}} if timeout else {"wait": date}
    send = {"channel": "sms", "template": "hello", "purpose": "marketing"}
    steps = [{"id": "before", **step}, {"id": "hello", "send": send}]
    soon = like_mia("soon", data={**MIA["data"], "visit_at": visit_at})

    report = report_of(written(tmp_path, {"hello.sms.txt": SMS}, [soon], steps=steps))

    assert codes_of(report) == ([] if readable else [("error", "unreadable_date", ("soon",))])
