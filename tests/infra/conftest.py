"""One synthesis for the whole run: both stages, with the settings of cdk.json, over layers of one file each."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bench.template import MEANT_FOR_YOU
from infra.cloud.bundle import stub_bundle
from infra.cloud.node import put_node_on_path
from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json

put_node_on_path()

Json = dict[str, Any]

PROD = MEANT_FOR_YOU
"""The settings that cdk.json leaves to you."""


@dataclass(frozen=True)
class Templates:
    """What synthesis wrote for one stage."""

    stage: Stage
    folder: Path
    data: Json
    engine: Json

    def all(self, kind: str) -> dict[str, Json]:
        """The properties of every resource of a type, by its name in the template."""
        return {
            name: resource.get("Properties", {}) for name, resource in self._resources() if resource["Type"] == kind
        }

    def retention(self, kind: str) -> set[str]:
        return {resource.get("DeletionPolicy", "") for _, resource in self._resources() if resource["Type"] == kind}

    def retained(self) -> dict[str, tuple[str, str, str]]:
        """Type, DeletionPolicy and UpdateReplacePolicy of each resource that outlives something, by its name."""
        policies = {
            name: (one["Type"], one.get("DeletionPolicy", "Delete"), one.get("UpdateReplacePolicy", "Delete"))
            for name, one in self._resources()
        }
        return {name: (kind, *rest) for name, (kind, *rest) in policies.items() if {*rest} != {"Delete"}}

    def function(self, service: str) -> Json:
        """The properties of a function of ours, by the name of its folder."""
        functions = self.all("AWS::Lambda::Function").values()
        return next(one for one in functions if service_of(one) == service)

    def name_of(self, service: str) -> str:
        """What a function of ours is called in the template."""
        functions = self.all("AWS::Lambda::Function")
        return next(name for name, one in functions.items() if service_of(one) == service)

    def alias_of(self, service: str) -> str:
        """What the alias of a function of ours is called in the template."""
        aliases = self.all("AWS::Lambda::Alias")
        (name,) = [name for name, one in aliases.items() if one["FunctionName"] == {"Ref": self.name_of(service)}]
        return name

    def statements(self, service: str) -> list[Json]:
        """What a function of ours may do."""
        return [one for one in self._statements(service) if one["Effect"] == "Allow"]

    def denials(self, service: str) -> list[Json]:
        """What a function of ours may not do, whatever else allows it."""
        return [one for one in self._statements(service) if one["Effect"] == "Deny"]

    def _statements(self, service: str) -> list[Json]:
        return self.statements_of(self.function(service)["Role"]["Fn::GetAtt"][0])

    def statements_of(self, role: str) -> list[Json]:
        policies = self.all("AWS::IAM::Policy").values()
        mine = [policy for policy in policies if {"Ref": role} in policy["Roles"]]
        mine += self.all("AWS::IAM::Role")[role].get("Policies", [])
        return [statement for policy in mine for statement in policy["PolicyDocument"]["Statement"]]

    def files(self) -> list[Path]:
        return [self.folder / f"Cairn-{self.stage.name}{part}.template.json" for part in ("-Data", "")]

    def _resources(self) -> Iterator[tuple[str, Json]]:
        yield from self.data["Resources"].items()
        yield from self.engine["Resources"].items()


def service_of(function: Mapping[str, Any]) -> str:
    return str(function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"])


def synthesize(folder: Path, *stages: Stage, **context: str) -> dict[str, Templates]:
    """Synthesizes the stacks of stages into a folder, with the checks of cdk-nag; `context` is what `cdk -c` adds."""
    from aws_cdk import App

    from infra.cloud.app import add_nag_checks, add_stacks

    out = folder / "cdk.out"
    app = App(context={**cdk_json(), **context}, outdir=str(out), analytics_reporting=False)
    bundle = stub_bundle(folder)
    for stage in stages:
        add_stacks(app, stage, bundle=bundle)
    add_nag_checks(app)
    app.synth()
    return {stage.name: _read(out, stage) for stage in stages}


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Templates]:
    context = cdk_json()
    stages = [Stage.from_context("dev", context), Stage.from_context("prod", context, PROD)]
    return synthesize(tmp_path_factory.mktemp("synthesized"), *stages)


@pytest.fixture(scope="session")
def dev(synthesized: dict[str, Templates]) -> Templates:
    return synthesized["dev"]


@pytest.fixture(scope="session")
def prod(synthesized: dict[str, Templates]) -> Templates:
    return synthesized["prod"]


def _read(folder: Path, stage: Stage) -> Templates:
    data, engine = (
        json.loads((folder / f"Cairn-{stage.name}{part}.template.json").read_text()) for part in ("-Data", "")
    )
    return Templates(stage, folder, data, engine)


@dataclass(frozen=True)
class Queue:
    """A queue as it stands, by its name in the template without the hash."""

    name: str
    arn: str
    attributes: dict[str, str]

    @property
    def redrive(self) -> Json:
        return dict(json.loads(self.attributes.get("RedrivePolicy", "{}")))


@dataclass(frozen=True)
class Deployed:
    """What stands after the templates were handed to CloudFormation."""

    queues: dict[str, Queue]
    functions: dict[str, Json]
    sources: list[Json]
    stream_arn: str

    def sources_of(self, service: str) -> list[Json]:
        arn = self.functions[service]["FunctionArn"]
        return [source for source in self.sources if source["FunctionArn"] == arn]


MOTO_MAKES = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
}
"""The rest of our resources moto's CloudFormation warns of, or trips over."""


