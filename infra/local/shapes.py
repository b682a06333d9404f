"""The events that Lambda's triggers make, in the shapes that AWS documents for them."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

REGION = "us-east-1"
ACCOUNT = "123456789012"

Shape = dict[str, Any]


def http_api_event(  # noqa: PLR0913  one argument for each part of a request
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    path_parameters: Mapping[str, str],
    now: datetime,
    route: str = "",
) -> Shape:
    """API Gateway HTTP API, payload format 2.0: lower-case headers, a body that is not text in base64."""
    parts = urlsplit(url)
    route_key = f"{method} {route or parts.path}"
    try:
        text, encoded = body.decode("utf-8"), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(body).decode(), True
    shape: Shape = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": {name.lower(): value for name, value in headers.items()},
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": parts.netloc,
            "domainPrefix": "local",
            "http": {
                "method": method,
                "path": parts.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": "local",
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "body": text,
        "isBase64Encoded": encoded,
    }
    return shape | ({"pathParameters": dict(path_parameters)} if path_parameters else {})


def sqs_event(queue_arn: str, messages: list[Shape]) -> Shape:
    """What an SQS event source mapping hands over, from what ReceiveMessage gave."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {
                    name: {"dataType": value["DataType"], "stringValue": value.get("StringValue")}
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": REGION,
            }
            for message in messages
        ],
    }


def stream_event(stream_arn: str, records: list[Shape]) -> Shape:
    """What a DynamoDB stream's event source mapping hands over, from what GetRecords gave."""
    return {"Records": [{**record, "eventSourceARN": stream_arn, "dynamodb": _change(record)} for record in records]}


def rule_event(rule: str, now: datetime) -> Shape:
    """What an EventBridge rule with a schedule starts a function with."""
    return {
        "version": "0",
        "id": "local",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule}"],
        "detail": {},
    }


def _change(record: Shape) -> Shape:
    change = dict(record["dynamodb"])
    created = change.get("ApproximateCreationDateTime")
    return change | ({"ApproximateCreationDateTime": created.timestamp()} if isinstance(created, datetime) else {})
