"""A stage without a model may ask none; one with a model may ask that one, by one function, and no other."""

from typing import Any

import pytest

from infra.cloud.stage import InvalidStageError, Stage
from infra.cloud.synth import cdk_json
from tests.infra.conftest import PROD, Json, Templates, service_of, synthesize

MODEL = "amazon.nova-lite-v1:0"
PROFILE = f"eu.{MODEL}"


def asked_of_bedrock(templates: Templates, service: str) -> list[Json]:
    return [one for one in templates.statements(service) if "bedrock" in str(one["Action"])]


def resource(statement: Json) -> str:
    """An ARN, with the parameters of the stack by their names."""
    parts: list[Any] = statement["Resource"]["Fn::Join"][1]
    return "".join(one if isinstance(one, str) else f"<{one['Ref']}>" for one in parts)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Templates]:
    folder = tmp_path_factory.mktemp("bedrock")
    dev = Stage.from_context("dev", cdk_json(), {"bedrock_model": MODEL})
    prod = Stage.from_context("prod", cdk_json(), {**PROD, "bedrock_model": PROFILE})
    return synthesize(folder, dev, prod)


def test_the_stages_that_ship_ask_no_model(dev: Templates, prod: Templates) -> None:
    for templates in (dev, prod):
        services = {service_of(one) for one in templates.all("AWS::Lambda::Function").values() if "Environment" in one}
        assert all(asked_of_bedrock(templates, service) == [] for service in services if service != "")
        assert templates.function("process_event")["Environment"]["Variables"]["CAIRN_BEDROCK_MODEL"] == ""


def test_a_model_is_granted_in_its_region_alone(asking: dict[str, Templates]) -> None:
    (statement,) = asked_of_bedrock(asking["dev"], "process_event")

    assert statement["Action"] == "bedrock:InvokeModel"
    assert resource(statement) == f"arn:<AWS::Partition>:bedrock:<AWS::Region>::foundation-model/{MODEL}"
    assert asked_of_bedrock(asking["dev"], "manage_api") == []


def test_an_inference_profile_is_granted_with_its_model_and_only_through_itself(asking: dict[str, Templates]) -> None:
    profile, model = asked_of_bedrock(asking["prod"], "process_event")

    own = f"arn:<AWS::Partition>:bedrock:<AWS::Region>:<AWS::AccountId>:inference-profile/{PROFILE}"
    assert resource(profile) == own
    assert resource(model) == f"arn:<AWS::Partition>:bedrock:*::foundation-model/{MODEL}"
    through = model["Condition"]["StringEquals"]["bedrock:InferenceProfileArn"]
    assert resource({"Resource": through}) == own


@pytest.mark.parametrize("wrong", ["nova lite", "arn:aws:bedrock:us-east-1::foundation-model/x", "*", "amazon.*"])
def test_what_is_no_id_of_a_model_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidStageError, match="bedrock_model: an id as"):
        Stage.from_context("dev", cdk_json(), {"bedrock_model": wrong})