@pytest.fixture(scope="session")
def deployed(dev: Templates) -> Deployed:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            patch.setenv(name, "us-east-1")
        _deploy(f"Cairn-{dev.stage.name}-Data", dev.data)
        _deploy(f"Cairn-{dev.stage.name}", dev.engine)
        return _look_around()


def _deploy(name: str, template: Json) -> None:
    body = _for_moto(template)
    _upload_code(body)
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_IAM"])
    status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    assert status == "CREATE_COMPLETE"


def _for_moto(template: Json) -> Json:
    """The template without what moto cannot make; what referred to that, gets its name instead.

    In place of an alias stands its function.
    """
    from infra.cloud.function import LIVE

    template = deepcopy(template)
    aliases = {
        name: one["Properties"]["FunctionName"]["Ref"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::Lambda::Alias"
    }
    resources = {name: one for name, one in template["Resources"].items() if one["Type"] in MOTO_MAKES}
    gone = template["Resources"].keys() - resources.keys()

    def alias_in(node: Json) -> str:
        """The alias that this refers to, by its ARN or by name and qualifier as an event source mapping does."""
        if node.get("Ref") in aliases:
            return str(node["Ref"])
        parts = node.get("Fn::Join", ["", []])[1]
        if not (parts and parts[-1] == f":{LIVE}"):
            return ""
        return str(parts[0]["Fn::Select"][1]["Fn::Split"][1]["Ref"])

    def without(node: Any) -> Any:
        if isinstance(node, list):
            return [without(one) for one in node]
        if not isinstance(node, dict):
            return node
        if alias := alias_in(node):
            return {"Ref": aliases[alias]}
        referred = node.get("Ref") or (node.get("Fn::GetAtt") or [""])[0]
        return referred if referred in gone else {key: without(value) for key, value in node.items()}

    for name, one in resources.items():
        one["DependsOn"] = [other for other in one.get("DependsOn", []) if other not in gone]
        if one["Type"] == "AWS::SQS::Queue":  # CloudFormation ends a FIFO queue's name in .fifo, moto does not
            suffix = ".fifo" if one["Properties"].get("FifoQueue") else ""
            one["Properties"]["QueueName"] = _without_hash(name) + suffix
    return {"Resources": without(resources), "Outputs": without(template.get("Outputs", {}))}


def _upload_code(template: Json) -> None:
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("handler.py", "")
    s3 = boto3.client("s3")
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        code = properties.get("Code") or properties.get("Content") or {}
        if "S3Key" in code:
            code["S3Bucket"] = "assets"
            s3.create_bucket(Bucket="assets")
            s3.put_object(Bucket="assets", Key=code["S3Key"], Body=empty.getvalue())


def _look_around() -> Deployed:
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    queues = {}
    for url in sqs.list_queues()["QueueUrls"]:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        name = url.rpartition("/")[2].removesuffix(".fifo").removeprefix("Queues")
        queues[name] = Queue(name, attributes["QueueArn"], {str(key): value for key, value in attributes.items()})
    table = boto3.client("dynamodb").list_tables()["TableNames"][0]
    return Deployed(
        queues=queues,
        functions={service_of(one): one for one in functions.list_functions()["Functions"]},
        sources=functions.list_event_source_mappings()["EventSourceMappings"],
        stream_arn=boto3.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"],
    )


def _without_hash(logical_id: str) -> str:
    """CloudFormation's name of a resource ends in eight characters of a hash."""
    return logical_id[:-8]
