"""Each function may do what it does, and no more."""

import json
from collections.abc import Iterator

import pytest

from cairn.adapters.dynamodb.items import AUDIT
from cairn.adapters.dynamodb.sampled_customers import READ
from cairn.adapters.dynamodb.seen import SEEN
from tests.infra.conftest import Json, Templates

SERVICES = (
    "receive_webhook",
    "process_event",
    "relay_effects",
    "deliver_message",
    "record_feedback",
    "serve_preferences",
    "serve_console",
    "serve_tasks",
    "serve_in_app",
    "notify_subscriber",
    "sweep",
    "log_facts",
    "manage_api",
    "erase_customer",
    "import_rows",
    "check_identity_key",
)

KNOWS_NO_RESOURCE = {
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    *("dynamodb:ListStreams", "scheduler:ListSchedules", "cloudwatch:GetMetricData"),
}
"""Actions that AWS grants on * or not at all."""

CONSUMES = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
}
EVERYBODY = {"logs:CreateLogStream", "logs:PutLogEvents"}
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


ADD_TO_AUDIT = {"manage_api", "serve_console", "relay_effects", "sweep", "erase_customer"}
"""The functions that add entries to the audit: orders of operators, of breaker and rules, and receipts of erasures."""

CHANGES = {"UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"}
"""Every action of DynamoDB that changes or deletes items that are there.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def actions_on(statements: list[Json], kind: str) -> set[str]:
    """The actions of the statements whose resources' names begin so."""
    return {
        action
        for statement in statements
        if f'"{kind}' in json.dumps(statement.get("Resource"))
        for action in as_list(statement["Action"])
    }


def every_statement(templates: Templates) -> Iterator[Json]:
    for policy in templates.all("AWS::IAM::Policy").values():
        yield from policy["PolicyDocument"]["Statement"]


