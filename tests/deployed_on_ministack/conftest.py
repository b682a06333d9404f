"""Whole stages on MiniStack: the CDK's own command deploys them, and the functions run there as the templates say.

MiniStack asks IAM about each call (AUTH), so a right that a function lacks fails here, and speaks TLS, since our
policies deny calls without it. Where it differs from AWS, the synthesized templates are changed (`for_ministack`).
It is more lenient than AWS with names that exist, reserved concurrency, and buckets that are not empty, and has no
`AWS::SMSVOICE::ConfigurationSet`: these stages text by SNS.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import boto3
import pytest

from authoring.sources.samples import posting
from bench.template import MEANT_FOR_YOU
from cairn.adapters import aws
from cairn.adapters.dynamodb.table import bind, unbind
from infra.cloud.bundle.dependencies import ROOTS_PATH
from infra.cloud.bundle.make import make_bundle
from infra.cloud.node import put_node_on_path
from infra.cloud.stage import ALL_AT_ONCE, Stage
from infra.cloud.synth import cdk_json
from infra.local.signing import LOCAL_SECRET
from tests.ministack import ministack
from tests.skips import dependencies_layer_or_skip

ROOT = Path(__file__).parents[2]
CDK = ROOT / "build" / "cdk" / "node_modules" / "aws-cdk" / "bin" / "cdk"
REGION = "us-east-1"
ACCOUNT = "000000000000"
"""MiniStack's own account."""

SENDER = "hello@example.com"
"""Of both stages."""

WITHIN = 90
"""Seconds for what takes two or three, on a machine that does much else."""

SILENT = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "true", "NO_COLOR": "1"}
"""The CDK's command asks nobody but MiniStack."""

