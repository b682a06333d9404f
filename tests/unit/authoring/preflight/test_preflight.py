"""Preflight: whatever is wrong with a journey's messages is told before anybody gets one."""

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
from authoring.preflight.texts import encoding_of, segments_of
from cairn.adapters.documents.policy import policy_from_document
from cairn.domain.consent.changes import ConsentStatus
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


def somebody(name: str, **changed: Any) -> dict[str, Any]:
    """Mia, but for what differs; a field of the profile that is None is not there."""
    profile = {**MIA["profile"], **changed.pop("profile", {})}
    return {**MIA, "name": name, **changed, "profile": {key: told for key, told in profile.items() if told is not None}}


def written(
    root: Path,
    templates: dict[str, str],
    samples: list[dict[str, Any]] | None = None,
    purpose: str = "marketing",
    **document: Any,
) -> Path:
    """A journey that sends one template on each of the channels that it has files for."""
    folder = root / "visit"
    (folder / "templates").mkdir(parents=True)
    channels = list(dict.fromkeys(name.split(".")[-2] for name in templates))
    steps = [
        {"id": f"by-{channel}", "send": {"channel": channel, "template": "hello", "purpose": purpose}}
        for channel in channels
    ]
    whole = {"journey": "visit", "entry": {"event": "trial.signup"}, "steps": steps, **document}
    (folder / "journey.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    for name, text in templates.items():
        (folder / "templates" / name).write_text(text, encoding="utf-8")
    listed = yaml.safe_dump(samples if samples is not None else [MIA], allow_unicode=True)
    (folder / "samples.yaml").write_text(listed, encoding="utf-8")
    return root


def looked_at(root: Path, policy: Policy = BUSINESS, email_sender: str = "hello@northside.com") -> Report:
    return preflight(root, "visit", policy, email_sender=email_sender)


def told(report: Report) -> list[tuple[str, str, tuple[str, ...]]]:
    """Level, code and samples of what was found."""
    return [(one.level, one.code, one.samples) for one in report.findings]


def only(report: Report) -> Finding:
    (finding,) = report.findings
    return finding


def test_a_journey_without_faults_passes(tmp_path: Path) -> None:
    templates = {"hello.sms.txt": SMS, "hello.email.html": EMAIL, "hello.whatsapp.txt": WHATSAPP}

    report = looked_at(written(tmp_path, templates))

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
        ("Northside: {{ data.day | money }} STOP", "ValueError: invalid literal for int() with base 10: 'Monday'"),
    ],
)
def test_what_some_customer_would_not_get_is_an_error_that_names_the_field(
    tmp_path: Path, template: str, why: str
) -> None:
    nobody = somebody("nobody", profile={"first_name": None})

    report = looked_at(written(tmp_path, {"hello.sms.txt": template}, [nobody]))

    finding = only(report)
    assert (finding.level, finding.code, finding.samples) == ("error", "gap", ("nobody",))
    assert why in finding.message
    assert not report.passed
    assert report.rows[0].rendered == 0


def test_a_gap_in_any_part_of_an_email_counts(tmp_path: Path) -> None:
    gaps = EMAIL.replace("subject: Hello", "subject: Hello {{ profile.last_name }}")

    finding = only(looked_at(written(tmp_path, {"hello.email.html": gaps})))

    assert "profile.last_name" in finding.message


def test_a_parameter_of_an_approved_template_is_never_empty(tmp_path: Path) -> None:
    empty = WHATSAPP.replace("---\nHello", "whatsapp_parameters: ['{{ data.nothing | default() }}']\n---\nHello")

    assert "parameter is empty" in only(looked_at(written(tmp_path, {"hello.whatsapp.txt": empty}))).message


def test_a_text_that_is_empty_for_somebody_is_an_error(tmp_path: Path) -> None:
    some = "{% if profile.vip is defined %}Northside: hello! STOP{% endif %}"

    assert told(looked_at(written(tmp_path, {"hello.sms.txt": some}))) == [("error", "empty", ("Mia",))]


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
    assert (segments_of(text), encoding_of(text)) == (segments, encoding)


