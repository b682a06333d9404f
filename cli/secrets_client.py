"""The secrets of version 0.2, copied into the stage's secret with the operator's own credentials."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from cairn.adapters import aws
from cairn.adapters.pages.links import SECRET
from cairn.adapters.secrets_manager import DRAWN, Part, object_in, read_version
from cairn.domain.shared.errors import CairnError

OF_BEFORE: Mapping[Part, str] = MappingProxyType(
    {Part.WEBHOOK_ENDPOINTS: "SubscribersSecretArn", Part.LINKS: "LinksSecretArn"}
)
"""The output that names the secret of before, by the part that it becomes. Links are last: check_identity_key takes
their label as the sign that all are joined.
"""


class JoinError(CairnError):
    """Nothing can be joined; the message says what to do."""


@dataclass(frozen=True, slots=True)
class SecretsOfBefore:
    """The stage's secret, and those of before that its data stack still has, by the part that each becomes."""

    secrets: Any
    secret_id: str
    arns: Mapping[Part, str]

    @classmethod
    def of_stack(cls, name: str) -> Self:
        (stack,) = aws.client("cloudformation").describe_stacks(StackName=f"{name}-Data")["Stacks"]
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        return cls.among(aws.client("secretsmanager"), outputs)

    @classmethod
    def among(cls, secrets: Any, outputs: Mapping[str, str]) -> Self:
        """Found by the outputs of the data stack. Raises JoinError where it has no secret of sources."""
        if "SourcesSecretArn" not in outputs:
            raise JoinError("this stack puts out no SourcesSecretArn: is it a data stack of Cairn?")
        arns = {part: outputs[output] for part, output in OF_BEFORE.items() if output in outputs}
        return cls(secrets, outputs["SourcesSecretArn"], arns)

    def unjoined(self) -> dict[Part, dict[str, Any]]:
        """The content of before, by the part that lacks it.

        The later of two versions counts: one that was written into the stage's secret after the one of before stays.
        Raises JoinError where links had no secret.
        """
        found = {}
        for part, arn in self.arns.items():
            old = read_version(self.secrets, arn)
            new = read_version(self.secrets, self.secret_id, part)
            content = {name: value for name, value in object_in(old).items() if name != DRAWN}
            if part is Part.LINKS and SECRET not in content:
                raise JoinError(f"the secret of {arn} has no field {SECRET}: put it back first")
            is_old_later = not new or old["CreatedDate"] > new["CreatedDate"]
            if content and is_old_later and content != object_in(new):
                found[part] = content
        return found

    def copy(self, part: Part, content: Mapping[str, Any]) -> None:
        """Into a new version with the part's label. The version of the sources stays the current one."""
        self.secrets.put_secret_value(
            SecretId=self.secret_id, SecretString=json.dumps(dict(content)), VersionStages=[part.value]
        )
