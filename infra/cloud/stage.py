"""The settings of a stage."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, NamedTuple, Self, get_origin

DEFAULT = "dev"

# Lambda: the lowest and highest MaximumConcurrency of a queue's event source mapping.
MIN_CONCURRENCY = 2
MAX_CONCURRENCY = 1000

LOG_RETENTIONS = (1, 3, 7, 14, 30, 60, 90, 180, 365, 400)
"""The retentions of CloudWatch Logs that a stage may choose, in days."""


ALL_AT_ONCE = "all-at-once"

COGNITO = "cognito"
"""The console's users are those of a pool of the stack's own."""

ROLLOUTS: Mapping[str, str] = MappingProxyType(
    {
        ALL_AT_ONCE: "",
        "canary-10-percent-5-minutes": "LambdaCanary10Percent5Minutes",
        "canary-10-percent-10-minutes": "LambdaCanary10Percent10Minutes",
        "canary-10-percent-15-minutes": "LambdaCanary10Percent15Minutes",
        "canary-10-percent-30-minutes": "LambdaCanary10Percent30Minutes",
        "linear-10-percent-every-minute": "LambdaLinear10PercentEvery1Minute",
        "linear-10-percent-every-2-minutes": "LambdaLinear10PercentEvery2Minutes",
        "linear-10-percent-every-3-minutes": "LambdaLinear10PercentEvery3Minutes",
        "linear-10-percent-every-10-minutes": "LambdaLinear10PercentEvery10Minutes",
    }
)
"""How a new version may take over from the one before, and CodeDeploy's name of it; all at once needs no CodeDeploy.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

ORIGINATION = re.compile(r"arn:[\w-]+:sms-voice:[\w-]+:\d{12}:(phone-number|pool|sender-id)/[\w/-]+")
TABLE_STREAM = re.compile(r"arn:[\w-]+:dynamodb:[\w-]+:\d{12}:table/[\w.-]{3,255}/stream/[\w:.-]+")
CERTIFICATE = re.compile(r"arn:[\w-]+:acm:(?P<region>[\w-]+):\d{12}:certificate/[\w-]+")
LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"{LABEL}(\.{LABEL})+")
"""As API Gateway takes it: in lower case, with no protocol and no path."""
BEDROCK_MODEL = re.compile(r"[a-z0-9][\w-]*(\.[\w-]+)+(:[\w-]+)*")
TRUSTSTORE = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]+)/(?P<key>\S+)")
ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d+)?|http://localhost(:\d+)?")
"""As a browser sends it: in lower case, and without a path."""
PUBLIC_URL = re.compile(r"https://[\w.-]+(/[\w.-]+)*/?")
COUNTRY = re.compile(r"[A-Z]{2}")
PHONE_NUMBER_ID = "phone-number-id-"
"""The prefix of a WhatsApp number's id in End User Messaging Social."""


MOVED = {
    "identity_salt": "identity_salt: the key of customer ids stands in Secrets Manager now. Remove the salt here, "
    "and move the deployment: cairn identity-key move (docs/operations.md, The identity key)",
}
"""Fields that a stage had once, and what became of each."""


class Throttle(NamedTuple):
    """A token bucket: a lasting rate of requests a second, and a burst."""

    per_second: int
    burst: int


