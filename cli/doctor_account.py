"""What `cairn doctor` asks an AWS account, with the operator's own credentials. It changes nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cached_property, partial
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from cairn.adapters import aws
from cairn.adapters.pages.links import SECRET
from cairn.adapters.secrets_manager import Part, PartSecrets
from cairn.domain.shared.errors import (
    CairnError,
    SecretMissingError,
    SecretUnusableError,
    ServiceBusyError,
    ServiceRefusedError,
)
from cli.doctor_checks import (
    Certificate,
    Concurrency,
    EmailAccount,
    EmailIdentity,
    Origination,
    Plan,
    TableState,
    Unanswered,
)
from cli.secrets_client import SecretsError, SecretsOfBefore, scheme_problem
from infra.cloud.bundle.bytecode import find_compiler

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "UnauthorizedOperation",
    }
)
"""https://docs.aws.amazon.com/awssupport/latest/user/API_CommonErrors.html"""

BOOTSTRAP_QUALIFIER = "@aws-cdk/core:bootstrapQualifier"
"""The key of cdk.json's context that names another bootstrap stack."""

DEFAULT_QUALIFIER = "hnb659fds"

CONCURRENT_EXECUTIONS = "Concurrent executions"

NO_SUCH_CERTIFICATE = frozenset({"InvalidArnException", "ResourceNotFoundException", "ValidationException"})
"""ACM's codes for an ARN of no certificate, or of one in another region.

https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html
"""

RECEIVER = "ReceiveWebhook"
ALARM_TOPIC = "AlarmTopic"
"""How the names of these resources begin in the template."""

BOTH_IMAGES = "NEW_AND_OLD_IMAGES"


class AccountError(CairnError):
    """No account can be asked; the message says what to do."""


