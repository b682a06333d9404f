"""List prices in USD, us-east-1, without free tiers, and who says so. The one place for them."""

from dataclasses import dataclass
from enum import StrEnum

DATED = "November 2026"
MILLION = 1_000_000


class Source(StrEnum):
    API = "https://aws.amazon.com/api-gateway/pricing/"
    LAMBDA = "https://aws.amazon.com/lambda/pricing/"
    DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
    SQS = "https://aws.amazon.com/sqs/pricing/"
    SNS = "https://aws.amazon.com/sns/pricing/"
    SCHEDULER = "https://aws.amazon.com/eventbridge/pricing/"
    SES = "https://aws.amazon.com/ses/pricing/"
    CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
    XRAY = "https://aws.amazon.com/xray/pricing/"
    SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"
    KMS = "https://aws.amazon.com/kms/pricing/"
    STEP_FUNCTIONS = "https://aws.amazon.com/step-functions/pricing/"
    FIREHOSE = "https://aws.amazon.com/firehose/pricing/"
    MESSAGING = "https://aws.amazon.com/end-user-messaging/pricing/"
    TEMPORAL = "https://docs.temporal.io/cloud/pricing"


@dataclass(frozen=True, slots=True)
class Price:
    what: str
    usd: float
    per: int
    """So many of them cost that."""
    source: Source
    confirmed: bool = True

    def of(self, number: float) -> float:
        return number * self.usd / self.per


HTTP_REQUEST = Price("HTTP API request", 1.00, MILLION, Source.API)
INVOCATION = Price("Lambda invocation", 0.20, MILLION, Source.LAMBDA)
GB_SECOND = Price("Lambda GB-second, arm64", 13.3334, MILLION, Source.LAMBDA)
WRITE_UNIT = Price("DynamoDB write unit, on demand", 0.625, MILLION, Source.DYNAMODB)
READ_UNIT = Price("DynamoDB read unit, on demand", 0.125, MILLION, Source.DYNAMODB)
GB_STORED = Price("DynamoDB GB-month stored", 0.25, 1, Source.DYNAMODB)
GB_BACKED_UP = Price("DynamoDB GB-month of point-in-time recovery", 0.20, 1, Source.DYNAMODB)
SQS_REQUEST = Price("SQS request, standard", 0.40, MILLION, Source.SQS)
FIFO_REQUEST = Price("SQS request, FIFO", 0.50, MILLION, Source.SQS)
SNS_REQUEST = Price("SNS request", 0.50, MILLION, Source.SNS)
SCHEDULE = Price("EventBridge Scheduler invocation", 1.00, MILLION, Source.SCHEDULER)
EMAIL = Price("SES e-mail", 100.00, MILLION, Source.SES)
LOG_GB = Price("CloudWatch Logs GB ingested", 0.50, 1, Source.CLOUDWATCH)
FIREHOSE_GB = Price("Firehose GB ingested", 0.029, 1, Source.FIREHOSE)
METRIC = Price("CloudWatch metric, a month", 0.30, 1, Source.CLOUDWATCH)
METRIC_ASKED = Price("CloudWatch metric asked for (GetMetricData)", 0.01, 1000, Source.CLOUDWATCH)
ALARM = Price("CloudWatch alarm of one metric, a month", 0.10, 1, Source.CLOUDWATCH)
COMPOSITE_ALARM = Price("CloudWatch composite alarm, a month", 0.50, 1, Source.CLOUDWATCH)
TRACE = Price("X-Ray trace recorded", 5.00, MILLION, Source.XRAY)
SECRET = Price("Secrets Manager secret, a month", 0.40, 1, Source.SECRETS)
SECRET_CALL = Price("Secrets Manager call", 5.00, MILLION, Source.SECRETS)
KEY = Price("KMS key, a month", 1.00, 1, Source.KMS)
TRANSITION = Price("Step Functions Standard transition", 25.00, MILLION, Source.STEP_FUNCTIONS)
DURABLE_OPERATION = Price("Lambda durable function operation", 8.00, MILLION, Source.LAMBDA, confirmed=False)
DURABLE_GB = Price("Lambda durable function GB written", 0.25, 1, Source.LAMBDA, confirmed=False)
DURABLE_GB_MONTH = Price("Lambda durable function GB-month kept", 0.15, 1, Source.LAMBDA, confirmed=False)
ACTION = Price("Temporal Cloud action", 50.00, MILLION, Source.TEMPORAL)

PRICES = tuple(one for one in list(globals().values()) if isinstance(one, Price))
"""Those of docs/performance.md, and those of messages below."""

PUSH = Price("SNS mobile push notification", 0.50, MILLION, Source.SNS)
IN_APP = Price("In-app message: the write that stores it, of 1 KB", 0.625, MILLION, Source.DYNAMODB)
WHATSAPP = Price("WhatsApp message, without Meta's fee", 0.005, 1, Source.MESSAGING, confirmed=False)
# A text's price is that of its country: authoring/preflight/prices.toml.

CPU_TO_DURATION = 3.5
"""A function with 512 MB has about 0.29 of a CPU, so that a millisecond of CPU lasts 3.5."""
CALL_MS = 8.0
"""Milliseconds that a function waits for each call of AWS; assumed, within one region."""