@pytest.mark.parametrize(
    ("service", "wanted"),
    [
        (
            "receive_webhook",
            {"sqs:SendMessage", "s3:PutObject", "secretsmanager:GetSecretValue", "dynamodb:UpdateItem"},
        ),
        (
            "process_event",
            {
                "secretsmanager:GetSecretValue",
                *CONSUMES,
                "sqs:SendMessage",
                "s3:GetObject",
                "s3:PutObject",
                "dynamodb:Query",
                "dynamodb:GetItem",
                "dynamodb:BatchGetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
                "dynamodb:ConditionCheckItem",
            },
        ),
        (
            "relay_effects",
            {
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
                *CONSUMES,
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:GetItem",
                "dynamodb:Query",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
                "sqs:SendMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sns:Publish",
                "kms:Decrypt",
                "kms:GenerateDataKey",
                "scheduler:CreateSchedule",
                "iam:PassRole",
            },
        ),
        (
            "deliver_message",
            {
                *CONSUMES,
                "sqs:SendMessage",
                "dynamodb:BatchGetItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
                "scheduler:CreateSchedule",
                "iam:PassRole",
                "ses:SendEmail",
                "ses:SendRawEmail",
                "sns:Publish",
                "secretsmanager:GetSecretValue",
            },
        ),
        (
            "record_feedback",
            {
                *CONSUMES,
                "sqs:SendMessage",
                "s3:PutObject",
                "secretsmanager:GetSecretValue",
                *("dynamodb:GetItem", "dynamodb:UpdateItem"),
            },
        ),
        (
            "erase_customer",
            {
                "secretsmanager:GetSecretValue",
                *CONSUMES,
                "sqs:SendMessage",
                "s3:GetObject",
                "s3:PutObject",
                "dynamodb:Query",
                "dynamodb:GetItem",
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
                "dynamodb:DeleteItem",
                "scheduler:ListSchedules",
                "scheduler:DeleteSchedule",
            },
        ),
        (
            "sweep",
            {
                "dynamodb:GetItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:PutItem",
                "sqs:SendMessage",
                "sqs:GetQueueAttributes",
                "cloudwatch:GetMetricData",
            },
        ),
        ("serve_preferences", {"sqs:SendMessage", "dynamodb:Query", "secretsmanager:GetSecretValue"}),
        (
            "serve_in_app",
            {
                *("dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem"),
                *("sqs:SendMessage", "secretsmanager:GetSecretValue"),
            },
        ),
        (
            "serve_tasks",
            {
                *("dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
                "secretsmanager:GetSecretValue",
            },
        ),
        (
            "manage_api",
            {
                *("athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"),
                *("glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"),
                *("s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
                "secretsmanager:GetSecretValue",
                *("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"),
                *("sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"),
                "dynamodb:BatchGetItem",
                "dynamodb:DescribeTable",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:Scan",
                "dynamodb:UpdateItem",
            },
        ),
        (
            "serve_console",
            {
                *("athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"),
                *("glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"),
                *("s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
                "secretsmanager:GetSecretValue",
                "sqs:SendMessage",
                *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
                *("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
                *("dynamodb:DescribeTable", "dynamodb:Scan", "dynamodb:UpdateItem"),
            },
        ),
        (
            "import_rows",
            {
                "secretsmanager:GetSecretValue",
                "dynamodb:BatchGetItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
            },
        ),
        (
            "check_identity_key",
            {
                "secretsmanager:GetSecretValue",
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:UpdateSecretVersionStage",
                *("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Scan"),
            },
        ),
        (
            "notify_subscriber",
            {
                *CONSUMES,
                "sqs:SendMessage",
                *("dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
                "secretsmanager:GetSecretValue",
                "scheduler:CreateSchedule",
                "iam:PassRole",
                *("ses:SendEmail", "sns:Publish"),
            },
        ),
    ],
)
def test_a_function_has_just_these_permissions(dev: Templates, service: str, wanted: set[str]) -> None:
    allowed = {action for statement in dev.statements(service) for action in as_list(statement["Action"])}

    assert allowed == wanted | EVERYBODY | TRACES


def test_only_a_stage_that_traces_may_write_traces(dev: Templates, prod: Templates) -> None:
    def tracing(stage: Templates) -> set[str]:
        return {name for name in SERVICES if "xray:" in json.dumps(stage.statements(name))}

    assert tracing(dev) == set(SERVICES)
    assert tracing(prod) == set()
    assert (dev.stage.tracing, prod.stage.tracing) == (True, False)


def test_no_action_is_a_pattern(prod: Templates) -> None:
    for statement in every_statement(prod):
        assert not any("*" in action for action in as_list(statement["Action"]))


def test_permissions_name_a_resource_if_the_action_has_one(prod: Templates) -> None:
    for statement in every_statement(prod):
        if statement.get("Resource") == "*":
            assert set(as_list(statement["Action"])) <= KNOWS_NO_RESOURCE


def test_no_function_has_a_managed_policy(prod: Templates) -> None:
    assert not any("ManagedPolicyArns" in role for role in prod.all("AWS::IAM::Role").values())


def on_the_table(statement: Json) -> bool:
    text = json.dumps(statement.get("Resource"))
    return (
        "dynamodb:" in json.dumps(statement["Action"]) and "ExportsOutputFnGetAttTable" in text and "Stream" not in text
    )


def test_no_role_may_change_or_delete_an_entry_of_the_audit(prod: Templates) -> None:
    roles = {role: prod.statements_of(role) for role in prod.all("AWS::IAM::Role")}
    use_the_table = {role: one for role, one in roles.items() if any(map(on_the_table, one))}
    may_add = {prod.function(service)["Role"]["Fn::GetAtt"][0] for service in ADD_TO_AUDIT}

    for role, statements in use_the_table.items():
        (denied,) = [one for one in statements if one["Effect"] == "Deny"]
        additions = set() if role in may_add else {"dynamodb:PutItem", "dynamodb:PartiQLInsert"}
        assert set(denied["Action"]) == {f"dynamodb:{action}" for action in CHANGES} | additions
        assert denied["Condition"] == {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": [AUDIT]}}
        granted = [one["Resource"] for one in statements if on_the_table(one) and "/index/" not in json.dumps(one)]
        assert all(resource == denied["Resource"] for resource in granted), "it holds wherever the table is granted"
    assert len(use_the_table) == 16


def test_only_profiles_may_be_scanned_and_only_the_check_of_a_deployment_may_count(prod: Templates) -> None:
    """Profiles for the operators who try a condition: neither consents nor messages, nor where a customer stands."""
    scans = [one for one in every_statement(prod) if "dynamodb:Scan" in json.dumps(one)]
    profiles = [one for name in ("manage_api", "serve_console") for one in prod.statements(name) if one in scans]

    assert len(profiles) == 2
    for one in profiles:
        assert one["Condition"] == {
            "ForAllValues:StringEquals": {"dynamodb:Attributes": list(READ)},
            "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        }
    (counts,) = [one for one in scans if one not in profiles]
    assert counts in prod.statements("check_identity_key")
    assert counts["Action"] == "dynamodb:Scan"
    assert counts["Condition"] == {"StringEquals": {"dynamodb:Select": "COUNT"}}, "it reads nothing of an item"


def test_each_function_reads_its_own_part_of_the_stages_secret_alone(prod: Templates) -> None:
    read = {service: list(parts_read(prod, service)) for service in SERVICES}

    assert {service: parts for service, parts in read.items() if parts} == {
        "receive_webhook": ["AWSCURRENT"],
        "deliver_message": ["links"],
        "serve_preferences": ["links"],
        "serve_console": ["links"],
        "serve_tasks": ["links"],
        "serve_in_app": ["links"],
        "notify_subscriber": ["webhook-endpoints", "links"],
        "manage_api": ["links"],
    }


def parts_read(templates: Templates, service: str) -> Iterator[str]:
    """The labels of the versions whose value a function may read."""
    for one in templates.statements(service):
        if "secretsmanager:GetSecretValue" in as_list(one["Action"]) and "SourcesSecret" in json.dumps(one["Resource"]):
            yield from one["Condition"]["ForAnyValue:StringEquals"]["secretsmanager:VersionStage"]


def test_the_check_of_a_deployment_reads_no_part_and_moves_the_label_of_links_alone(prod: Templates) -> None:
    on_the_secret = [one for one in prod.statements("check_identity_key") if "SourcesSecret" in json.dumps(one)]

    assert {one["Action"]: one.get("Condition") for one in on_the_secret} == {
        "secretsmanager:ListSecretVersionIds": None,
        "secretsmanager:UpdateSecretVersionStage": {
            "ForAnyValue:StringEquals": {"secretsmanager:VersionStage": ["links"]}
        },
    }


def test_the_check_of_a_deployment_writes_its_own_two_items_alone(prod: Templates) -> None:
    writes = [one for one in prod.statements("check_identity_key") if one["Effect"] == "Allow"]

    keys = {
        action: one["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"]
        for one in writes
        for action in as_list(one["Action"])
        if action in {"dynamodb:PutItem", "dynamodb:UpdateItem"}
    }
    assert keys == {"dynamodb:PutItem": ["identity"], "dynamodb:UpdateItem": ["heard"]}


def test_the_receiver_reads_no_table_and_consumes_no_queue(prod: Templates) -> None:
    statements = prod.statements("receive_webhook")

    (counts,) = [one for one in statements if "dynamodb:" in json.dumps(one["Action"])]
    assert counts["Action"] == "dynamodb:UpdateItem"
    assert counts["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [SEEN]}}
    assert "sqs:ReceiveMessage" not in json.dumps(statements)


@pytest.mark.parametrize(
    ("service", "queues"),
    [
        ("receive_webhook", {"QueuesEvents"}),
        ("process_event", {"QueuesEventsDeadLetters", "QueuesWakesDeadLetters", "QueuesNotices"}),
        (
            "relay_effects",
            {
                *("QueuesWakes", "QueuesMessages", "QueuesMarketing", "QueuesNotices", "QueuesErasures"),
                *("QueuesEffects", "QueuesEffectsDeadLetters", "QueuesStreamDeadLetters", "QueuesEvents"),
            },
        ),
        ("deliver_message", {"QueuesMessages", "QueuesMarketing", "QueuesMessagesDeadLetters", "QueuesFeedback"}),
        ("record_feedback", {"QueuesEvents", "QueuesFeedback", "QueuesFeedbackDeadLetters"}),
        ("erase_customer", {"QueuesErasures", "QueuesErasuresDeadLetters"}),
        ("sweep", {"QueuesWakes", "QueuesMessages", "QueuesMarketing", "QueuesErasures"}),
        ("serve_preferences", {"QueuesEvents"}),
        ("serve_in_app", {"QueuesFeedback"}),
        (
            "manage_api",
            {
                *("QueuesEvents", "QueuesWakes", "QueuesMessages", "QueuesMarketing", "QueuesNotices"),
                *("QueuesFeedback", "QueuesErasures", "QueuesEffects"),
            },
        ),
        ("notify_subscriber", {"QueuesEvents", "QueuesNotices", "QueuesNoticesDeadLetters"}),
    ],
)
def test_a_function_posts_to_its_own_queues(dev: Templates, service: str, queues: set[str]) -> None:
    posted = [one for one in dev.statements(service) if "sqs:SendMessage" in as_list(one["Action"])]

    targets = [
        target
        for one in posted
        for target in (one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]])
    ]
    assert {target["Fn::GetAtt"][0][:-8] for target in targets} == queues


def test_the_resuming_function_queries_only_the_indexes_and_what_was_counted(prod: Templates) -> None:
    queries = [one for one in prod.statements("sweep") if "dynamodb:Query" in as_list(one["Action"])]
    counts, indexes = sorted(queries, key=lambda one: "/index/" in json.dumps(one))

    assert [one["Fn::Join"][1][-1] for one in indexes["Resource"]] == ["/index/gsi1", "/index/gsi2"]
    assert counts["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["arms#*", "health#flow"]}}


def test_the_operators_api_queries_the_due_times_too(prod: Templates) -> None:
    """By which it finds the customers under way in a journey, for `cairn migrate`."""
    queried = [one["Resource"] for one in prod.statements("manage_api") if "dynamodb:Query" in as_list(one["Action"])]
    indexes = [one["Fn::Join"][1][-1] for each in queried for one in as_list(each) if "Fn::Join" in one]

    assert sorted(indexes) == ["/index/gsi1", "/index/gsi2"]


def test_timers_fire_for_our_group_and_reach_our_queues_only(dev: Templates) -> None:
    roles = dev.all("AWS::IAM::Role").items()
    ((name, role),) = [
        (name, role)
        for name, role in roles
        if "scheduler.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])
    ]

    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    (permission,) = dev.statements_of(name)
    (group,) = dev.all("AWS::Scheduler::ScheduleGroup")
    assert trust["Condition"]["StringEquals"] == {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"},
        "aws:SourceArn": {"Fn::GetAtt": [group, "Arn"]},
    }
    assert permission["Action"] == "sqs:SendMessage"
    assert {target["Fn::GetAtt"][0][:-8] for target in permission["Resource"]} == {
        *("QueuesWakes", "QueuesWakesDeadLetters", "QueuesNotices", "QueuesNoticesDeadLetters"),
        *("QueuesMessages", "QueuesMarketing", "QueuesMessagesDeadLetters"),
    }


def test_the_relay_sets_timers_in_our_group_only_and_passes_their_role_only(dev: Templates) -> None:
    statements = {json.dumps(one["Action"]): one for one in dev.statements("relay_effects")}

    schedules = statements['"scheduler:CreateSchedule"']["Resource"]["Fn::Join"][1][-1]
    passing = statements['"iam:PassRole"']
    assert schedules == ":schedule/cairn-dev/*"
    assert passing["Resource"]["Fn::GetAtt"][0].startswith("SchedulesRole")
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}


def test_the_sender_writes_under_the_stages_own_address_only(prod: Templates) -> None:
    (sending,) = [one for one in prod.statements("deliver_message") if "ses:SendEmail" in one["Action"]]

    assert sending["Condition"] == {"StringEquals": {"ses:FromAddress": "hello@example.com"}}


def test_the_sender_publishes_to_phones_and_devices_but_to_no_topic(prod: Templates) -> None:
    phones, devices = [one for one in prod.statements("deliver_message") if one["Action"] == "sns:Publish"]

    assert phones["NotResource"]["Fn::Join"][1][-1] == ":sns:*:*:*"
    assert devices["Resource"]["Fn::Join"][1][-1] == ":endpoint/*"


def test_the_relay_publishes_to_the_topic_of_the_alarms_alone(prod: Templates) -> None:
    (publishing,) = [one for one in prod.statements("relay_effects") if one["Action"] == "sns:Publish"]
    (encrypting,) = [one for one in prod.statements("relay_effects") if "kms:Decrypt" in as_list(one["Action"])]
    actions = {json.dumps(alarm["AlarmActions"]) for alarm in prod.all("AWS::CloudWatch::Alarm").values()}
    (topic,) = [prod.all("AWS::SNS::Topic")[publishing["Resource"]["Ref"]]]

    assert actions == {json.dumps([publishing["Resource"]])}
    assert encrypting["Resource"] == topic["KmsMasterKeyId"]
