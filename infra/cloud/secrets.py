"""What the sources sign with."""

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.cloud.nag import acknowledge
from infra.cloud.removal import removal
from infra.cloud.stage import Stage


class SourcesSecret(secretsmanager.Secret):
    """A JSON object of source: secret, put there by a person after the first deployment.

    It is created with one random value under a name that no source has, so that no secret passes through the
    template and no later deployment overwrites what stands there.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            description="Cairn: JSON object of source: signing secret, or list of secrets during a rotation",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - an empty object
                generate_string_key="unused",
            ),
            removal_policy=removal(stage),
        )
        acknowledge(
            self,
            "AwsSolutions-SMG4",
            because="the vendor draws these secrets; one is rotated by listing the new beside the old",
        )
