"""The settings of every function, and the routes that lead to them."""

import json
from pathlib import Path

import pytest

from cairn.adapters.http.manage.routes import ROUTES as MANAGE
from cairn.adapters.in_app.api import ROUTES as IN_APP
from cairn.adapters.sources import TRACK, sources
from infra.cloud.api import ACCESS_LOG, SOURCES
from infra.cloud.bundle import POLICY, Bundle, stub_bundle
from infra.cloud.functions.erase_customer import CONCURRENCY as FEW_AT_A_TIME
from infra.cloud.functions.notify_subscriber import CONCURRENCY
from infra.cloud.functions.relay_effects import WAITING_CONCURRENCY
from tests.infra import conftest
from tests.infra.conftest import Json, Templates, service_of

WITH_CATALOGUE = {"process_event", "deliver_message", "import_rows", "manage_api", "serve_console", "sweep"}


def functions(templates: Templates) -> dict[str, Json]:
    return {service_of(one): one for one in templates.all("AWS::Lambda::Function").values()}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_function_has_the_same_runtime(synthesized: dict[str, Templates], stage: str) -> None:
    for function in functions(synthesized[stage]).values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["Handler"] == "cairn.lambda_entry.handle"
        assert (function.get("TracingConfig") == {"Mode": "Active"}) == synthesized[stage].stage.tracing
        assert function["LoggingConfig"]["LogFormat"] == "JSON"


def test_only_functions_that_read_journeys_or_policy_have_their_layer(dev: Templates) -> None:
    for function in functions(dev).values():
        layers = [layer["Ref"] for layer in function["Layers"]]
        asks = {"CAIRN_JOURNEYS_PATH", "CAIRN_POLICY_PATH"} & set(function["Environment"]["Variables"])
        assert len(layers) == len(set(layers)) == (3 if asks else 2)
        assert any("Journeys" in layer for layer in layers) == bool(asks)


def test_journeys_and_policy_are_read_from_where_their_layer_is_unpacked(dev: Templates) -> None:
    for name, function in functions(dev).items():
        variables = function["Environment"]["Variables"]
        assert ("CAIRN_JOURNEYS_PATH" in variables) == (name in WITH_CATALOGUE)
        assert variables.get("CAIRN_JOURNEYS_PATH", "/opt/journeys/catalogue.json") == "/opt/journeys/catalogue.json"
        assert variables.get("CAIRN_POLICY_PATH", "/opt/journeys/policy.json") == "/opt/journeys/policy.json"
        assert variables.get("CAIRN_PEOPLE_PATH", "/opt/journeys/people.json") == "/opt/journeys/people.json"


def test_logs_have_a_retention(dev: Templates, prod: Templates) -> None:
    for templates, days in ((dev, 7), (prod, 90)):
        groups = templates.all("AWS::Logs::LogGroup").values()
        assert {group["RetentionInDays"] for group in groups} == {days}
        assert len(groups) == len(functions(templates)) + 2, "each function's, the API's and Firehose's"


def test_a_backlog_cannot_block_webhooks_or_overrun_the_providers(prod: Templates) -> None:
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
        "DeliverMessageFromMarketing": prod.stage.delivery_concurrency,
        "EraseCustomerFromErasures": FEW_AT_A_TIME,
        "NotifySubscriberFromNotices": CONCURRENCY,
        "RelayEffectsFromEffects": WAITING_CONCURRENCY,
    }


def test_every_source_has_a_route_of_its_own_and_all_lead_to_one_function(prod: Templates) -> None:
    routes = {route["RouteKey"] for route in prod.all("AWS::ApiGatewayV2::Route").values()}
    integrations = list(prod.all("AWS::ApiGatewayV2::Integration").values())

    own = {f"POST /webhooks/{name}" for name in sources(SOURCES) if name != TRACK}
    webhooks = {route for route in routes if route.endswith("/events") or "/webhooks/" in route}
    tried = {f"{method} /webhooks/{{source}}" for method in ("GET", "HEAD", "POST")}
    assert webhooks == tried | {"POST /events"} | own
    assert not any("/_" in route for route in routes), "what begins with an underscore is a laptop's"
    assert {one["PayloadFormatVersion"] for one in integrations} == {"2.0"}