def test_texts_are_told_with_their_segments_encodings_and_dearest_price(tmp_path: Path) -> None:
    zoe = somebody("Zoë", profile={"first_name": "Zoë" * 20})

    row = looked_at(written(tmp_path, {"hello.sms.txt": SMS}, [MIA, zoe])).rows[0]

    assert row.texts is not None
    assert row.texts.segments == (1, 2)
    assert row.texts.encodings == ("GSM-7", "UCS-2 (ë)")
    assert row.texts.dearest == pytest.approx(2 * 0.00881)


def test_what_a_customer_is_called_is_no_fault_of_the_template(tmp_path: Path) -> None:
    zoe = somebody("Zoë", profile={"first_name": "Zoë"})

    assert looked_at(written(tmp_path, {"hello.sms.txt": SMS}, [zoe])).findings == ()


def test_a_curly_quote_in_the_template_is_told_with_what_to_write_instead(tmp_path: Path) -> None:
    finding = only(looked_at(written(tmp_path, {"hello.sms.txt": SMS.replace("hello", "it’s {{ data.day }},")})))  # noqa: RUF001

    assert (finding.level, finding.code) == ("warning", "ucs_2")
    assert "U+2019, right single quotation mark" in finding.message
    assert "Write ' for" in finding.fix


def test_a_letter_of_another_alphabet_has_no_replacement(tmp_path: Path) -> None:
    finding = only(looked_at(written(tmp_path, {"hello.sms.txt": SMS.replace("hello", "привет")})))

    assert finding.code == "ucs_2"
    assert finding.fix == "Do without, or accept 70 characters a segment."


@pytest.mark.parametrize(("words", "level", "code"), [(120, "warning", "many_segments"), (400, "error", "too_long")])
def test_a_long_text_is_told_and_one_that_is_not_taken_is_an_error(
    tmp_path: Path, words: int, level: str, code: str
) -> None:
    assert told(looked_at(written(tmp_path, {"hello.sms.txt": SMS + " more" * words}))) == [(level, code, ("Mia",))]


def test_a_country_without_a_price_is_told(tmp_path: Path) -> None:
    spanish = somebody("Ana", profile={"phone": "+34600123456"})

    report = looked_at(written(tmp_path, {"hello.sms.txt": SMS}, [spanish]))

    assert only(report).message == "no price is known for ES"
    assert report.rows[0].texts is not None
    assert report.rows[0].texts.dearest is None


@pytest.mark.parametrize("purpose", ["marketing", "transactional"])
def test_a_text_says_who_writes(tmp_path: Path, purpose: str) -> None:
    anonymous = SMS.replace("Northside: ", "")

    assert told(looked_at(written(tmp_path, {"hello.sms.txt": anonymous}, purpose=purpose))) == [
        ("error", "no_brand", ("Mia",))
    ]


def test_a_journey_may_write_in_another_name(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS.replace("Northside", "PINEGROVE")}, sender={"brand": "Pinegrove"})

    assert looked_at(root).findings == ()


@pytest.mark.parametrize(
    "said", ["Reply STOP to stop.", "STOP=end", "Text STOP: no more.", "Reply UNSUBSCRIBE to leave."]
)
def test_marketing_that_says_how_to_stop_it_passes(tmp_path: Path, said: str) -> None:
    assert looked_at(written(tmp_path, {"hello.sms.txt": f"Northside: hello! {said}"})).findings == ()


@pytest.mark.parametrize("said", ["", "You can stop any time.", "Cancel your booking any time.", "NON-STOPPING fun"])
def test_marketing_that_does_not_say_how_to_stop_it_is_an_error(tmp_path: Path, said: str) -> None:
    root = written(tmp_path, {"hello.sms.txt": f"Northside: hello! {said}"})

    assert told(looked_at(root)) == [("error", "no_stop", ("Mia",))]