@dataclass(frozen=True)
class AwsAccount:
    """Implements Account, for one stage in one region. What two checks need is asked once."""

    plan: Plan
    client: Callable[[str], Any]
    """The client of a service of AWS."""
    qualifier: str = DEFAULT_QUALIFIER

    @classmethod
    def of(cls, plan: Plan, region: str, context: Mapping[str, Any]) -> Self:
        """The account of the environment's credentials; an empty region is the environment's own."""

        def client(service: str) -> Any:
            return aws.session().create_client(service, region_name=region or None, config=aws.CONFIG)

        return cls(plan, client, str(context.get(BOOTSTRAP_QUALIFIER, DEFAULT_QUALIFIER)))

    def location(self) -> str:
        """The account and its region. Raises AccountError without credentials or region."""
        try:
            region = self.client("ssm").meta.region_name  # STS has an endpoint without a region
            return f"account {self.client('sts').get_caller_identity()['Account']}, {region}"
        except NoRegionError:
            raise AccountError("no region: name one with --region, or set AWS_DEFAULT_REGION") from None
        except (BotoCoreError, ClientError) as error:
            raise AccountError(
                f"AWS cannot be asked: {error}. Log in first, as for `aws sts get-caller-identity`"
            ) from None

    def python(self) -> str | None:
        return find_compiler()

    def bootstrap_version(self) -> int | None:
        name = f"/cdk-bootstrap/{self.qualifier}/version"
        with _asked("ssm:GetParameter"):
            try:
                return int(self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
            except ClientError as error:
                if aws.code_of(error) == "ParameterNotFound":
                    return None
                raise

    def concurrency(self) -> Concurrency:
        with _asked("lambda:GetAccountSettings"):
            limit = self.client("lambda").get_account_settings()["AccountLimit"]
        try:
            granted = self._quotas("lambda").get(CONCURRENT_EXECUTIONS)
        except Unanswered:
            granted = None  # Lambda's own answer is enough
        return Concurrency(
            total=limit["ConcurrentExecutions"],
            unreserved=limit["UnreservedConcurrentExecutions"],
            own=self._reserved(),
            granted=granted,
        )

    def scheduler_quotas(self) -> Mapping[str, float]:
        return self._quotas("scheduler")

    def certificate(self) -> Certificate:
        client = self.client("acm")
        with _asked("acm:DescribeCertificate"):
            try:
                arn = self.plan.stage.certificate_arn
                found = client.describe_certificate(CertificateArn=arn)["Certificate"]
            except ClientError as error:
                if aws.code_of(error) not in NO_SUCH_CERTIFICATE:
                    raise
                found = {}
        return Certificate(
            here=client.meta.region_name,
            status=found.get("Status"),
            names=tuple(found.get("SubjectAlternativeNames", ())),
        )

    def email_account(self) -> EmailAccount:
        return self._email_account

    def email_identity(self) -> EmailIdentity | None:
        return self._email_identity

    def sms_sandbox(self) -> bool:
        if not self.plan.stage.sms_origination:
            with _asked("sns:GetSMSSandboxAccountStatus"):
                return bool(self.client("sns").get_sms_sandbox_account_status()["IsInSandbox"])
        with _asked("sms-voice:DescribeAccountAttributes"):
            found = self.client("pinpoint-sms-voice-v2").describe_account_attributes()["AccountAttributes"]
        return any(one["Name"] == "ACCOUNT_TIER" and one["Value"] == "SANDBOX" for one in found)

    def sms_spend_limit(self) -> float:
        if not self.plan.stage.sms_origination:
            with _asked("sns:GetSMSAttributes"):
                found = self.client("sns").get_sms_attributes(attributes=["MonthlySpendLimit"]).get("attributes", {})
            return float(found.get("MonthlySpendLimit") or 1)  # SNS shows none where nobody has set one
        with _asked("sms-voice:DescribeSpendLimits"):
            limits = self.client("pinpoint-sms-voice-v2").describe_spend_limits()["SpendLimits"]
        for one in limits:
            if one["Name"] == "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT":
                return float(one["EnforcedLimit"])
        raise Unanswered("End User Messaging names no spend limit of texts", "Look in its console, under Quotas")

    def origination(self) -> Origination:
        arn = self.plan.stage.sms_origination
        kind, _, id_ = arn.rpartition(":")[2].partition("/")
        client = self.client("pinpoint-sms-voice-v2")
        if kind == "pool":
            with _asked("sms-voice:DescribePools"):
                (one,) = client.describe_pools(PoolIds=[id_])["Pools"]
        elif kind == "phone-number":
            with _asked("sms-voice:DescribePhoneNumbers"):
                (one,) = client.describe_phone_numbers(PhoneNumberIds=[id_])["PhoneNumbers"]
        else:
            raise Unanswered("a sender id takes no replies", "Confirm yourself: its texts name another way to say stop")
        return Origination(status=one["Status"], two_way=one["TwoWayEnabled"], channel=one.get("TwoWayChannelArn", ""))

    def sms_topic(self) -> str:
        return self._output("SmsTopicArn")

    def whatsapp_topic(self) -> str:
        return self._output("WhatsAppTopicArn")

    def whatsapp_destinations(self) -> Sequence[str] | None:
        client, wanted = self.client("socialmessaging"), self.plan.stage.whatsapp_phone_number_id
        with _asked("social-messaging:ListLinkedWhatsAppBusinessAccounts"):
            accounts = [
                account
                for page in client.get_paginator("list_linked_whatsapp_business_accounts").paginate()
                for account in page.get("linkedAccounts", [])
            ]
        for account in accounts:
            with _asked("social-messaging:GetLinkedWhatsAppBusinessAccount"):
                found = client.get_linked_whatsapp_business_account(id=account["id"])["account"]
            if wanted in {one["phoneNumberId"] for one in found["phoneNumbers"]}:
                return [one["eventDestinationArn"] for one in found["eventDestinations"]]
        return None

    def secrets_of_before(self) -> Mapping[str, bool]:
        secret_id = self._output("SourcesSecretArn")
        before = SecretsOfBefore.among(
            self.client("secretsmanager"), {**self._outputs(f"{self._stack}-Data"), "SourcesSecretArn": secret_id}
        )
        with _secrets_read():
            unjoined = before.unjoined()
        return {part: part not in unjoined for part in before.arns}

    def unusable_secrets(self) -> Mapping[tuple[Part, str], str]:
        client = self.client("secretsmanager")
        secret_id = self._output("SourcesSecretArn")
        found: dict[tuple[Part, str], str] = {}
        for part, names in (
            (Part.SOURCES, self.plan.sources),
            (Part.LINKS, (SECRET,)),
            (Part.WEBHOOK_ENDPOINTS, self.plan.endpoints),
        ):
            refused: dict[str, str] = {}
            secrets = PartSecrets(
                client,
                secret_id,
                part,
                partial(_note, refused),
                scheme_problem(part),
                drawn=SECRET if part is Part.LINKS else "",
            )
            for name in names:
                with _secrets_read():
                    try:
                        secrets.of(name)
                    except SecretUnusableError as error:
                        found[part, name] = refused.get(name, str(error))
                    except SecretMissingError:
                        found[part, name] = "is missing"
        return found

    def table(self) -> TableState:
        name = self._output("TableName")
        client = self.client("dynamodb")
        with _asked("dynamodb:DescribeTable"):
            described = client.describe_table(TableName=name)["Table"]
        with _asked("dynamodb:DescribeTimeToLive"):
            expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        with _asked("dynamodb:DescribeContinuousBackups"):
            backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        return TableState(
            name=name,
            streams=described.get("StreamSpecification", {}).get("StreamViewType") == BOTH_IMAGES,
            expires=expiry.get("AttributeName") == "expires_at"
            and expiry.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"},
            recoverable=recovery == "ENABLED",
        )

    def alarm_recipients(self) -> Mapping[str, str]:
        topic = self._resource("AWS::SNS::Topic", ALARM_TOPIC)
        with _asked("sns:ListSubscriptionsByTopic"):
            pages = self.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
            return {one["Endpoint"]: one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]}

    @cached_property
    def _email_account(self) -> EmailAccount:
        with _asked("ses:GetAccount"):
            found = self.client("sesv2").get_account()
        quota = found.get("SendQuota", {})
        return EmailAccount(
            production=found.get("ProductionAccessEnabled", False),
            sending=found.get("SendingEnabled", False),
            review=found.get("Details", {}).get("ReviewDetails", {}).get("Status", ""),
            per_day=quota.get("Max24HourSend", 0.0),
            per_second=quota.get("MaxSendRate", 0.0),
        )

    @cached_property
    def _email_identity(self) -> EmailIdentity | None:
        """The first that is verified: the address, its domain, the domains above that; else the first that exists.

        A subdomain needs no identity of its own where its parent is verified.
        https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
        """
        address = parseaddr(self.plan.stage.email_sender)[1]
        labels = address.rpartition("@")[2].split(".")
        domains = [".".join(labels[start:]) for start in range(len(labels) - 1)]
        found = [one for name in (*domains, address) if (one := self._identity(name))]
        return next((one for one in found if one.verified), found[0] if found else None)

    def _identity(self, name: str) -> EmailIdentity | None:
        with _asked("ses:GetEmailIdentity"):
            try:
                found = self.client("sesv2").get_email_identity(EmailIdentity=name)
            except ClientError as error:
                if aws.code_of(error) == "NotFoundException":
                    return None
                raise
        signs, mail_from = found.get("DkimAttributes", {}), found.get("MailFromAttributes", {})
        return EmailIdentity(
            name=name,
            verified=found.get("VerifiedForSendingStatus", False),
            dkim=signs.get("Status", "NOT_STARTED"),
            signing=signs.get("SigningEnabled", False),
            mail_from=mail_from.get("MailFromDomain", ""),
            mail_from_status=mail_from.get("MailFromDomainStatus", ""),
        )

    def _quotas(self, service: str) -> dict[str, float]:
        with _asked("servicequotas:ListServiceQuotas"):
            pages = self.client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode=service)
            return {one["QuotaName"]: one["Value"] for page in pages for one in page["Quotas"]}

    def _reserved(self) -> int:
        """What the deployed receive_webhook has reserved; 0 where it is not deployed, or cannot be asked."""
        try:
            name = self._resource("AWS::Lambda::Function", RECEIVER)
            with _asked("lambda:GetFunctionConcurrency"):
                found = self.client("lambda").get_function_concurrency(FunctionName=name)
        except Unanswered:
            return 0
        return int(found.get("ReservedConcurrentExecutions", 0))

    def _output(self, key: str) -> str:
        for stack in (self._stack, f"{self._stack}-Data"):
            if (value := self._outputs(stack).get(key)) is not None:
                return value
        raise Unanswered(f"{self._stack} does not put out {key}", "Deploy it once more, and ask again")

    def _outputs(self, stack: str) -> dict[str, str]:
        with _asked("cloudformation:DescribeStacks"), _deployed():
            (described,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {one["OutputKey"]: str(one["OutputValue"]) for one in described.get("Outputs", [])}

    def _resource(self, kind: str, name: str) -> str:
        """The physical id of a resource of the engine's stack, by the beginning of its name in the template."""
        with _asked("cloudformation:ListStackResources"), _deployed():
            pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self._stack)
            for one in (one for page in pages for one in page["StackResourceSummaries"]):
                if one["ResourceType"] == kind and one["LogicalResourceId"].startswith(name):
                    return str(one["PhysicalResourceId"])
        raise Unanswered(f"{self._stack} has no {name}", "Deploy it once more, and ask again")

    @property
    def _stack(self) -> str:
        return f"Cairn-{self.plan.stage.name}"


