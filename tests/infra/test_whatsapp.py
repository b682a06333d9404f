"""Meta ends a version of its API about two years after the next one: a stage that asks for it sends nothing."""

from datetime import date, timedelta

import pytest

from infra.cloud.stage import InvalidStageError, Stage
from infra.cloud.synth import cdk_json, synthesize
from infra.cloud.whatsapp import READ_ON, SERVED_UNTIL, check_whatsapp
from tests.infra.conftest import PROD, Templates

NUMBER = "phone-number-id-0123456789abcdef0123456789abcdef"


def stage(version: str, number: str = NUMBER) -> Stage:
    settings = {**PROD, "whatsapp_phone_number_id": number, "whatsapp_api_version": version}
    return Stage.from_context("prod", cdk_json(), settings)


@pytest.mark.parametrize(("version", "end"), [(one, end) for one, end in SERVED_UNTIL.items() if end])
def test_a_version_is_refused_from_the_day_on_which_meta_ends_it(version: str, end: date) -> None:
    check_whatsapp(stage(version), end - timedelta(days=1))

    with pytest.raises(InvalidStageError, match=f"stages.prod: whatsapp_api_version: Meta serves {version} until"):
        check_whatsapp(stage(version), end)


@pytest.mark.parametrize("version", ["", "25.0", "v19.0", "v99.0"])
def test_a_version_that_the_list_does_not_have_is_refused_with_the_list_and_its_date(version: str) -> None:
    with pytest.raises(InvalidStageError, match=rf"is none of v20.0, .*, as of {READ_ON}"):
        check_whatsapp(stage(version), READ_ON)


def test_a_stage_without_whatsapp_needs_no_version() -> None:
    check_whatsapp(stage("v20.0", number=""), date(2040, 1, 1))


@pytest.mark.parametrize("name", cdk_json()["stages"])
def test_the_stages_that_ship_ask_for_a_version_that_meta_served_when_the_list_was_read(name: str) -> None:
    check_whatsapp(stage(cdk_json()["stages"][name]["whatsapp_api_version"]), READ_ON)


def test_the_sender_gets_the_version_of_its_stage(prod: Templates) -> None:
    variables = prod.function("deliver_message")["Environment"]["Variables"]

    assert variables["CAIRN_WHATSAPP_API_VERSION"] == prod.stage.whatsapp_api_version


def test_synthesis_refuses_a_version_that_has_ended() -> None:
    context = {**cdk_json(), "whatsapp_phone_number_id": NUMBER, "whatsapp_api_version": "v20.0"}

    with pytest.raises(InvalidStageError, match=r"Meta serves v20\.0 until 2026-09-24"):
        synthesize(context)