def test_the_links_of_messages_lead_to_their_own_function(prod: Templates) -> None:
    routes = {route["RouteKey"]: route for route in prod.all("AWS::ApiGatewayV2::Route").values()}
    integrations = prod.all("AWS::ApiGatewayV2::Integration")

    links = {route: one for route, one in routes.items() if route.endswith("/{token}") and "/tasks/" not in route}
    assert set(links) == {
        f"{method} /{kind}/{{token}}"
        for kind in ("unsubscribe", "preferences", "confirm")
        for method in ("GET", "HEAD", "POST")
    }
    targets = {one["Target"]["Fn::Join"][1][1]["Ref"] for one in links.values()}
    assert len(targets) == 1
    assert "ServePreferences" in json.dumps(integrations[targets.pop()]["IntegrationUri"])


def test_the_links_of_members_lead_to_their_own_function(prod: Templates) -> None:
    routes = {route["RouteKey"]: route for route in prod.all("AWS::ApiGatewayV2::Route").values()}
    integrations = prod.all("AWS::ApiGatewayV2::Integration")

    tasks = {f"{method} /tasks/{{token}}" for method in ("GET", "HEAD", "POST")}
    (target,) = {routes[one]["Target"]["Fn::Join"][1][1]["Ref"] for one in tasks}
    assert "ServeTasks" in json.dumps(integrations[target]["IntegrationUri"])


def test_the_inbox_of_an_app_leads_to_its_own_function_which_answers_cors_itself(prod: Templates) -> None:
    """API Gateway's own CORS would be one for all routes, and drop what the function answers."""
    routes = {route["RouteKey"]: route for route in prod.all("AWS::ApiGatewayV2::Route").values()}
    integrations = prod.all("AWS::ApiGatewayV2::Integration")
    (api,) = prod.all("AWS::ApiGatewayV2::Api").values()

    own = {f"{method} {path}" for method, path in IN_APP}
    assert own == {key for key in routes if "/in-app/" in key}
    (target,) = {routes[one]["Target"]["Fn::Join"][1][1]["Ref"] for one in own}
    assert "ServeInApp" in json.dumps(integrations[target]["IntegrationUri"])
    assert "CorsConfiguration" not in api


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_only_the_manage_routes_need_a_signature(synthesized: dict[str, Templates], stage: str) -> None:
    routes = {route["RouteKey"]: route for route in synthesized[stage].all("AWS::ApiGatewayV2::Route").values()}

    signed = {key for key, route in routes.items() if route["AuthorizationType"] == "AWS_IAM"}
    open_ = {key for key, route in routes.items() if route["AuthorizationType"] == "NONE"}
    assert signed == {key for key in routes if "/manage/" in key} == {f"{method} {path}" for method, path in MANAGE}
    assert signed | open_ == routes.keys()


def test_the_manage_routes_lead_to_their_own_function(prod: Templates) -> None:
    routes = prod.all("AWS::ApiGatewayV2::Route").values()
    integrations = prod.all("AWS::ApiGatewayV2::Integration")

    targets = {one["Target"]["Fn::Join"][1][1]["Ref"] for one in routes if "/manage" in one["RouteKey"]}
    (target,) = targets
    others = {one["Target"]["Fn::Join"][1][1]["Ref"] for one in routes if "/manage" not in one["RouteKey"]}
    assert "ManageApi" in json.dumps(integrations[target]["IntegrationUri"])
    assert target not in others


def test_links_lead_to_the_api_or_to_the_stages_public_url(dev: Templates) -> None:
    variables = functions(dev)["deliver_message"]["Environment"]["Variables"]
    (api,) = dev.all("AWS::ApiGatewayV2::Api")

    assert variables["CAIRN_PUBLIC_URL"] == {"Fn::GetAtt": [api, "ApiEndpoint"]}


