"""The removal policy of resources that store data."""

from aws_cdk import RemovalPolicy

from infra.cloud.stage import Stage


def removal(stage: Stage) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if stage.keep_data else RemovalPolicy.DESTROY
