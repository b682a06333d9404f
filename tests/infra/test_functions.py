"""What all functions have in common, and how the world reaches them."""

import json

import pytest

from cairn.adapters.sources import TRACK, sources
from infra.cloud.api import ACCESS_LOG, SOURCES
from tests.infra.conftest import Json, Templates, service_of

WITH_JOURNEYS = {"process_event", "deliver_message"}


def functions(templates: Templates) -> dict[str, Json]:
    return {service_of(one): one for one in templates.all("AWS::Lambda::Function").values()}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_function_runs_alike(synthesized: dict[str, Templates], stage: str) -> None:
    for function in functions(synthesized[stage]).values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["Handler"] == "cairn.lambda_entry.handle"
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogFormat"] == "JSON"


def test_only_who_walks_or_renders_journeys_carries_them(dev: Templates) -> None:
    for name, function in functions(dev).items():
        layers = [layer["Ref"] for layer in function["Layers"]]
        assert len(layers) == len(set(layers)) == (3 if name in WITH_JOURNEYS else 2)
        assert any("Journeys" in layer for layer in layers) == (name in WITH_JOURNEYS)


def test_journeys_are_read_from_where_their_layer_is_unpacked(dev: Templates) -> None:
    for name in WITH_JOURNEYS:
        variables = functions(dev)[name]["Environment"]["Variables"]
        assert variables["CAIRN_JOURNEYS_PATH"] == "/opt/journeys/catalogue.json"


def test_logs_end(dev: Templates, prod: Templates) -> None:
    for templates, days in ((dev, 7), (prod, 90)):
        groups = templates.all("AWS::Logs::LogGroup").values()
        assert {group["RetentionInDays"] for group in groups} == {days}
        assert len(groups) == len(functions(templates)) + 1, "each function's, and the API's"


def test_a_backlog_cannot_keep_webhooks_out_nor_overrun_the_providers(prod: Templates) -> None:
    reserved = {name: one.get("ReservedConcurrentExecutions") for name, one in functions(prod).items()}
    at_once = {
        name[:-8]: source["ScalingConfig"]["MaximumConcurrency"]
        for name, source in prod.all("AWS::Lambda::EventSourceMapping").items()
        if "ScalingConfig" in source
    }

    assert reserved == dict.fromkeys(functions(prod)) | {"receive_webhook": prod.stage.webhook_concurrency}
    assert at_once == {
        "ProcessEventFromEvents": prod.stage.event_concurrency,
        "ProcessEventFromWakes": prod.stage.event_concurrency,
        "DeliverMessageFromMessages": prod.stage.delivery_concurrency,
    }


def test_every_source_has_a_route_of_its_own_and_all_lead_to_one_function(prod: Templates) -> None:
    routes = {route["RouteKey"] for route in prod.all("AWS::ApiGatewayV2::Route").values()}
    integrations = list(prod.all("AWS::ApiGatewayV2::Integration").values())

    own = {f"POST /webhooks/{name}" for name in sources(SOURCES) if name != TRACK}
    assert routes == {"POST /webhooks/{source}", "GET /webhooks/{source}", "POST /events"} | own
    assert not any("/_" in route for route in routes), "what begins with an underscore is a laptop's"
    assert [one["PayloadFormatVersion"] for one in integrations] == ["2.0"]


def test_the_api_is_throttled_and_logs_nothing_of_a_person(prod: Templates) -> None:
    (stage,) = prod.all("AWS::ApiGatewayV2::Stage").values()

    logged = set(json.loads(stage["AccessLogSettings"]["Format"]).values())
    assert logged == set(ACCESS_LOG.values())
    assert not any("identity" in one or "path" in one.casefold() or "header" in one for one in logged)
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == prod.stage.requests_per_second
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == prod.stage.requests_burst


def test_a_flood_of_one_source_leaves_the_others_alone(prod: Templates) -> None:
    (stage,) = [one for one in prod._resources() if one[1]["Type"] == "AWS::ApiGatewayV2::Stage"]  # noqa: SLF001
    routes = prod.all("AWS::ApiGatewayV2::Route")

    throttled = stage[1]["Properties"]["RouteSettings"]
    own = {route["RouteKey"] for route in routes.values() if "{" not in route["RouteKey"]}
    throttle = prod.stage.throttle_of("stripe")
    assert throttled.keys() == own
    assert throttled["POST /webhooks/stripe"] == {
        "ThrottlingRateLimit": throttle.per_second,
        "ThrottlingBurstLimit": throttle.burst,
        "DetailedMetricsEnabled": True,
    }
    assert routes.keys() <= set(stage[1]["DependsOn"]), "a stage may speak only of routes that exist"


def test_ses_reports_what_becomes_of_a_message_and_not_what_it_answered_itself(prod: Templates) -> None:
    (reports,) = prod.all("AWS::SES::ConfigurationSetEventDestination").values()

    assert set(reports["EventDestination"]["MatchingEventTypes"]) == {
        *("delivery", "bounce", "complaint", "open", "click", "reject", "renderingFailure")
    }


def test_topics_are_encrypted_and_refuse_plain_text(prod: Templates) -> None:
    topics = prod.all("AWS::SNS::Topic")
    refusing = {
        policy["Topics"][0]["Ref"]
        for policy in prod.all("AWS::SNS::TopicPolicy").values()
        if any(
            one["Effect"] == "Deny" and "SecureTransport" in json.dumps(one)
            for one in policy["PolicyDocument"]["Statement"]
        )
    }

    assert refusing == topics.keys()
    assert all("KmsMasterKeyId" in topic for topic in topics.values())