@contextmanager
def _asked(action: str) -> Iterator[None]:
    """Turn a refusal, or an answer that does not come, into Unanswered; `action` is what IAM calls the question."""
    try:
        yield
    except ClientError as error:
        if aws.code_of(error) in DENIED:
            raise Unanswered(f"{action} is denied", f"Allow {action} to your role, and ask again") from None
        raise Unanswered(f"{action}: {error}", "Ask again; where it stays so, look in the service's console") from None
    except BotoCoreError as error:
        raise Unanswered(f"{action}: {error}", "Ask again; is the service offered in this region?") from None


def _note(refused: dict[str, str], name: str, problem: str) -> None:
    refused.setdefault(name, problem)


@contextmanager
def _secrets_read() -> Iterator[None]:
    """Ask for the value of a secret; the adapter's errors become AWS's own again."""
    with _asked("secretsmanager:GetSecretValue"):
        try:
            yield
        except (ServiceBusyError, ServiceRefusedError) as error:
            raise error.__cause__ or error from None
        except (SecretsError, SecretUnusableError) as error:
            raise Unanswered(str(error), "Mend it in Secrets Manager, and ask again") from None


@contextmanager
def _deployed() -> Iterator[None]:
    """A stack that is not there is one that is not deployed yet."""
    try:
        yield
    except ClientError as error:
        if aws.code_of(error) == "ValidationError" and "does not exist" in str(error):
            raise Unanswered("not deployed yet", "Ask again after the deployment") from None
        raise
