"""The three layers."""

from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.cloud.bundle import Bundle, announced_by, has_deliveries, status_reports_of

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64


class Layers(Construct):
    """Third-party packages, our package, and journeys; each changes without the others."""

    def __init__(self, scope: Construct, id_: str, *, bundle: Bundle) -> None:
        super().__init__(scope, id_)
        self.core = _layer(self, "Core", bundle.core, "the package cairn")
        self.dependencies = _layer(self, "Dependencies", bundle.dependencies, "third-party packages")
        self.journeys = _layer(self, "Journeys", bundle.journeys, "the compiled journeys")
        self.status_reports_heard = status_reports_of(bundle.journeys)
        self.announced = announced_by(bundle.journeys)
        self.has_deliveries = has_deliveries(bundle.journeys)


def _layer(scope: Construct, id_: str, folder: Path, description: str) -> lambda_.LayerVersion:
    return lambda_.LayerVersion(
        scope,
        id_,
        description=f"Cairn: {description}",
        code=lambda_.Code.from_asset(str(folder)),
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[ARCHITECTURE],
    )
