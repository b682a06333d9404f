"""`cairn doctor`: what it asks AWS, what it prints, and that no secret is in it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from botocore.stub import Stubber
from typer.testing import CliRunner

from cairn.adapters.secrets_manager import Part
from cairn.domain.shared.channels import Channel
from cli import doctor_account
from cli.doctor_account import AccountError, AwsAccount
from cli.doctor_checks import (
    CHECKS,
    Certificate,
    Concurrency,
    EmailAccount,
    EmailIdentity,
    Origination,
    Plan,
    Unanswered,
)
from cli.main import app
from infra.cloud.stage import Stage
from infra.cloud.synth import cdk_json

ROOT = Path(__file__).parents[3]
REGION = "us-east-1"
SECRET = "whsec_c2VjcmV0LW9mLXN0cmlwZS1vZi10aGUtdGVzdA=="
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:sources"
NUMBER = "arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-1"
POOL = "arn:aws:sms-voice:us-east-1:123456789012:pool/pool-1"
TOPIC = "arn:aws:sns:us-east-1:123456789012:Cairn-AlarmTopic"

Answer = tuple[str, dict[str, Any]]
"""What AWS is asked for, and what it answers: `Error` is its code."""


def planned(**fields: Any) -> Plan:
    stage = Stage.unchecked("dev", cdk_json(), {"email_sender": "Us <hello@mail.example.com>", **fields})
    return Plan(
        stage=stage,
        rates=(),
        channels=frozenset({Channel.EMAIL, Channel.SMS}),
        sources=("stripe", "track"),
        endpoints=(),
    )


@contextmanager
def account(plan: Plan | None = None, **services: list[Answer]) -> Iterator[AwsAccount]:
    """An account that answers these questions of each service in turn, and no other."""
    clients = {}
    with ExitStack() as stack:
        for name, answers in services.items():
            service = name.replace("_", "-")
            client = get_session().create_client(
                service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
            )
            stubber = stack.enter_context(Stubber(client))
            for operation, answer in answers:
                if "Error" in answer:
                    stubber.add_client_error(operation, answer["Error"], answer.get("Message", ""))
                else:
                    stubber.add_response(operation, answer)
            clients[service] = client
        yield AwsAccount(plan or planned(), clients.__getitem__)


def outputs(**values: str) -> Answer:
    described = {
        "StackName": "Cairn-dev",
        "CreationTime": "2026-11-28T00:00:00Z",
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in values.items()],
    }
    return "describe_stacks", {"Stacks": [described]}


def resources(kind: str, logical: str, physical: str) -> Answer:
    one = {
        "LogicalResourceId": logical,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "LastUpdatedTimestamp": "2026-11-28T00:00:00Z",
        "ResourceStatus": "CREATE_COMPLETE",
    }
    return "list_stack_resources", {"StackResourceSummaries": [one]}


NOT_DEPLOYED = {"Error": "ValidationError", "Message": "Stack with id Cairn-dev does not exist"}
LIMIT = {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}}


def test_the_version_of_the_bootstrap_stack() -> None:
    with account(ssm=[("get_parameter", {"Parameter": {"Value": "21"}})]) as asked:
        assert asked.bootstrap_version() == 21
    with account(ssm=[("get_parameter", {"Error": "ParameterNotFound"})]) as asked:
        assert asked.bootstrap_version() is None


@pytest.mark.parametrize("code", sorted(doctor_account.DENIED))
def test_a_denied_question_names_the_action_to_allow(code: str) -> None:
    with account(ssm=[("get_parameter", {"Error": code})]) as asked, pytest.raises(Unanswered) as unanswered:
        asked.bootstrap_version()

    assert str(unanswered.value) == "ssm:GetParameter is denied"
    assert unanswered.value.fix == "Allow ssm:GetParameter to your role, and ask again"


def test_a_service_that_does_not_answer_leaves_it_unknown() -> None:
    with account(ssm=[("get_parameter", {"Error": "InternalServerError"})]) as asked, pytest.raises(Unanswered) as why:
        asked.bootstrap_version()

    assert "InternalServerError" in str(why.value)


def test_the_concurrency_counts_what_this_stage_has_reserved_already() -> None:
    quota = {"Quotas": [{"QuotaName": "Concurrent executions", "Value": 1000.0}]}
    receiver = resources("AWS::Lambda::Function", "ReceiveWebhook1234ABCD", "receiver")
    own = ("get_function_concurrency", {"ReservedConcurrentExecutions": 100})

    with account(
        **{"lambda": [("get_account_settings", LIMIT), own]},
        service_quotas=[("list_service_quotas", quota)],
        cloudformation=[receiver],
    ) as asked:
        assert asked.concurrency() == Concurrency(total=1000, unreserved=900, own=100, granted=1000.0)


def test_the_concurrency_is_known_before_a_deployment_and_without_service_quotas() -> None:
    with account(
        **{"lambda": [("get_account_settings", LIMIT)]},
        service_quotas=[("list_service_quotas", {"Error": "AccessDeniedException"})],
        cloudformation=[("list_stack_resources", NOT_DEPLOYED)],
    ) as asked:
        assert asked.concurrency() == Concurrency(total=1000, unreserved=900, own=0, granted=None)


CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0123-4567"


def test_the_certificate_of_the_domain() -> None:
    answer = {"Status": "ISSUED", "SubjectAlternativeNames": ["example.com", "*.example.com"]}
    plan = planned(domain_name="hooks.example.com", certificate_arn=CERTIFICATE)

    with account(plan, acm=[("describe_certificate", {"Certificate": answer})]) as asked:
        found = asked.certificate()

    assert found == Certificate(here=REGION, status="ISSUED", names=("example.com", "*.example.com"))


@pytest.mark.parametrize("code", sorted(doctor_account.NO_SUCH_CERTIFICATE))
def test_a_certificate_that_acm_does_not_have_here(code: str) -> None:
    plan = planned(domain_name="hooks.example.com", certificate_arn=CERTIFICATE)

    with account(plan, acm=[("describe_certificate", {"Error": code})]) as asked:
        assert asked.certificate() == Certificate(here=REGION, status=None)


def test_the_account_of_ses_is_asked_once() -> None:
    answer = {
        "ProductionAccessEnabled": True,
        "SendingEnabled": True,
        "SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0},
        "Details": {"ReviewDetails": {"Status": "GRANTED"}},
    }
    with account(sesv2=[("get_account", answer)]) as asked:
        found = asked.email_account()

        assert found == EmailAccount(production=True, sending=True, review="GRANTED", per_day=50000, per_second=14)
        assert asked.email_account() is found


def test_a_verified_domain_above_the_senders_covers_it() -> None:
    parent = {
        "VerifiedForSendingStatus": True,
        "DkimAttributes": {"SigningEnabled": True, "Status": "SUCCESS"},
        "MailFromAttributes": {
            "MailFromDomain": "bounces.example.com",
            "MailFromDomainStatus": "PENDING",
            "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
        },
    }
    missing = {"Error": "NotFoundException"}
    asked_for = [("get_email_identity", missing), ("get_email_identity", parent), ("get_email_identity", missing)]

    with account(sesv2=asked_for) as asked:
        assert asked.email_identity() == EmailIdentity(
            name="example.com",
            verified=True,
            dkim="SUCCESS",
            signing=True,
            mail_from="bounces.example.com",
            mail_from_status="PENDING",
        )


def test_a_sender_without_an_identity() -> None:
    with account(sesv2=[("get_email_identity", {"Error": "NotFoundException"})] * 3) as asked:
        assert asked.email_identity() is None


def test_texts_by_sns_have_its_sandbox_and_limit() -> None:
    answers: list[Answer] = [
        ("get_sms_sandbox_account_status", {"IsInSandbox": True}),
        ("get_sms_attributes", {"attributes": {"MonthlySpendLimit": "50"}}),
        ("get_sms_attributes", {}),
    ]
    with account(sns=answers) as asked:
        assert asked.sms_sandbox() is True
        assert asked.sms_spend_limit() == 50
        assert asked.sms_spend_limit() == 1, "what every account begins with, and SNS does not show"


def test_texts_by_end_user_messaging_have_its_sandbox_and_limit() -> None:
    tier = {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "PRODUCTION"}]}
    limit = {"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", "EnforcedLimit": 200, "MaxLimit": 200, "Overridden": True}
    answers: list[Answer] = [
        ("describe_account_attributes", tier),
        ("describe_spend_limits", {"SpendLimits": [limit]}),
        ("describe_spend_limits", {"SpendLimits": []}),
    ]
    with account(planned(sms_origination=NUMBER), pinpoint_sms_voice_v2=answers) as asked:
        assert asked.sms_sandbox() is False
        assert asked.sms_spend_limit() == 200
        with pytest.raises(Unanswered, match="names no spend limit"):
            asked.sms_spend_limit()


@pytest.mark.parametrize(
    ("origination", "operation", "kind"),
    [(NUMBER, "describe_phone_numbers", "PhoneNumber"), (POOL, "describe_pools", "Pool")],
)
def test_where_replies_to_a_number_or_a_pool_go(origination: str, operation: str, kind: str) -> None:
    common = {
        f"{kind}Arn": origination,
        "Status": "ACTIVE",
        "MessageType": "TRANSACTIONAL",
        "TwoWayEnabled": True,
        "TwoWayChannelArn": TOPIC,
        "SelfManagedOptOutsEnabled": True,
        "OptOutListName": "Default",
        "DeletionProtectionEnabled": False,
        "CreatedTimestamp": 0,
    }
    of_number = {
        "PhoneNumber": "+12015550123",
        "IsoCountryCode": "US",
        "NumberCapabilities": ["SMS"],
        "NumberType": "TEN_DLC",
        "MonthlyLeasingPrice": "1.00",
    }
    one = common | (of_number if kind == "PhoneNumber" else {"PoolId": "pool-1", "SharedRoutesEnabled": False})

    with account(
        planned(sms_origination=origination), pinpoint_sms_voice_v2=[(operation, {f"{kind}s": [one]})]
    ) as asked:
        assert asked.origination() == Origination(status="ACTIVE", two_way=True, channel=TOPIC)


def test_where_reports_of_whatsapp_go() -> None:
    plan = planned(whatsapp_phone_number_id="phone-number-id-1")
    number = {
        "arn": "arn:aws:social-messaging:us-east-1:123456789012:phone-number-id/1",
        "phoneNumber": "+12015550123",
        "phoneNumberId": "phone-number-id-1",
        "metaPhoneNumberId": "1",
        "displayPhoneNumberName": "Us",
        "displayPhoneNumber": "+1 201 555 0123",
        "qualityRating": "GREEN",
    }
    linked = {
        "arn": "arn:aws:social-messaging:us-east-1:123456789012:waba/1",
        "id": "waba-1",
        "wabaId": "1",
        "registrationStatus": "COMPLETE",
        "linkDate": 0,
        "wabaName": "Us",
        "eventDestinations": [{"eventDestinationArn": TOPIC}],
    }
    answers: list[Answer] = [
        ("list_linked_whatsapp_business_accounts", {"linkedAccounts": [linked]}),
        ("get_linked_whatsapp_business_account", {"account": linked | {"phoneNumbers": [number]}}),
    ]
    with account(plan, socialmessaging=answers) as asked:
        assert asked.whatsapp_destinations() == [TOPIC]
    with account(plan, socialmessaging=[("list_linked_whatsapp_business_accounts", {})]) as asked:
        assert asked.whatsapp_destinations() is None


def version(**content: Any) -> Answer:
    """The version of a secret, of noon; its field `at` is another hour."""
    at = datetime(2026, 11, 28, content.pop("at", 12), tzinfo=UTC)
    return "get_secret_value", {"ARN": ARN, "Name": "one", "SecretString": json.dumps(content), "CreatedDate": at}


LABELLED: Answer = version(links=SECRET)
NO_VERSION: Answer = ("get_secret_value", {"Error": "ResourceNotFoundException"})
STACKS = [outputs(), outputs(SourcesSecretArn=ARN)]


def test_secrets_are_compared_by_name_and_never_shown() -> None:
    stored = version(stripe=[SECRET, "short"], track="also-short", unused="drawn-by-secrets-manager")

    with account(cloudformation=STACKS, secretsmanager=[stored, LABELLED]) as asked:
        found = asked.unusable_secrets()

    assert found == {(Part.SOURCES, "track"): "has 10 bytes; it needs 16 or more"}
    assert not any(secret in str(found) for secret in (SECRET, "also-short", "drawn-by"))


def test_a_secret_that_nobody_has_written_is_missing() -> None:
    stored = version(unused="drawn-by-secrets-manager")

    with account(cloudformation=STACKS, secretsmanager=[stored, NO_VERSION]) as asked:
        assert asked.unusable_secrets() == {
            (Part.SOURCES, "stripe"): "is missing",
            (Part.SOURCES, "track"): "is missing",
            (Part.LINKS, "links"): "is missing",
        }


def test_the_drawn_value_is_enough_for_links() -> None:
    stored = version(stripe=SECRET, track=SECRET)
    drawn = version(unused="drawn-by-secrets-manager")

    with account(cloudformation=STACKS, secretsmanager=[stored, drawn]) as asked:
        assert asked.unusable_secrets() == {}


def test_an_endpoint_and_a_source_of_one_name_have_secrets_of_their_own() -> None:
    plan = replace(planned(), sources=("stripe",), endpoints=("stripe", "crm"))
    answers = [version(stripe=SECRET), LABELLED, version(crm=SECRET)]

    with account(plan, cloudformation=STACKS, secretsmanager=answers) as asked:
        assert asked.unusable_secrets() == {(Part.WEBHOOK_ENDPOINTS, "stripe"): "is missing"}


def test_secrets_that_may_not_be_read_are_unknown() -> None:
    denied = {"Error": "AccessDeniedException"}

    with (
        account(cloudformation=STACKS, secretsmanager=[("get_secret_value", denied)]) as asked,
        pytest.raises(Unanswered, match="secretsmanager:GetSecretValue is denied"),
    ):
        asked.unusable_secrets()


def of_before(**more: str) -> list[Answer]:
    """The stacks of a deployment that has the secrets of version 0.2."""
    old = {"LinksSecretArn": f"{ARN}-links", "SubscribersSecretArn": f"{ARN}-endpoints"}
    data = outputs(SourcesSecretArn=ARN, **old, **more)
    return [outputs(), data, data]


def test_secrets_of_before_are_seen_until_they_are_joined() -> None:
    old_endpoints, old_links = version(crm=SECRET, unused="drawn"), version(links=SECRET)
    none = [old_endpoints, NO_VERSION, old_links, NO_VERSION]
    half = [old_endpoints, version(crm=SECRET, at=13), old_links, NO_VERSION]
    all_ = [old_endpoints, version(crm=SECRET, at=13), old_links, version(links=SECRET, at=13)]
    later = [*all_[:2], version(links=[SECRET, SECRET[::-1]], at=14), all_[3]]

    for answers, unjoined in (
        (none, ["webhook-endpoints", "links"]),
        (half, ["links"]),
        (all_, []),
        (later, ["links"]),
    ):
        with account(cloudformation=of_before(), secretsmanager=answers) as asked:
            found = asked.secrets_of_before()
        assert list(found) == ["webhook-endpoints", "links"]
        assert [part for part, joined in found.items() if not joined] == unjoined


def test_a_stage_with_one_secret_has_none_to_join() -> None:
    data = outputs(SourcesSecretArn=ARN)

    with account(cloudformation=[outputs(), data, data], secretsmanager=[]) as asked:
        assert asked.secrets_of_before() == {}


def test_secrets_of_before_that_cannot_be_read_are_unknown() -> None:
    no_object: Answer = ("get_secret_value", {"ARN": ARN, "Name": "one", "SecretString": "[]"})

    with (
        account(cloudformation=of_before(), secretsmanager=[no_object, NO_VERSION]) as asked,
        pytest.raises(Unanswered, match="not a JSON object"),
    ):
        asked.secrets_of_before()


def test_what_needs_a_deployment_is_asked_again_after_it() -> None:
    for ask in ("sms_topic", "whatsapp_topic", "secrets_of_before", "unusable_secrets", "table"):
        with (
            account(cloudformation=[("describe_stacks", NOT_DEPLOYED)], secretsmanager=[], dynamodb=[]) as asked,
            pytest.raises(Unanswered, match="not deployed yet"),
        ):
            getattr(asked, ask)()
    with (
        account(cloudformation=[("list_stack_resources", NOT_DEPLOYED)]) as asked,
        pytest.raises(Unanswered, match="not deployed yet"),
    ):
        asked.alarm_recipients()


def test_the_recipients_of_alarms() -> None:
    subscription = {"Endpoint": "ops@example.com", "Protocol": "email", "SubscriptionArn": "PendingConfirmation"}
    topic = resources("AWS::SNS::Topic", "AlarmTopicD01E77F9", TOPIC)

    with account(
        cloudformation=[topic], sns=[("list_subscriptions_by_topic", {"Subscriptions": [subscription]})]
    ) as asked:
        assert asked.alarm_recipients() == {"ops@example.com": "PendingConfirmation"}


def test_a_restored_table_lacks_what_dynamodb_does_not_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws(), account(cloudformation=[outputs(TableName="restored")] * 2) as asked:
        client = get_session().create_client("dynamodb", region_name=REGION)
        key: list[Any] = [{"AttributeName": "pk", "KeyType": "HASH"}]
        attributes: list[Any] = [{"AttributeName": "pk", "AttributeType": "S"}]
        client.create_table(
            TableName="restored", KeySchema=key, AttributeDefinitions=attributes, BillingMode="PAY_PER_REQUEST"
        )
        on_moto = replace(asked, client=lambda name: client if name == "dynamodb" else asked.client(name))
        bare = on_moto.table()
        client.update_table(
            TableName="restored", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        )
        client.update_time_to_live(
            TableName="restored", TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
        )
        client.update_continuous_backups(
            TableName="restored", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        mended = on_moto.table()

    assert (bare.streams, bare.expires, bare.recoverable) == (False, False, False)
    assert (mended.streams, mended.expires, mended.recoverable) == (True, True, True)


def test_without_credentials_nothing_is_guessed() -> None:
    with (
        account(ssm=[], sts=[("get_caller_identity", {"Error": "ExpiredToken"})]) as asked,
        pytest.raises(AccountError, match="Log in first"),
    ):
        asked.location()


def test_the_region_may_be_named_and_must_be_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(doctor_account.aws, "session", get_session)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    context = {doctor_account.BOOTSTRAP_QUALIFIER: "mine"}

    named = AwsAccount.of(planned(), "eu-central-1", context)

    assert named.client("ssm").meta.region_name == "eu-central-1"
    assert named.qualifier == "mine"
    with pytest.raises(AccountError, match="name one with --region"):
        AwsAccount.of(planned(), "", {}).location()


def test_the_documented_policy_allows_all_that_is_asked() -> None:
    source = (ROOT / "cli" / "doctor_account.py").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "go-live.md").read_text(encoding="utf-8")
    (policy,) = re.findall(r"^```json\n(.+?)^```", page, re.MULTILINE | re.DOTALL)

    asked = set(re.findall(r'_asked\("([\w:-]+)"\)', source))
    assert set(json.loads(policy)["Statement"][0]["Action"]) == asked


class NothingAnswered:
    """An account that refuses every question."""

    def location(self) -> str:
        return "account 123456789012, us-east-1"

    def __getattr__(self, name: str) -> Callable[[], Any]:
        def ask() -> Any:
            raise Unanswered(f"{name} is denied", f"Allow {name}")

        return ask


@pytest.fixture
def _refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AwsAccount, "of", lambda *_: NothingAnswered())


@pytest.mark.usefixtures("_refusing")
def test_the_stage_prod_as_it_ships_is_blocked_and_a_line_says_by_what() -> None:
    done = CliRunner().invoke(app, ["doctor", "--stage", "prod"], env={"COLUMNS": "120"})

    assert done.exit_code == 1
    assert "stage prod in account 123456789012, us-east-1" in done.stdout
    assert "✗ to do        Settings" in done.stdout
    assert "stages.prod.alarm_email" in done.stdout
    assert "✗ to do        Rates" in done.stdout
    assert "? cannot tell  CDK bootstrap" in done.stdout
    assert "✗ 3 to do first" in done.stdout


@pytest.mark.usefixtures("_refusing")
def test_every_check_has_a_line_and_what_is_unknown_does_not_block() -> None:
    done = CliRunner().invoke(app, ["doctor", "--stage", "dev", "--json"])

    rows = json.loads(done.stdout)["checks"]
    assert done.exit_code == 0
    assert [row["check"] for row in rows] == [one.name for one in CHECKS]
    assert {row["state"] for row in rows} == {"ok", "to do", "cannot tell"}
    assert not any(row["blocks"] for row in rows)
    assert all(row["fix"] for row in rows if row["state"] != "ok")


@pytest.mark.usefixtures("_refusing")
def test_an_unknown_stage_is_refused_with_those_that_there_are() -> None:
    done = CliRunner().invoke(app, ["doctor", "--stage", "staging"])

    assert done.exit_code == 1
    assert "it has dev, prod" in done.stderr
