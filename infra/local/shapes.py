"""The events of Lambda's triggers, in the shapes that AWS documents."""

import base64
import re
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cairn.adapters.in_app.api import ROUTES as IN_APP_ROUTES
from cairn.domain.operations.actor import Actor
from cairn.domain.shared.hashing import short_hash

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
    """API Gateway HTTP API, payload format 2.0: lower-case headers; a body that is not text is in base64."""
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


def webhook_event(  # noqa: PLR0913, PLR0917  one argument for each part of a request
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    source: str,
    known: Container[str],
    now: datetime,
) -> Shape:
    """A request to /webhooks or /events. A known source has its own route, without a parameter that names it."""
    if not source:
        return http_api_event(method, url, headers, body, path_parameters={}, now=now, route="/events")
    own = method == "POST" and source in known
    route = f"/webhooks/{source}" if own else "/webhooks/{source}"
    parameters = {} if own else {"source": source}
    return http_api_event(method, url, headers, body, path_parameters=parameters, now=now, route=route)


CONSOLE = "/console"
PARAMETER = re.compile(r"{(\w+)\+?}")
"""In the path of a route."""

TASKS = "/tasks/{token}"
"""The route of members' links."""


def link_event(method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Shape:
    """A request to the link of a message."""
    kind, token = (unquote(one) for one in urlsplit(url).path.strip("/").split("/", 1))
    route = f"/{kind}/{{token}}"
    return http_api_event(method, url, headers, body, path_parameters={"token": token}, now=now, route=route)


def in_app_event(method: str, url: str, headers: Mapping[str, str], now: datetime) -> Shape:
    """A request to the in-app inbox. Raises StopIteration where the API has no route for it."""
    parts = urlsplit(url)
    shapes = ((path, PARAMETER.sub(r"(?P<\1>[^/]+)", path)) for verb, path in IN_APP_ROUTES if verb == method)
    route, found = next((path, found) for path, shape in shapes if (found := re.fullmatch(shape, parts.path)))
    shape = http_api_event(method, url, headers, b"", path_parameters=found.groupdict(), now=now, route=route)
    query = dict(parse_qsl(parts.query))
    return shape | ({"queryStringParameters": query} if query else {})


def manage_event(  # noqa: PLR0913, PLR0917  one argument for each part of a request
    method: str, url: str, headers: Mapping[str, str], body: bytes, actor: str, now: datetime
) -> Shape:
    """A request to /manage that IAM has authorised; without an actor, one that it has not."""
    shape = http_api_event(method, url, headers, body, path_parameters={}, now=now)
    query = dict(parse_qsl(urlsplit(url).query))
    shape |= {"queryStringParameters": query} if query else {}
    shape["requestContext"] |= {"authorizer": {"iam": _iam(actor)}} if actor else {}
    return shape


def console_event(method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Shape:
    """A request to the console. API Gateway lists the cookies apart."""
    base = CONSOLE if urlsplit(url).path == CONSOLE else f"{CONSOLE}/{{proxy+}}"
    shape = http_api_event(method, url, headers, body, path_parameters={}, now=now, route=base)
    shape["headers"] |= {"x-forwarded-proto": urlsplit(url).scheme}
    cookies = shape["headers"].pop("cookie", "")
    return shape | ({"cookies": [one.strip() for one in cookies.split(";")]} if cookies else {})


def signed_in(name: str) -> Actor:
    """The operator who asks a laptop's server, with the identity that /manage knows of the same name."""
    iam = _iam(name)
    return Actor.of_aws(arn=iam["userArn"], account=iam["accountId"], user_id=iam["userId"])


def _iam(actor: str) -> Shape:
    """The user as IAM's authorizer reports it. Of a role it is the role's id and the session's name: `AROA…:ada`."""
    session = actor.rpartition("/")[2]
    user_id = f"AROA{short_hash(actor, length=17).upper()}:{session}" if ":assumed-role/" in actor else ""
    user_id = user_id or f"AIDA{short_hash(actor, length=17).upper()}"
    unknown = {"cognitoIdentity": None, "principalOrgId": None}
    return {
        "accessKey": "local",
        "accountId": ACCOUNT,
        "callerId": user_id,
        "userArn": actor,
        "userId": user_id,
    } | unknown


def sqs_event(queue_arn: str, messages: list[Shape]) -> Shape:
    """The event of an SQS event source mapping, from the messages of ReceiveMessage."""
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
    """The event of a DynamoDB stream's event source mapping, from the records of GetRecords."""
    return {"Records": [{**record, "eventSourceARN": stream_arn, "dynamodb": _change(record)} for record in records]}


def rule_event(rule: str, now: datetime) -> Shape:
    """The event of an EventBridge rule with a schedule."""
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
