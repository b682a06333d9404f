"""Log groups with a retention."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.cloud.stage import LOG_RETENTIONS, Stage

PERIODS = dict(
    zip(
        LOG_RETENTIONS,
        (
            logs.RetentionDays.ONE_DAY,
            logs.RetentionDays.THREE_DAYS,
            logs.RetentionDays.ONE_WEEK,
            logs.RetentionDays.TWO_WEEKS,
            logs.RetentionDays.ONE_MONTH,
            logs.RetentionDays.TWO_MONTHS,
            logs.RetentionDays.THREE_MONTHS,
            logs.RetentionDays.SIX_MONTHS,
            logs.RetentionDays.ONE_YEAR,
            logs.RetentionDays.THIRTEEN_MONTHS,
        ),
        strict=True,
    )
)


class LogGroup(logs.LogGroup):
    """It has no personal data, so it is deleted with its stack."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, name: str | None = None) -> None:
        super().__init__(
            scope,
            id_,
            log_group_name=name,
            retention=PERIODS[stage.log_retention_days],
            removal_policy=RemovalPolicy.DESTROY,
        )
