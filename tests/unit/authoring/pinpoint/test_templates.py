"""Pinpoint's templates in Jinja: what is simple, and what is left to people."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from authoring.journeys.templates import text_problems
from authoring.pinpoint.handlebars import Handlebars
from authoring.pinpoint.model import EmailTemplateResponse, PushNotificationTemplateResponse
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.templates import Written
from cairn.adapters.templates.language import environment

DATES: dict[str, Any] = {"TemplateType": "EMAIL", "CreationDate": "", "LastModifiedDate": ""}


def converted(text: str, **defaults: str) -> tuple[str, list[str]]:
    handlebars = Handlebars("email", defaults)
    return handlebars.converted(text), handlebars.rest


def rendered(text: str, profile: dict[str, Any]) -> str:
    return shown(converted(text)[0], profile)


def shown(jinja: str, profile: dict[str, Any]) -> str:
    """The text, without the marks around values that a message does not have."""
    text = environment(escape=False).from_string(jinja).render(profile=profile, data={})
    return re.sub("[\ufdd0-\ufdd2]", "", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{User.UserAttributes.FirstName.[0]}}!", "Hello Mia!"),
        ("Hello {{ User.UserAttributes.FirstName }}!", "Hello Mia!"),
        ("{{Attributes.[fav colour]}}", "red"),
        ("{{{Attributes.plan}}}", "pro"),
        ("{{Attributes.nothing}}.", "."),
        ("{{Address}} {{User.UserId}} {{Location.Country}}", "mia@example.com m-1 ES"),
        ("{{Demographic.Timezone}}", "Europe/Madrid"),
        ("{{#if Attributes.plan}}a{{else}}b{{/if}}", "a"),
        ("{{#if Attributes.nothing}}a{{else}}b{{/if}}", "b"),
        ("{{#if Attributes.plan}}{{#if Attributes.nothing}}x{{/if}}y{{/if}}", "y"),
        ("{{! a comment }}z", "z"),
        ("@media{#logo{width:1px}} {% x %} }}", "@media{#logo{width:1px}} {% x %} }}"),
    ],
)
def test_what_is_simple_is_filled_in_as_in_pinpoint(text: str, expected: str) -> None:
    profile = {
        "FirstName": "Mia",
        "fav colour": "red",
        "plan": "pro",
        "email": "mia@example.com",
        "user_id": "m-1",
        "country": "ES",
        "time_zone": "Europe/Madrid",
    }

    assert rendered(text, profile) == expected


def test_the_default_value_of_the_template_counts() -> None:
    text, _ = converted("{{User.UserAttributes.FirstName.[0]}}", **{"User.UserAttributes.FirstName": "it's you"})

    assert shown(text, {}) == "it's you"


@pytest.mark.parametrize(
    "text",
    [
        "{{#each Attributes.items}}{{this}}{{/each}}",
        "{{formatDate Attributes.day}}",
        "{{#if (gt Attributes.a 1)}}a{{/if}}",
        "{{Recommendations.RECOMMENDATION_NAME.[0]}}",
        "{{#if Attributes.plan}}a",
    ],
)
def test_what_is_not_simple_is_listed_and_no_message_is_sent_with_it(text: str) -> None:
    jinja, rest = converted(text)

    assert rest
    with pytest.raises(UndefinedError):
        environment(escape=False).from_string(jinja).render(profile={"plan": "pro"}, data={})


@given(
    st.lists(st.sampled_from(["{{", "}}", "{%", "{#", "#if ", "/if", "else", "Attributes.a", "x", "'", "{", "\\"])).map(
        "".join
    )
)
def test_every_text_becomes_a_template(text: str) -> None:
    assert text_problems(converted(text)[0]) == []


def test_an_email_without_html_has_its_text() -> None:
    template = EmailTemplateResponse.model_validate(
        {**DATES, "TemplateName": "Hi", "Subject": " One\nline ", "TextPart": "a < b"}
    )

    assert written("email", template) == {"hi.email.html": "---\nsubject: One line\n---\n<p>a &lt; b</p>\n"}


def test_a_push_notification_has_the_text_for_all_devices() -> None:
    template = PushNotificationTemplateResponse.model_validate(
        {**DATES, "TemplateName": "Hi", "APNS": {"Title": "T", "Body": "B", "MediaUrl": "https://example.com/a"}}
    )

    assert written("push", template) == {"hi.push.txt": "---\ntitle: T\n---\nB\n"}


def test_a_template_that_is_not_given_cannot_be_sent() -> None:
    assert written("sms", None) == {
        "hi.sms.txt": '---\ndlt_template: "1107160000000012345"\n---\n{{ profile.text_of_hi }}\n'
    }


def test_a_link_that_no_email_may_have_is_left_to_people() -> None:
    template = EmailTemplateResponse.model_validate(
        {**DATES, "TemplateName": "Hi", "Subject": "S", "HtmlPart": "<a href='javascript:x()'>x</a>"}
    )

    assert "{{ profile.text_of_hi }}" in written("email", template)["hi.email.html"]


def written(channel: str, template: Any) -> dict[str, str]:
    made = Written({(channel, "Hi"): template} if template else {}, Notes("example"))
    made.write("hi", channel, "Hi", "", "1107160000000012345" if channel == "sms" else "")
    return made.files
