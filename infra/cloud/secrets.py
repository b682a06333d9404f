"""The identity key, and the secrets of sources, of webhook endpoints and of links."""

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cairn.adapters.pages.links import SECRET
from cairn.adapters.secrets_manager import IDENTITY_KEY
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


class _PutByHand(_GeneratedSecret):
    """A JSON object of name: secret, filled by a person after the first deployment.

    Until then it has one random value under a name that nobody has.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, description: str, because: str) -> None:
        super().__init__(scope, id_, stage=stage, description=description, key="unused", because=because)


class SourcesSecret(_PutByHand):
    """The signing secret of each source."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            stage=stage,
            description="JSON object of source: signing secret, or list of secrets during a rotation",
            because="the vendor draws these secrets; one is rotated by listing the new beside the old",
        )


class WebhookEndpointsSecret(_PutByHand):
    """Our signing secret for each webhook endpoint, apart from those of the sources: the functions differ."""

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            stage=stage,
            description="JSON object of subscriber: signing secret (whsec_…), or list of secrets during a rotation",
            because="the subscriber has to be told the new secret first: both sign while it is rotated",
        )


class LinksSecret(_GeneratedSecret):
    """The signing secret of the links in messages: a JSON object with one field, `links`.

    It is rotated by making the field a list, the new one first: the first signs, all verify, until the last link of the
    old one has expired (LINK_VALIDITY).
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id_,
            stage=stage,
            description="JSON object with the field links: signing secret, or list of secrets, the newest first",
            key=SECRET,
            length=LENGTH,
            because="a rotation by itself would break the links of every message sent before; people list both",
        )
