"""A stage needs every setting, and all that is wrong is reported at once."""

import pytest

from infra.cloud.stage import InvalidStageError, Stage
from infra.cloud.synth import cdk_json
from tests.infra.conftest import PROD


def test_dev_needs_no_further_settings() -> None:
    stage = Stage.from_context("dev", cdk_json())

    assert stage.name == "dev"
    assert not stage.keep_data


def test_prod_asks_for_the_settings_of_the_business() -> None:
    with pytest.raises(InvalidStageError) as refused:
        Stage.from_context("prod", cdk_json())

    for field in PROD:
        assert f"stages.prod: {field}: " in str(refused.value)


def test_settings_may_come_from_the_command_line() -> None:
    stage = Stage.from_context("prod", cdk_json(), {**PROD, "phone_region": None})

    assert stage.alarm_email == PROD["alarm_email"]
    assert stage.phone_region == "US"


def test_a_salt_of_before_the_identity_key_is_refused_with_the_way_to_move() -> None:
    dev = {**cdk_json()["stages"]["dev"], "identity_salt": "chosen-once"}

    with pytest.raises(InvalidStageError, match=r"identity_salt: .*cairn identity-key move") as refused:
        Stage.from_context("dev", {"stages": {"dev": dev}})
    assert "chosen-once" not in str(refused.value)


def test_every_wrong_field_is_named() -> None:
    context = {"stages": {"mine": {**cdk_json()["stages"]["dev"], "keep_data": "yes", "emailsender": "x"}}}
    del context["stages"]["mine"]["phone_region"]

    with pytest.raises(InvalidStageError) as refused:
        Stage.from_context("mine", context)

    said = str(refused.value)
    assert "keep_data: bool expected, not 'yes'" in said
    assert "emailsender is not a field of a stage" in said
    assert "phone_region: missing" in said


def test_values_that_aws_would_refuse_are_refused_here() -> None:
    dev = {**cdk_json()["stages"]["dev"], "log_retention_days": 8, "event_concurrency": 1, "phone_region": "USA"}

    with pytest.raises(InvalidStageError) as refused:
        Stage.from_context("dev", {"stages": {"dev": dev}})

    assert "log_retention_days: one of 1, 3, 7" in str(refused.value)
    assert "event_concurrency: between 2 and 1000" in str(refused.value)
    assert "phone_region: the ISO 3166 code" in str(refused.value)


def test_a_stage_may_have_no_region_of_its_own() -> None:
    dev = {**cdk_json()["stages"]["dev"], "phone_region": ""}

    assert Stage.from_context("dev", {"stages": {"dev": dev}}).phone_region == ""


@pytest.mark.parametrize(
    "origin", ["www.example.com", "https://www.example.com/", "*", "http://www.example.com", "null"]
)
def test_the_origins_of_apps_are_written_as_browsers_send_them(origin: str) -> None:
    dev = cdk_json()["stages"]["dev"]

    with pytest.raises(InvalidStageError, match="in_app_origins: "):
        Stage.from_context("dev", {"stages": {"dev": dev | {"in_app_origins": f"https://app.example.com {origin}"}}})
    allowed = "https://www.example.com https://app.example.com:8443 http://localhost:3000"
    assert Stage.from_context("dev", {"stages": {"dev": dev | {"in_app_origins": allowed}}}).in_app_origins == allowed
    assert dev["in_app_origins"] == ""


@pytest.mark.parametrize("url", ["http://mail.example.com", "https://mail.example.com/?x=1", "mail.example.com"])
def test_the_links_of_messages_lead_to_an_address_that_mail_programs_call(url: str) -> None:
    dev = {**cdk_json()["stages"]["dev"], "public_url": url}

    with pytest.raises(InvalidStageError, match="public_url: begins with https://"):
        Stage.from_context("dev", {"stages": {"dev": dev}})
    assert Stage.from_context("dev", {"stages": {"dev": dev | {"public_url": "https://mail.example.com/cairn"}}})


