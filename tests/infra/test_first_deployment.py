"""A first deployment that fails can be repeated: it leaves nothing in the way."""

from tests.infra.conftest import Templates

RETAINED = {
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::S3::Bucket",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
}
"""What a stage that keeps its data keeps: data, and what timers need to come through."""


def test_what_is_retained_is_still_deleted_when_its_creation_fails(prod: Templates) -> None:
    retained = prod.retained().values()

    assert {kind for kind, _, _ in retained} == RETAINED
    assert {policies for _, *rest in retained for policies in [tuple(rest)]} == {("RetainExceptOnCreate", "Retain")}


def test_a_stage_that_does_not_keep_its_data_retains_nothing(dev: Templates) -> None:
    assert dev.retained() == {}


def test_the_table_which_refuses_to_be_deleted_is_created_last(prod: Templates) -> None:
    """A rollback deletes what was created, and cannot delete this table: so nothing may fail after it."""
    (table,) = [one for one in prod.data["Resources"].values() if one["Type"] == "AWS::DynamoDB::Table"]

    others = {name for name, one in prod.data["Resources"].items() if one is not table}
    assert others - set(table["DependsOn"]) == {"CDKMetadata"} & others


def test_timers_that_outlive_the_stack_keep_their_group_role_and_queues(prod: Templates) -> None:
    retained = prod.retained()
    roles = prod.all("AWS::IAM::Role")
    ((role, timers),) = [(name, one) for name, one in roles.items() if name.startswith("SchedulesRole")]

    (policy,) = timers["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    queues = {resource["Fn::GetAtt"][0] for resource in statement["Resource"]}
    trusted = timers["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]["aws:SourceArn"]
    assert len(queues) == 7
    assert {role, trusted["Fn::GetAtt"][0]} | queues <= retained.keys()
    assert [name for name, (kind, *_) in retained.items() if kind == "AWS::IAM::Role"] == [role]
