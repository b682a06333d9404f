"""The two secrets of a stage: the identity key, and one for all that people edit."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cairn.adapters.pages.links import SECRET
from cairn.adapters.secrets_manager import DRAWN, IDENTITY_KEY, Part
from infra.cloud.function import Function
from infra.cloud.nag import acknowledge
from infra.cloud.removal import removal
from infra.cloud.stage import Stage

LENGTH = 64
"""Letters and digits: 380 bits."""


class _GeneratedSecret(secretsmanager.Secret):
    """A JSON object with one field, whose random value Secrets Manager draws at the first deployment.

    No secret passes through the template, and no later deployment overwrites what stands there. CloudFormation draws
    another value when a property of `generate_secret_string` changes: they stay as they are.
    """

    def __init__(  # noqa: PLR0913  what CloudFormation wants to know of a secret
        self,
        scope: Construct,
        id_: str,
        *,
        stage: Stage,
        description: str,
        key: str,
        because: str,
        length: int | None = None,
    ) -> None:
        super().__init__(
            scope,
            id_,
            description=f"Cairn: {description}",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 - an empty object
                generate_string_key=key,
                password_length=length,
                exclude_punctuation=True if length else None,
            ),
            removal_policy=removal(stage),
        )
        acknowledge(self, "AwsSolutions-SMG4", because=because)


class IdentitySecret(_GeneratedSecret):
    """The identity key (docs/operations.md): a JSON object with the field `key`.

    With another key no customer is found any more.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            stage=stage,
            description="the identity key. Never change it; back it up (docs/operations.md)",
            key=IDENTITY_KEY,
            length=LENGTH,
            because="customer ids are made with it: with another key every customer would be a new one",
        )


class StageSecret(_GeneratedSecret):
    """The secrets that people edit, a version for each part (adapters/secrets_manager.Part).

    Secrets Manager draws one value, under a name that nobody has. The first deployment signs links with it
    (check_identity_key).
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            stage=stage,
            description="JSON object of source: signing secret, or list of secrets during a rotation",
            key=DRAWN,
            because="vendors draw their secrets, and who gets our webhooks must have a new one first: people list both",
        )

    def let_read(self, function: Function, part: Part) -> None:
        """Read this part, and none of the others.

        The policy has another name in the template than in version 0.2. So CloudFormation creates it, replaces the
        function, and deletes the old policy last: the function that still runs keeps its right to the secret of before.
        """
        function.may(
            "secretsmanager:GetSecretValue",
            on=self.secret_arn,
            when={"ForAnyValue:StringEquals": {"secretsmanager:VersionStage": [part.value]}},
        )
        policy = function.execution_role.node.find_child("DefaultPolicy").node.default_child
        assert isinstance(policy, iam.CfnPolicy)  # noqa: S101 - the construct library's promise, for the types
        policy.override_logical_id(f"{function.node.id}Policy")


class WebhookEndpointsSecretOfBefore(_GeneratedSecret):
    """Our signing secret for each webhook endpoint, until version 0.2: a secret of its own."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            stage=stage,
            description="JSON object of subscriber: signing secret (whsec_…), or list of secrets during a rotation",
            key=DRAWN,
            because="it goes with the next deployment",
        )


class LinksSecretOfBefore(_GeneratedSecret):
    """The signing secret of links, until version 0.2: a secret of its own, with the field `links`."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            stage=stage,
            description="JSON object with the field links: signing secret, or list of secrets, the newest first",
            key=SECRET,
            length=LENGTH,
            because="it goes with the next deployment",
        )