def test_a_source_may_have_a_throttle_of_its_own() -> None:
    dev = {**cdk_json()["stages"]["dev"], "throttles": {"shopify": [50, 200]}}

    stage = Stage.from_context("dev", {"stages": {"dev": dev}})

    assert stage.throttle_of("shopify") == (50, 200)
    assert stage.throttle_of("stripe") == (stage.requests_per_second, stage.requests_burst)


def test_an_invalid_throttle_is_refused() -> None:
    dev = {
        **cdk_json()["stages"]["dev"],
        "throttles": {"shopify": 50, "stripe": [1], "twilio": [0, 1], "hmac": [1, True]},
    }

    with pytest.raises(InvalidStageError) as refused:
        Stage.from_context("dev", {"stages": {"dev": dev}})

    for source in dev["throttles"]:
        assert f"throttles.{source}: two whole numbers" in str(refused.value)


def test_an_unknown_stage_gets_the_list_of_stages() -> None:
    with pytest.raises(InvalidStageError, match="no stage 'staging'; it has dev, prod"):
        Stage.from_context("staging", cdk_json())


def test_what_a_stage_lacks_can_be_asked_for_before_it_is_refused() -> None:
    stage = Stage.unchecked("prod", cdk_json())

    assert [problem.partition(":")[0] for problem in stage.problems()] == ["email_sender", "alarm_email"]


@pytest.mark.parametrize("arn", ["cairn-restored", "arn:aws:dynamodb:us-east-1:123456789012:table/cairn-restored"])
def test_another_table_is_named_by_its_stream(arn: str) -> None:
    dev = {**cdk_json()["stages"]["dev"], "table_stream_arn": arn}

    with pytest.raises(InvalidStageError, match="table_stream_arn: the ARN of the stream of a table"):
        Stage.from_context("dev", {"stages": {"dev": dev}})


def test_numbers_that_let_nothing_through_are_refused() -> None:
    wrong = {"webhook_concurrency": -1, "requests_per_second": 0, "requests_burst": 0}
    dev = {**cdk_json()["stages"]["dev"], **wrong}

    with pytest.raises(InvalidStageError) as refused:
        Stage.from_context("dev", {"stages": {"dev": dev}})

    for field in wrong:
        assert f"stages.dev: {field}: " in str(refused.value)


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0123-4567"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"domain_name": "hooks.example.com"},
            "certificate_arn: write the ARN of the certificate for hooks.example.com",
        ),
        ({"certificate_arn": CERTIFICATE}, "domain_name: write the domain that the certificate is for"),
        (
            {"domain_name": "https://hooks.example.com", "certificate_arn": CERTIFICATE},
            "domain_name: a domain in lower",
        ),
        ({"domain_name": "Hooks.example.com", "certificate_arn": CERTIFICATE}, "domain_name: a domain in lower case"),
        ({"truststore_uri": "s3://ours/ca.pem"}, "domain_name: write the domain whose clients present a certificate"),
        (
            {"domain_name": "hooks.example.com", "certificate_arn": CERTIFICATE, "truststore_uri": "ca.pem"},
            "truststore_uri: a file in S3",
        ),
        ({"domain_name": "hooks.example.com", "certificate_arn": "0123-4567"}, "certificate_arn: the ARN of a certifi"),
    ],
)
def test_a_domain_needs_its_certificate_and_a_certificate_its_domain(fields: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidStageError) as refused:
        Stage.from_context("dev", cdk_json(), fields)

    (said,) = str(refused.value).splitlines()
    assert said.startswith(f"cdk.json: stages.dev: {problem}")


def test_a_stage_may_have_a_domain_of_its_own() -> None:
    fields = {"domain_name": "hooks.example.com", "certificate_arn": CERTIFICATE}

    assert Stage.from_context("dev", cdk_json(), fields).domain_name == "hooks.example.com"