def test_a_receipt_need_not_say_how_to_stop_it(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": "Northside: hello!"}, purpose="transactional")

    assert looked_at(root).findings == ()


def test_in_another_language_another_word_stops_it(tmp_path: Path) -> None:
    ana = somebody("Ana", profile={"locale": "es"})
    spanish = {"hello.sms.txt": SMS, "hello.es.sms.txt": "Northside: hola. Responda BAJA."}

    assert looked_at(written(tmp_path, spanish, [ana])).findings == ()


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
def test_a_link_leads_where_a_customer_can_follow(tmp_path: Path, link: str, code: str | None) -> None:
    mia = somebody("Mia", data={"url": link})

    report = looked_at(written(tmp_path, {"hello.sms.txt": SMS}, [mia]))

    assert [finding.code for finding in report.findings] == ([code] if code else [])
    assert report.passed == (code in {None, "link_reserved", "link_shortened"})


@pytest.mark.parametrize(
    ("href", "code"),
    [
        ("", "link_empty"),
        ("#", "link_empty"),
        ("/classes", "link_relative"),
        ("classes.html", "link_relative"),
        ("javascript:alert(1)", "link_insecure"),
        ("mailto:hello@northside.com", None),
        ("tel:+12015550100", None),
        ("https://[broken", "link_broken"),
    ],
)
def test_the_links_of_an_email_are_those_of_its_html(tmp_path: Path, href: str, code: str | None) -> None:
    mia = somebody("Mia", data={"url": href})
    html, text = EMAIL, "Northside says hello."

    report = looked_at(written(tmp_path, {"hello.email.html": html, "hello.email.txt": text}, [mia]))

    assert [finding.code for finding in report.findings] == ([code] if code else [])


def test_an_app_has_links_of_its_own() -> None:
    assert [fault.code for fault in faults("northside://classes", Channel.PUSH)] == []
    assert [fault.code for fault in faults("northside://classes", Channel.SMS)] == ["link_insecure"]


def test_a_link_ends_where_the_sentence_does(tmp_path: Path) -> None:
    assert looked_at(written(tmp_path, {"hello.sms.txt": SMS.replace("{{ data.url }}", "(https://a.co/b).")})).passed


# E-mail.


def test_marketing_email_has_the_way_out_and_the_address_by_itself(tmp_path: Path) -> None:
    assert looked_at(written(tmp_path, {"hello.email.html": EMAIL})).findings == ()


def test_an_email_that_writes_its_own_footer_has_to_name_who_writes_and_where(tmp_path: Path) -> None:
    own = EMAIL.replace("Northside says hello.", "<a href='{{ links.unsubscribe }}'>No more</a>")

    codes = {
        (finding.level, finding.code) for finding in looked_at(written(tmp_path, {"hello.email.html": own})).findings
    }

    assert codes == {("error", "no_postal_address"), ("error", "no_brand")}


def test_an_email_without_a_way_out_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cairn.adapters.templates.renderer.with_way_out", lambda rendered, *_: rendered)
    root = written(tmp_path, {"hello.email.html": EMAIL.replace("Northside", "Northside, 1 River Road, Hoboken,")})

    codes = [finding.code for finding in looked_at(root).findings]

    assert codes == ["no_one_click", "no_unsubscribe", "no_unsubscribe"]


def test_a_transactional_email_needs_no_way_out(tmp_path: Path) -> None:
    assert looked_at(written(tmp_path, {"hello.email.html": EMAIL}, purpose="transactional")).findings == ()


def test_a_subject_is_never_empty(tmp_path: Path) -> None:
    silent = EMAIL.replace("subject: Hello", "subject: '{{ data.nothing | default() }}'")

    assert told(looked_at(written(tmp_path, {"hello.email.html": silent}))) == [("error", "no_subject", ("Mia",))]


@pytest.mark.parametrize(
    ("policy", "email_sender", "where", "code"),
    [
        (replace(BUSINESS, brand=""), "hello@northside.com", "policy.toml", "no_brand"),
        (replace(BUSINESS, postal_address=""), "hello@northside.com", "policy.toml", "no_postal_address"),
        (BUSINESS, "", "cdk.json", "no_sender"),
    ],
)
def test_who_writes_has_to_be_configured(
    tmp_path: Path, policy: Policy, email_sender: str, where: str, code: str
) -> None:
    finding = only(looked_at(written(tmp_path, {"hello.email.html": EMAIL}), policy, email_sender))

    assert (finding.level, finding.where, finding.code) == ("error", where, code)


# What somebody approves first.


@pytest.mark.parametrize(
    ("purpose", "level", "code"),
    [("marketing", "error", "not_approved"), ("transactional", "warning", "session_only")],
)
def test_whatsapp_without_an_approved_template_is_told(tmp_path: Path, purpose: str, level: str, code: str) -> None:
    root = written(tmp_path, {"hello.whatsapp.txt": "Hello"}, purpose=purpose)

    assert told(looked_at(root)) == [(level, code, ())]


INDIAN = somebody("Asha", profile={"phone": "+919820012345", "first_name": "Asha"})
REGISTERED = f"---\ndlt_template: '1107160000000012345'\n---\n{SMS}"


def findings_in_india(tmp_path: Path, template: str, sample: dict[str, Any], entity: str) -> list[str]:
    report = looked_at(written(tmp_path, {"hello.sms.txt": template}, [sample]), replace(BUSINESS, dlt_entity=entity))
    return [finding.code for finding in report.findings if finding.code != "no_price"]


def test_a_text_to_india_needs_both_ids(tmp_path: Path) -> None:
    assert findings_in_india(tmp_path / "a", SMS, INDIAN, "") == ["no_dlt_entity", "not_registered"]
    assert findings_in_india(tmp_path / "b", REGISTERED, INDIAN, "") == ["no_dlt_entity"]
    assert findings_in_india(tmp_path / "c", SMS, INDIAN, "1101") == ["not_registered"]
    assert findings_in_india(tmp_path / "d", REGISTERED, INDIAN, "1101") == []


@pytest.mark.parametrize(("length", "found"), [(30, []), (31, ["variable_too_long"])])
def test_what_stands_for_a_variable_of_a_registered_text_is_short(
    tmp_path: Path, length: int, found: list[str]
) -> None:
    asha = somebody("Asha", profile={"phone": "+919820012345", "first_name": "a" * length})

    assert findings_in_india(tmp_path, REGISTERED, asha, "1101") == found


# Languages.

ANA = somebody("Ana", profile={"locale": "es-MX"})


def test_a_language_that_some_template_lacks_is_told(tmp_path: Path) -> None:
    templates = {"hello.sms.txt": SMS, "hello.es.sms.txt": SMS, "hello.email.html": EMAIL}

    finding = only(looked_at(written(tmp_path, templates, [MIA, ANA])))

    assert (finding.level, finding.code, finding.where) == ("warning", "no_language", "templates/hello.email.html")
    assert finding.message == "it is not there in es"


def test_a_language_that_only_a_sample_reads_is_told_too(tmp_path: Path) -> None:
    assert only(looked_at(written(tmp_path, {"hello.sms.txt": SMS}, [ANA]))).message == "it is not there in es"


def test_every_language_is_rendered_for_every_sample_and_wants_a_reader(tmp_path: Path) -> None:
    gap = {"hello.sms.txt": SMS, "hello.es.sms.txt": SMS.replace("first_name", "nombre")}

    report = looked_at(written(tmp_path, gap))

    assert {(one.where, one.code) for one in report.findings} == {
        ("templates/hello.es.sms.txt", "gap"),
        ("templates/hello.es.sms.txt", "unread"),
    }


def test_a_sample_reads_the_closest_language_only(tmp_path: Path) -> None:
    templates = {"hello.sms.txt": SMS, "hello.es.sms.txt": SMS, "hello.es-MX.sms.txt": SMS}

    finding = only(looked_at(written(tmp_path, templates, [ANA])))

    assert (finding.where, finding.code) == ("templates/hello.es.sms.txt", "unread")


@pytest.mark.parametrize(("format_", "found"), [("%A %d/%m", ["english_names"]), ("%d/%m %H:%M", [])])
def test_english_names_of_days_are_told_in_other_languages(tmp_path: Path, format_: str, found: list[str]) -> None:
    spanish = SMS.replace("hello", f"{{{{ '2026-03-02' | local('{format_}') }}}}")

    report = looked_at(written(tmp_path, {"hello.sms.txt": spanish, "hello.es.sms.txt": spanish}, [ANA]))

    assert [finding.code for finding in report.findings] == found


# The gate.


def test_the_gate_is_asked_about_every_sample_and_says_why(tmp_path: Path) -> None:
    denied = [{"channel": "sms", "purpose": "marketing", "status": "denied"}]
    samples = [
        MIA,
        somebody("no word", consent=[]),
        somebody("no", consent=denied),
        somebody("no number", profile={"phone": None}),
    ]

    report = looked_at(written(tmp_path, {"hello.sms.txt": SMS}, samples))

    assert report.counts("by-sms") == {
        "sent": {"granted": 1},
        "deferred": {},
        "suppressed": {"no_address": 1, "no_consent": 1, "opted_out": 1},
    }
    assert sentence(report.counts()) == (
        "1 sent, 1 suppressed: no_address, 1 suppressed: no_consent, 1 suppressed: opted_out"
    )


def test_what_law_and_the_steps_own_terms_say_counts(tmp_path: Path) -> None:
    rules = policy_from_document(compile_policy(ROOT / "policy.toml", ROOT / "law.toml"))
    late = somebody("late", at="2026-03-03T23:00:00-05:00", profile={"time_zone": "America/New_York", "region": "NY"})
    early = {**late, "name": "early", "at": "2026-03-03T10:00:00-05:00"}
    root = written(
        tmp_path, {"hello.sms.txt": SMS, "hello.whatsapp.txt": "Hello"}, [late, early], sender={"brand": "N"}
    )

    report = looked_at(root, rules)

    assert report.counts("by-sms") == {"sent": {"granted": 1}, "deferred": {"quiet_hours": 1}, "suppressed": {}}
    assert report.counts("by-whatsapp")["suppressed"] == {"forbidden": 2}  # Meta delivers no marketing to +1


def test_who_was_just_heard_may_be_answered_freely(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.whatsapp.txt": "Hello"}, [{**MIA, "heard": ["whatsapp"]}, somebody("silent")])

    counts = looked_at(root).counts("by-whatsapp")

    assert (counts["sent"], counts["suppressed"]) == ({"granted": 1}, {"session_over": 1})


def test_the_terms_of_step_and_template_count(tmp_path: Path) -> None:
    evening = somebody("evening", profile={"preferred_time": "21:00", "time_zone": "America/New_York"})
    root = written(tmp_path, {"hello.whatsapp.txt": WHATSAPP}, [MIA, evening])
    journey = root / "visit" / "journey.yaml"
    journey.write_text(journey.read_text().replace("template: hello", "template: hello\n    hour: preferred"))

    counts = looked_at(root).counts("by-whatsapp")

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
def test_samples_that_are_none_are_told_with_their_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "samples.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidJourneysError) as error:
        read_samples(file)

    assert f"{file}:{said}" in str(error.value)


def test_without_samples_nothing_was_looked_at(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS})
    (root / "visit" / "samples.yaml").unlink()

    with pytest.raises(InvalidJourneysError, match="there are no samples"):
        looked_at(root)


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


def test_samples_are_no_part_of_the_version(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS}, **NAMED)
    run(journeys=root)
    stamp = (root / "visit" / "preflight.json").read_text()

    (root / "visit" / "samples.yaml").write_text(yaml.safe_dump([MIA, ANA]), encoding="utf-8")

    write_catalogue(root, tmp_path / "catalogue.json", stamped=True)
    assert "samples" not in (tmp_path / "catalogue.json").read_text()
    run(journeys=root)
    assert json.loads((root / "visit" / "preflight.json").read_text())["version"] == json.loads(stamp)["version"]


