"""The app of one stage: two stacks, checked by cdk-nag."""

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.cloud.bundle import Bundle
from infra.cloud.data_stack import DataStack
from infra.cloud.engine_stack import EngineStack
from infra.cloud.stage import Stage


def add_stacks(app: App, stage: Stage, *, bundle: Bundle) -> tuple[DataStack, EngineStack]:
    """Both stacks of a stage."""
    data = DataStack(app, f"Cairn-{stage.name}-Data", stage=stage)
    engine = EngineStack(app, f"Cairn-{stage.name}", stage=stage, data=data, bundle=bundle)
    for stack in (data, engine):
        Tags.of(stack).add("cairn:stage", stage.name)
    return data, engine


def add_nag_checks(app: App) -> None:
    """Make synth fail on a finding of cdk-nag that is neither mended nor acknowledged."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