Found = TypeVar("Found")
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A MiniStack that nothing is deployed to yet."""

    endpoint: str
    certificate: Path
    folder: Path
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to take this for AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.certificate),
            "NODE_EXTRA_CA_CERTS": str(self.certificate),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        }

    def client(self, service: str) -> Any:
        if service not in self.clients:
            names = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
            trust = str(self.certificate)
            self.clients[service] = boto3.client(service, endpoint_url=self.endpoint, verify=trust, **names)
        return self.clients[service]

    def get(self, path: str) -> Any:
        """What MiniStack shows beside the APIs of AWS."""
        with urlopen(self.endpoint + path, context=self.trust(), timeout=30) as answer:  # noqa: S310  loopback
            return json.load(answer)

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    def runs(self, *command: str | Path, cwd: Path = ROOT) -> str:
        """What a command prints that takes this for AWS; the test fails where the command does."""
        done = subprocess.run(  # noqa: S603  our own commands
            command,
            cwd=cwd,
            env=os.environ | SILENT | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def cdk(self, *arguments: str | Path, cwd: Path = ROOT) -> str:
        node = shutil.which("node")
        assert node is not None
        return self.runs(node, CDK, *arguments, "--no-notices", cwd=cwd)

    def synthesizes(self, stage: Stage, **context: str) -> Path:
        """The folder of the templates of a stage with its bundle, changed for MiniStack."""
        from aws_cdk import App

        from infra.cloud.app import add_stacks

        folder = self.folder / "-".join([stage.name, *context])
        app = App(context=cdk_json() | context, outdir=str(folder), analytics_reporting=False)
        add_stacks(app, stage, bundle=make_bundle())
        app.synth()
        for template in folder.glob("Cairn-*.template.json"):
            template.write_text(for_ministack(template.read_text(encoding="utf-8"), self.certificate))
        return folder

    def deploys(self, assembly: Path, *stacks: str) -> str:
        return self.cdk("deploy", *(stacks or ("--all",)), "--require-approval", "never", "--app", assembly)


def for_ministack(template: str, certificate: Path) -> str:
    """A template that works in MiniStack as it does in AWS.

    * Layers are unpacked beside the code, one folder each in order, and not to /opt; code not to /var/task.
    * Our layer trusts the authorities of AWS alone, and MiniStack has a certificate of its own.
    * SendMessageBatch and the like need an action of their own, in AWS that of one message.
    * A schedule is asked for as if it were in the group `default`.
    * An e-mail is asked for on no resource and without its sender, in AWS on the identity and configuration set.
    * The Ref of a secret is its name, in AWS its ARN.
    * No condition can ask for the staging label of a secret's version, and no alarm can watch two metrics.
    """
    for ours, there in (
        (ROOTS_PATH, str(certificate)),
        ("/opt/journeys", "../layer_2/journeys"),
        ("/var/task/", ""),
        ('"sqs:SendMessage"', '"sqs:SendMessage*"'),
        ('"sqs:DeleteMessage"', '"sqs:DeleteMessage*"'),
        ('"sqs:ChangeMessageVisibility"', '"sqs:ChangeMessageVisibility*"'),
    ):
        template = template.replace(ours, there)
    template = re.sub(r":schedule/[\w-]+/", ":schedule/default/", template)
    document = json.loads(template)
    for policy in [one for one in document["Resources"].values() if one["Type"] == "AWS::IAM::Policy"]:
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if "ses:SendEmail" in statement["Action"]:  # one action or several
                statement["Resource"] = "*"
                statement.pop("Condition", None)
            if "secretsmanager:VersionStage" in json.dumps(statement.get("Condition")):
                del statement["Condition"]
    for alarm in [
        one["Properties"] for one in document["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"
    ]:
        if "Metrics" in alarm:
            watched = next(one["MetricStat"] for one in alarm.pop("Metrics") if "MetricStat" in one)
            alarm |= {name: watched["Metric"][name] for name in ("Namespace", "MetricName", "Dimensions")}
            alarm |= {"Period": watched["Period"], "Statistic": watched["Stat"]}
    secrets = [name for name, one in document["Resources"].items() if one["Type"] == "AWS::SecretsManager::Secret"]
    for output in document.get("Outputs", {}).values():
        if isinstance(output["Value"], dict) and output["Value"].get("Ref") in secrets:
            output["Value"] = {"Fn::GetAtt": [output["Value"]["Ref"], "Id"]}
    return json.dumps(document)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A stage that is deployed, and what tests do with it in the product's words."""

    cloud: Cloud
    stack: str

    def outputs(self, part: str = "") -> dict[str, str]:
        (stack,) = self.cloud.client("cloudformation").describe_stacks(StackName=self.stack + part)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def resources(self, kind: str) -> dict[str, str]:
        """The physical id of each resource of a type, by its name in the template, of both stacks."""
        pages = self.cloud.client("cloudformation").get_paginator("list_stack_resources")
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for part in ("-Data", "")
            for page in pages.paginate(StackName=self.stack + part)
            for one in page["StackResourceSummaries"]
            if one["ResourceType"] == kind
        }

    def eventually(self, what: str, look: Callable[[], Found]) -> Found:
        """What `look` finds, once it finds anything; where it does not, the test fails with what the functions log."""
        deadline = time.monotonic() + WITHIN
        while not (found := look()):
            if time.monotonic() > deadline:
                pytest.fail("\n".join([f"after {WITHIN} s still not: {what}", *self.logged()]))
            time.sleep(0.2)
        return found

    def logged(self) -> list[str]:
        """What the functions log; metrics and the lines of the runtime are left out."""
        logs = self.cloud.client("logs")
        return [
            event["message"]
            for group in self.resources("AWS::Logs::LogGroup").values()
            for event in logs.filter_log_events(logGroupName=group)["events"]
            if not event["message"].startswith(('{"_aws"', "START ", "END ", "REPORT "))
        ]

    def has_the_secret_of_track(self) -> None:
        """Put the signing secret of our own source where README says."""
        self.cloud.client("secretsmanager").put_secret_value(
            SecretId=self.outputs("-Data")["SourcesSecretArn"], SecretString=json.dumps({"track": LOCAL_SECRET})
        )

    def posts(self, event: Json, secret: str = LOCAL_SECRET) -> int:
        """Post an event to the deployed API, signed with a secret; returns the status of the answer."""
        made = posting("track", event, secret, datetime.now(UTC), origin=self.outputs()["ApiUrl"])
        url = urlsplit(made.url)
        # No resolver is asked: MiniStack knows an API by the host that a request names.
        there = f"{self.cloud.endpoint}{url.path}"
        request = Request(there, made.body, {**made.headers, "host": url.netloc}, method="POST")  # noqa: S310  loopback
        try:
            with urlopen(request, context=self.cloud.trust(), timeout=60) as answer:  # noqa: S310  loopback
                return int(answer.status)
        except HTTPError as error:
            with error:
                return error.code

    def texts(self, phone: str) -> list[str]:
        """The SMS that SNS took for a number."""
        sent = self.cloud.get("/_ministack/sns/sms-messages")["sms_messages"]
        return [one["Message"] for one in sent.get(phone, [])]

    def mails(self, address: str) -> list[str]:
        """The subjects of the e-mails that SES took for an address."""
        sent = self.cloud.get("/_ministack/ses/messages")["messages"]
        return [one["Subject"] for one in sent.get(ACCOUNT, []) if one["To"] == [address]]

    def timers(self) -> list[Json]:
        """The schedules of the stage."""
        scheduler = self.cloud.client("scheduler")
        (group,) = self.resources("AWS::Scheduler::ScheduleGroup").values()
        found = scheduler.list_schedules(GroupName=group)["Schedules"]
        return [dict(scheduler.get_schedule(Name=one["Name"], GroupName=group)) for one in found]

    def timer_is_due(self, timer: Json) -> None:
        """Set a schedule to this second; MiniStack's scheduler does the rest."""
        own = ("Name", "GroupName", "Target", "FlexibleTimeWindow", "ActionAfterCompletion")
        self.cloud.client("scheduler").update_schedule(
            **{name: timer[name] for name in own},
            ScheduleExpression=f"at({datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S})",
            ScheduleExpressionTimezone="UTC",
        )

    def function(self, name: str) -> Json:
        """The configuration of a function, by the name of its folder."""
        client = self.cloud.client("lambda")
        found = [
            client.get_function_configuration(FunctionName=one)
            for one in self.resources("AWS::Lambda::Function").values()
        ]
        return next(dict(one) for one in found if one["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == name)

    def arn_of_queue(self, name: str) -> str:
        """The ARN of a queue, such as Wakes or WakesDeadLetters."""
        (url,) = [url for key, url in self.resources("AWS::SQS::Queue").items() if key[:-8] == f"Queues{name}"]
        found = self.cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(found["Attributes"]["QueueArn"])

    def dead_letters(self) -> dict[str, str]:
        """How many messages each dead-letter queue has, where it has any."""
        sqs = self.cloud.client("sqs")
        urls = {name: url for name, url in self.resources("AWS::SQS::Queue").items() if "DeadLetters" in name}
        counts = {
            name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
            for name, url in urls.items()
        }
        return {name: one["ApproximateNumberOfMessages"] for name, one in counts.items() if set(one.values()) != {"0"}}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A MiniStack that is bootstrapped, with the identity that e-mails come from: SES refuses others."""
    if not CDK.exists():
        pytest.skip("the CDK's command is not installed: make test-tools")
    dependencies_layer_or_skip()
    put_node_on_path()
    folder = tmp_path_factory.mktemp("ministack")
    certificate, key = _certificate(folder)
    settings = {
        "AUTH": "true",
        "USE_SSL": "true",
        "MINISTACK_SSL_CERT": str(certificate),
        "MINISTACK_SSL_KEY": str(key),
        "SSL_CERT_FILE": str(certificate),
        "TMPDIR": str(folder),
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }
    trust = ssl.create_default_context(cafile=certificate)
    with ministack(settings, trust=trust, log=folder / "ministack.log") as endpoint:
        made = Cloud(endpoint=endpoint, certificate=certificate, folder=folder)
        made.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=folder)
        made.client("sesv2").create_email_identity(EmailIdentity=SENDER)
        yield made
        for client in made.clients.values():
            client.close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for `localhost` and its key."""
    from werkzeug.serving import make_ssl_devcert

    certificate, key = make_ssl_devcert(str(folder / "localhost"), host="localhost")
    return Path(certificate), Path(key)


@pytest.fixture(scope="session")
def assembly(cloud: Cloud) -> Path:
    """The templates of prod, with the settings that cdk.json leaves to you. MiniStack has no CodeDeploy."""
    return cloud.synthesizes(Stage.from_context("prod", cdk_json(), MEANT_FOR_YOU | {"rollout": ALL_AT_ONCE}))


@pytest.fixture(scope="session")
def prod(cloud: Cloud, assembly: Path) -> Deployment:
    """A first deployment of the strictest stage, with the signing secret in its place."""
    cloud.deploys(assembly)
    deployed = Deployment(cloud=cloud, stack="Cairn-prod")
    deployed.has_the_secret_of_track()
    return deployed


@pytest.fixture
def bound(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Binds our adapters to a table of MiniStack, for the test."""
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    aws.forget()
    unbind()
    yield lambda table: bind(table, REGION)
    unbind()
    aws.forget()
