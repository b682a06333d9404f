"""Timers of fifteen minutes and more: one EventBridge schedule each, deleted once it has fired."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.cloud.function import Function
from infra.cloud.nag import acknowledge
from infra.cloud.queues import WorkQueue
from infra.cloud.removal import removal
from infra.cloud.stage import Stage


class Schedules(Construct):
    """A group of schedules, and their role, which may only post to the given queues.

    What it cannot post it posts to the queue's dead-letter queue. A stage that keeps its data retains group and queues,
    so the role as well: a timer without a role is lost when it is due.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, targets: list[WorkQueue]) -> None:
        super().__init__(scope, id_)
        # A name of our own: timers and permissions refer to it.
        self.group_name = f"cairn-{stage.name}"
        self.group = scheduler.ScheduleGroup(
            self, "Group", schedule_group_name=self.group_name, removal_policy=removal(stage)
        )
        stack = Stack.of(self)
        post = iam.PolicyStatement(
            actions=["sqs:SendMessage"],
            resources=list(
                dict.fromkeys(one for queue in targets for one in (queue.queue_arn, queue.dead_letters.queue_arn))
            ),
        )
        self.role = iam.Role(
            self,
            "Role",
            description="EventBridge Scheduler posts wake-ups and messages that are due",
            # Only this account's schedules, and of those only this group's, may act with the role.
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={
                    "StringEquals": {
                        "aws:SourceAccount": stack.account,
                        "aws:SourceArn": self.group.schedule_group_arn,
                    }
                },
            ),
            # In the role itself: a policy of its own would be deleted with the stack.
            inline_policies={"Post": iam.PolicyDocument(statements=[post])},
        )
        self.role.apply_removal_policy(removal(stage))

    @property
    def schedules_arn(self) -> str:
        """Every schedule of the group."""
        return Stack.of(self).format_arn(service="scheduler", resource="schedule", resource_name=f"{self.group_name}/*")

    def let_cancel(self, function: Function) -> None:
        """Let a function list and delete schedules of the group."""
        function.may("scheduler:DeleteSchedule", on=self.schedules_arn)
        function.may("scheduler:ListSchedules", on="*")  # it has no resource
        self._acknowledge(function)

    def let_set(self, function: Function) -> None:
        """Let a function create schedules of the group, with the group's role and no other."""
        function.may("scheduler:CreateSchedule", on=self.schedules_arn)
        self._acknowledge(function)
        function.may(
            "iam:PassRole",
            on=self.role.role_arn,
            when={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        )

    def _acknowledge(self, function: Function) -> None:
        acknowledge(
            function.execution_role,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>"
            f":schedule/{self.group_name}/*]",
            because="a schedule is named after what it brings; the group holds nothing else",
        )
