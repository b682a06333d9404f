"""The removal policy of resources that store data."""

from aws_cdk import RemovalPolicy

from infra.cloud.stage import Stage


def removal(stage: Stage) -> RemovalPolicy:
    """What a stage that keeps its data retains when the stack, or the resource's part of it, is deleted or replaced.

    What a failed deployment has just created is deleted with it (RetainExceptOnCreate): it is empty, and would be in
    the way of the next attempt.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if stage.keep_data else RemovalPolicy.DESTROY