def test_a_stamp_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    root = written(tmp_path, {"hello.sms.txt": SMS})
    (root / "visit" / "preflight.json").write_text("<<<<<<< ours", encoding="utf-8")

    with pytest.raises(InvalidJourneysError, match="this is no stamp of preflight"):
        write_catalogue(root, tmp_path / "catalogue.json", stamped=True)


def test_an_error_takes_the_stamp_back_and_a_warning_does_not(tmp_path: Path) -> None:
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


def test_the_report_in_json_has_everything(tmp_path: Path) -> None:
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
def test_a_command_that_cannot_be_followed_says_so(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments, journeys=written(tmp_path, {"hello.sms.txt": SMS}))

    assert result.exit_code != 0
    assert said in result.stderr


@pytest.mark.parametrize(
    "folder", sorted(one.parent for one in JOURNEYS.glob("*/journey.yaml")), ids=lambda one: one.name
)
def test_each_journey_of_ours_is_stamped_as_it_stands(folder: Path) -> None:
    rules = policy_from_document(compile_policy(ROOT / "policy.toml", ROOT / "law.toml"))

    report = preflight(JOURNEYS, folder.name, rules, email_sender="hello@example.com")

    assert report.passed
    assert json.loads((folder / "preflight.json").read_bytes()) == report.stamp(), "run `make preflight`"