class InvalidStageError(Exception):
    """A stage of cdk.json cannot be deployed; the message names every field that is wrong."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One deployment. No field has a default: cdk.json states each."""

    name: str
    keep_data: bool
    """Table, queues and keys outlive their stack, and the table refuses to be deleted."""
    table_stream_arn: str
    """The ARN of the stream of an existing table, such as one restored from a backup, that the functions use in place
    of the stack's own (docs/go-live.md, Restore from a backup). Blank for the stack's own.
    """
    customer_managed_key: bool
    """Encrypt the table with a KMS key of this account (about 1 USD a month) instead of DynamoDB's own."""
    rollout: str
    """One of ROLLOUTS: how a new version of a function takes over. Gradually, it goes back by itself when an alarm of
    the engine is raised; that needs `alarm_email`.
    """
    snap_start: bool
    """Start the functions from a snapshot of their initialised state: for the slowest starts, at about 2 USD a month a
    function and 70 USD a million restores (docs/operations.md, SnapStart).
    """
    tracing: bool
    """Trace the functions with X-Ray: the first call of each second, and 5 % of the others. Lambda lets nobody choose
    another rate (https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html); 5 USD a million traces.
    """
    platform_logs: bool
    """Log Lambda's own two lines of each invocation that succeeds: 700 bytes, 0.33 USD a million invocations. Without
    them nobody can look up how long a single invocation took, how much memory it used, and whether it was a cold start;
    CloudWatch's metrics still have the durations of each function. Failures and timeouts are logged in any case
    (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
    """
    log_retention_days: int
    """One of LOG_RETENTIONS."""
    requests_per_second: int
    """The rate of each source at the HTTP API; more is answered 429 and redelivered by the sender."""
    requests_burst: int
    throttles: dict[str, list[int]]
    """Sources with other limits: name to [requests per second, burst]; `preferences` for links."""
    public_url: str
    """The origin of the links in messages, such as `https://mail.example.com`, where it is another than the API's: a
    CloudFront distribution before it, for instance. Blank for `domain_name`, or the API's own address.
    """
    domain_name: str
    """The API's own domain, such as `hooks.example.com`; blank for none. Its record in your DNS leads to the output
    `DomainTarget`.
    """
    certificate_arn: str
    """The ARN of a certificate for `domain_name`, of ACM in the region of the stage; blank without a domain."""
    truststore_uri: str
    """The PEM file in S3 of the authority whose certificate each client of `domain_name` presents: a CloudFront
    distribution with a WAF (docs/waf.md). The API then has no other address. Blank: it is open to all.
    """
    webhook_concurrency: int
    """Concurrency reserved for receive_webhook, so that a backlog does not block webhooks; 0 reserves none."""
    event_concurrency: int
    """The maximum concurrency of process_event, for each of its two queues."""
    delivery_concurrency: int
    """The maximum concurrency of deliver_message, which limits the rate at the providers."""
    alarm_email: str
    """The e-mail address that alarms notify; blank for none, and then there are no alarms: each costs 0.10 USD a month,
    and nobody would hear it.
    """
    health_alarms: bool
    """Alarms of their own for the signs that `sweep` finds (complaints, delivery errors, match rate, late events and
    timers), at 0.10 USD a month each. Without them, the alarm PersonNeeded stands for these as well.
    """
    dashboard: bool
    """A dashboard in CloudWatch. An account's first three are free; each further one costs 3 USD a month."""
    email_sender: str
    """The From address; its domain is a verified SES identity of the account."""
    sms_sender_id: str
    """Shown as the sender where the country allows it; blank for none. For texts by SNS."""
    sms_origination: str
    """ARN of the phone number, pool or sender id of End User Messaging that texts come from; blank texts by SNS."""
    sms_delivery_logs: bool
    """Read the delivery status of texts by SNS from its two logs. Both must exist: turn them on for the account
    (`aws sns set-sms-attributes` with DeliveryStatusIAMRole); each appears with its first text.
    """
    whatsapp_phone_number_id: str
    """`phone-number-id-…` of End User Messaging Social; blank for no WhatsApp."""
    whatsapp_api_version: str
    """The version of Meta's API, such as v25.0: one that Meta still serves (infra/cloud/whatsapp.py)."""
    console: str
    """The issuer whose users may sign in to the console: `cognito` for a pool that the stack makes, or the https
    address of your own issuer of OpenID Connect; blank for no console.
    """
    console_client_id: str
    """The client of the console at your own issuer; blank for `cognito`."""
    console_roles_claim: str
    """The claim of your issuer's id tokens that lists a user's roles, such as `groups`; blank for `cognito`."""
    in_app_origins: str
    """Origins whose pages may show in-app inboxes, such as `https://www.example.com https://app.example.com`; blank
    for none but the API's own (docs/in-app.md).
    """
    phone_region: str
    """ISO 3166 country of phone numbers without a country code; blank: such a number is none (docs/addresses.md)."""
    reply_languages: str
    """ISO 639-1 codes, separated by blanks: languages besides English for STOP, HELP and START."""
    bedrock_model: str
    """The id of a model of Amazon Bedrock, or of an inference profile, that is asked about replies which no rule reads
    (docs/people.md); blank: none is asked, and no text leaves for it.
    """

    @classmethod
    def from_context(cls, name: str, context: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Self:
        """One stage of cdk.json's `stages`; an override (`cdk -c field=value`) wins. Raises InvalidStageError."""
        stage = cls.unchecked(name, context, overrides)
        if problems := stage.problems():
            raise InvalidStageError(_error_message(name, problems))
        return stage

    @classmethod
    def unchecked(cls, name: str, context: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Self:
        """A stage whose `problems` are still to be asked for.

        Raises InvalidStageError where a field is missing, unknown or of another type.
        """
        stages = context.get("stages", {})
        if name not in stages:
            raise InvalidStageError(f"cdk.json has no stage {name!r}; it has {', '.join(sorted(stages))}")
        given = {**stages[name], **{key: value for key, value in (overrides or {}).items() if value is not None}}
        wanted = {one.name: one.type for one in fields(cls) if one.name != "name"}
        problems = [
            MOVED.get(field, f"{field} is not a field of a stage; it has {', '.join(wanted)}")
            for field in given
            if field not in wanted
        ]
        problems += [_problem(field, kind, given) for field, kind in wanted.items()]
        if any(problems):
            raise InvalidStageError(_error_message(name, problems))
        return cls(name=name, **given)

    @property
    def metrics_namespace(self) -> str:
        """The namespace of the stage's own metrics: another stage in the account counts apart, and raises no alarm."""
        return f"Cairn/{self.name}"

    def throttle_of(self, source: str) -> Throttle:
        """The throttle of one source; `track` is our own API, POST /events."""
        return Throttle(*self.throttles.get(source, (self.requests_per_second, self.requests_burst)))

    def problems(self) -> list[str]:
        """All that keeps the stage from working, each beginning with its field; empty where nothing does."""
        return [
            *self._problems_of_addresses(),
            *self._problems_of_console(),
            *self._problems_of_alarms(),
            *self._problems_of_numbers(),
            *self._problems_of_texts(),
        ]

    def _problems_of_addresses(self) -> Iterator[str]:
        if "@" not in self.email_sender:
            yield "email_sender: write the address that messages come from, of a domain that SES has verified"
        if self.public_url and not PUBLIC_URL.fullmatch(self.public_url):
            yield "public_url: begins with https:// and names no query; blank for the API's own address"
        if bool(self.domain_name) != bool(self.certificate_arn):
            yield self._problem_of_half_a_domain()
        if self.domain_name and not DOMAIN.fullmatch(self.domain_name):
            yield "domain_name: a domain in lower case, such as hooks.example.com; blank for none"
        if self.certificate_arn and not CERTIFICATE.fullmatch(self.certificate_arn):
            yield "certificate_arn: the ARN of a certificate of ACM (aws acm list-certificates); blank for none"
        if self.truststore_uri and not TRUSTSTORE.fullmatch(self.truststore_uri):
            yield "truststore_uri: a file in S3, such as s3://BUCKET/authority.pem; blank for none"
        for origin in self.in_app_origins.split():
            if not ORIGIN.fullmatch(origin):
                yield f"in_app_origins: {origin} is no origin; write each as https://www.example.com, blanks between"
        if self.truststore_uri and not self.domain_name:
            yield "domain_name: write the domain whose clients present a certificate; or blank truststore_uri"

    def _problem_of_half_a_domain(self) -> str:
        if self.domain_name:
            return (
                f"certificate_arn: write the ARN of the certificate for {self.domain_name}, of ACM in the region of "
                "the stage; or blank domain_name"
            )
        return "domain_name: write the domain that the certificate is for; or blank certificate_arn"

    def _problems_of_console(self) -> Iterator[str]:
        own = self.console not in {"", COGNITO}
        if own and not PUBLIC_URL.fullmatch(self.console):
            yield f"console: {COGNITO}, or the https address of your issuer; blank for no console"
        for field in ("console_client_id", "console_roles_claim"):
            if own and not getattr(self, field):
                yield f"{field}: write the one of your issuer, since console names it"
            elif not own and getattr(self, field):
                yield f"{field}: of your own issuer only; blank it, or write the issuer's address as console"

    def _problems_of_alarms(self) -> Iterator[str]:
        if self.keep_data and not self.alarm_email:
            yield "alarm_email: write the address that alarms notify; a stage that keeps its data needs one"
        elif self.rollout != ALL_AT_ONCE and not self.alarm_email:
            yield f"rollout: a gradual one goes back by alarms: write alarm_email, or {ALL_AT_ONCE}"
        if self.rollout not in ROLLOUTS:
            yield f"rollout: one of {', '.join(ROLLOUTS)}"

    def _problems_of_numbers(self) -> Iterator[str]:
        if self.log_retention_days not in LOG_RETENTIONS:
            yield f"log_retention_days: one of {', '.join(map(str, LOG_RETENTIONS))}"
        for field in ("event_concurrency", "delivery_concurrency"):
            if not MIN_CONCURRENCY <= getattr(self, field) <= MAX_CONCURRENCY:
                yield f"{field}: between {MIN_CONCURRENCY} and {MAX_CONCURRENCY}"
        if self.webhook_concurrency < 0:
            yield "webhook_concurrency: 0 to reserve none, or how much to reserve"
        for field in ("requests_per_second", "requests_burst"):
            if getattr(self, field) < 1:
                yield f"{field}: a whole number above 0"
        for source, numbers in self.throttles.items():
            if not _is_throttle(numbers):
                yield f"throttles.{source}: two whole numbers, [requests per second, burst]"

    def _problems_of_texts(self) -> Iterator[str]:
        """Of what is written as AWS or a standard writes it."""
        if self.phone_region and not COUNTRY.fullmatch(self.phone_region):
            yield "phone_region: the ISO 3166 code of a country, such as US; blank for none"
        if self.sms_origination and not ORIGINATION.fullmatch(self.sms_origination):
            yield "sms_origination: the ARN of a phone-number, pool or sender-id of sms-voice"
        if self.whatsapp_phone_number_id and not self.whatsapp_phone_number_id.startswith(PHONE_NUMBER_ID):
            yield f"whatsapp_phone_number_id: begins with {PHONE_NUMBER_ID}"
        if self.bedrock_model and not BEDROCK_MODEL.fullmatch(self.bedrock_model):
            yield "bedrock_model: an id as `aws bedrock list-foundation-models` or `list-inference-profiles` has it"
        if self.table_stream_arn and not TABLE_STREAM.fullmatch(self.table_stream_arn):
            yield (
                "table_stream_arn: the ARN of the stream of a table (aws dynamodb describe-table, LatestStreamArn); "
                "blank for the stack's own table"
            )


def _problem(field: str, kind: Any, given: Mapping[str, Any]) -> str:
    if field not in given:
        return f"{field}: missing"
    kind = get_origin(kind) or kind
    if type(given[field]) is not kind:
        return f"{field}: {kind.__name__} expected, not {given[field]!r}"
    return ""


def _is_throttle(numbers: Any) -> bool:
    if not isinstance(numbers, list) or len(numbers) != len(Throttle._fields):
        return False
    return all(type(one) is int and one > 0 for one in numbers)


def _error_message(name: str, problems: list[str]) -> str:
    return "\n".join(f"cdk.json: stages.{name}: {problem}" for problem in problems if problem)
