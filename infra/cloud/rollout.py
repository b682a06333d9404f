"""The gradual rollout: CodeDeploy leads a part of the invocations to a new version, then all, or back by an alarm."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from cairn.telemetry import DEAD_LETTERED
from infra.cloud.alarms import PERIOD, Alarms, AlarmTopic, Functions, add_alarm
from infra.cloud.function import LIVE, Function
from infra.cloud.nag import acknowledge
from infra.cloud.stage import ROLLOUTS, Stage

ENGINE_ALARMS = (
    "ProcessEventErrors",
    "RelayEffectsErrors",
    "DeliverMessageErrors",
    "WatchStopped",
    "ApiErrors",
)
"""Of infra/cloud/alarms.py: what shows a new version that cannot start, or dies."""


class Rollout(Construct):
    """A deployment group for each function that has an alias, all of them watching the same alarms.

    CodeDeploy does not begin while one of them is red, so they count what is new: a dead letter of before, which may
    wait for this very deployment, is none.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        stage: Stage,
        functions: Functions,
        alarms: Alarms,
        topic: AlarmTopic,
    ) -> None:
        super().__init__(scope, "Rollout")
        watched = [self._existing(alarms, name) for name in ENGINE_ALARMS]
        watched.append(self._dead_lettered(stage, topic))
        application = codedeploy.LambdaApplication(self, "Application")
        published = [one for one in functions if one is not None and one is not functions.check]
        role = self._role(published)
        configuration = codedeploy.LambdaDeploymentConfig.from_lambda_deployment_config_name(
            self, "Configuration", f"CodeDeployDefault.{ROLLOUTS[stage.rollout]}"
        )
        for function in published:
            codedeploy.LambdaDeploymentGroup(
                self,
                function.node.id,
                application=application,
                role=role.without_policy_updates(),
                alias=function.live,
                deployment_config=configuration,
                alarms=watched,
                # A rollout that was stopped by hand would leave the alias between two versions, and the next one fails.
                auto_rollback=codedeploy.AutoRollbackConfig(stopped_deployment=True),
            )

    @staticmethod
    def _existing(alarms: Alarms, name: str) -> cloudwatch.Alarm:
        alarm = alarms.node.find_child(name)
        assert isinstance(alarm, cloudwatch.Alarm)  # noqa: S101 - our own construct, for the types
        return alarm

    def _dead_lettered(self, stage: Stage, topic: AlarmTopic) -> cloudwatch.Alarm:
        """A record that an error of the code meets is dead-lettered alone: no error of the function shows it."""
        return add_alarm(
            self,
            "DeadLettered",
            cloudwatch.Metric(
                namespace=stage.metrics_namespace, metric_name=DEAD_LETTERED, period=PERIOD, statistic="Sum"
            ),
            topic=topic,
            above=0,
            means="a function has dead-lettered something just now; a rollout goes back",
            notify_when_over=False,  # five minutes without another one say nothing about those that lie there
        )

    def _role(self, functions: Sequence[Function]) -> iam.Role:
        """What CodeDeploy may do, for all groups: no more than its work on these aliases.

        AWS's own policy for it has every alias of the account in it, besides bundles in S3 and hooks, which we lack.
        https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForLambdaLimited.html
        """
        shift = iam.PolicyStatement(
            actions=["lambda:GetAlias", "lambda:UpdateAlias"],
            resources=[arn for one in functions for arn in (one.function_arn, f"{one.function_arn}:{LIVE}")],
        )
        look = iam.PolicyStatement(
            actions=["cloudwatch:DescribeAlarms", "lambda:GetProvisionedConcurrencyConfig"], resources=["*"]
        )
        role = iam.Role(
            self,
            "Role",
            description="CodeDeploy leads the aliases from version to version",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            # In the role itself: a group is of no use before it.
            inline_policies={"Rollout": iam.PolicyDocument(statements=[shift, look])},
        )
        acknowledge(
            role, "AwsSolutions-IAM5[Resource::*]", because="of any resource it may only ask what state it is in"
        )
        return role