def test_the_api_is_throttled_and_logs_no_personal_data(prod: Templates) -> None:
    (stage,) = prod.all("AWS::ApiGatewayV2::Stage").values()

    logged = set(json.loads(stage["AccessLogSettings"]["Format"]).values())
    assert logged == set(ACCESS_LOG.values())
    assert not any("identity" in one or "path" in one.casefold() or "header" in one for one in logged)
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == prod.stage.requests_per_second
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == prod.stage.requests_burst


def test_the_access_log_is_among_the_logs_of_services_and_named_after_its_stage(prod: Templates) -> None:
    (stage,) = prod.all("AWS::ApiGatewayV2::Stage").values()
    groups = prod.all("AWS::Logs::LogGroup")

    log = groups[stage["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]]
    assert log["LogGroupName"] == "/aws/vendedlogs/apigateway/Cairn-prod"
    assert "$context.requestId" in json.loads(stage["AccessLogSettings"]["Format"]).values()


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_outputs_name_every_log_group_and_topic_and_the_urls(synthesized: dict[str, Templates], stage: str) -> None:
    templates = synthesized[stage]

    outputs = [*templates.engine["Outputs"].values(), *templates.data["Outputs"].values()]
    named = {json.dumps(one["Value"]) for one in outputs}
    for kind in ("AWS::Logs::LogGroup", "AWS::SNS::Topic"):
        for name in templates.all(kind):
            assert json.dumps({"Ref": name}) in named, name
    assert {"ApiUrl", "PublicUrl"} <= templates.engine["Outputs"].keys()


def test_a_flood_from_one_source_does_not_throttle_the_others(prod: Templates) -> None:
    (stage,) = [one for one in prod._resources() if one[1]["Type"] == "AWS::ApiGatewayV2::Stage"]  # noqa: SLF001
    routes = prod.all("AWS::ApiGatewayV2::Route")

    throttled = stage[1]["Properties"]["RouteSettings"]
    own = {route["RouteKey"] for route in routes.values() if "{source}" not in route["RouteKey"]}
    throttle = prod.stage.throttle_of("stripe")
    assert throttled.keys() == own
    assert throttled["POST /webhooks/stripe"] == {
        "ThrottlingRateLimit": throttle.per_second,
        "ThrottlingBurstLimit": throttle.burst,
        "DetailedMetricsEnabled": False,
    }
    assert "$context.routeKey" in ACCESS_LOG.values(), "which tells what each route answers, and is not billed by route"
    assert routes.keys() <= set(stage[1]["DependsOn"]), "a stage may speak only of routes that exist"


def test_ses_reports_later_states_and_not_its_own_answer(prod: Templates) -> None:
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


def polls_deliveries(templates: Templates) -> Json:
    mappings = templates.all("AWS::Lambda::EventSourceMapping").items()
    (mapping,) = [one for name, one in mappings if name.startswith("NotifySubscriberFromNotices")]
    return mapping


def test_the_queue_of_webhook_deliveries_is_polled_where_there_are_endpoints(
    dev: Templates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first endpoint, and the last one's end, change that one property: queue and mapping stay."""

    def with_an_endpoint(folder: Path) -> Bundle:
        bundle = stub_bundle(folder)
        (bundle.journeys / POLICY).write_text(json.dumps({"subscribers": [{"name": "crm"}]}))
        return bundle

    monkeypatch.setattr(conftest, "stub_bundle", with_an_endpoint)
    with_endpoint = conftest.synthesize(tmp_path, dev.stage)["dev"]

    without, on = polls_deliveries(dev), polls_deliveries(with_endpoint)
    assert (without["Enabled"], on["Enabled"]) == (False, True)
    assert {**without, "Enabled": True, "FunctionName": on["FunctionName"]} == on
    assert with_endpoint.all("AWS::SQS::Queue") == dev.all("AWS::SQS::Queue")
