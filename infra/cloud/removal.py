"""What becomes of a resource that holds something when its stack, or its name in the stack, goes."""

from aws_cdk import RemovalPolicy

from infra.cloud.stage import Stage


def removal(stage: Stage) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY
