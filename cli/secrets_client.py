"""The stage's secret, written with the operator's own credentials; and the secrets of version 0.2, copied into it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from cairn.adapters import aws
from cairn.adapters.http.standard_webhooks import problem_of_key
from cairn.adapters.pages.links import SECRET
from cairn.adapters.secrets_manager import DRAWN, Part, ProblemOf, object_in, read_object, read_version
from cairn.adapters.sources import sources
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.secrets import problem_of_secret, usable
from cli.options import SOURCES
from cli.stack import data_outputs

OF_BEFORE: Mapping[Part, str] = MappingProxyType(
    {Part.WEBHOOK_ENDPOINTS: "SubscribersSecretArn", Part.LINKS: "LinksSecretArn"}
)
"""The output that names the secret of before, by the part that it becomes. Links are last: check_identity_key takes
their label as the sign that all are joined.
"""


class SecretsError(CairnError):
    """Nothing can be joined or written; the message says what to do."""


def scheme_problem(part: Part) -> ProblemOf:
    """Why a secret of this part is no key of its signature scheme."""
    match part:
        case Part.SOURCES:
            return sources(SOURCES).problem_of_secret
        case Part.WEBHOOK_ENDPOINTS:
            return lambda _name, secret: problem_of_key(secret)
        case Part.LINKS:
            return lambda _name, _secret: ""


def problem_of(part: Part, name: str, secret: str) -> str:
    """Why a function would refuse this secret, as the end of a sentence without it; empty where it works."""
    return problem_of_secret(secret) or scheme_problem(part)(name, secret)


@dataclass(frozen=True, slots=True)
class StageSecret:
    """The secret of a stage that people edit: a version for each part, which has the part's label."""

    secrets: Any
    secret_id: str

    @classmethod
    def of_stack(cls, name: str) -> Self:
        """Raises SecretsError where the data stack has no secret of sources."""
        return cls(aws.client("secretsmanager"), _id_in(data_outputs(name)))

    def write(self, part: Part, name: str, value: str, *, alone: bool = False) -> bool:
        """Store a secret before those that the name has; False where it stands there so.

        Those of before stay valid, for who still signs with them, unless it is to be `alone`. One that no function
        uses, since it is too short or no text, goes. So does, but from the links, the value that Secrets Manager drew:
        it signs links.
        """
        stored = read_object(self.secrets, self.secret_id, part)
        keeps_drawn = part is Part.LINKS and not alone
        before = [] if alone else [one for one in _secrets_of(stored, name) if one != value]
        content = {one: found for one, found in stored.items() if one != DRAWN or keeps_drawn}
        content[name] = [value, *before] if before else value
        if content == stored:
            return False
        self.secrets.put_secret_value(
            SecretId=self.secret_id, SecretString=json.dumps(content), VersionStages=[part.value]
        )
        return True

    def valid(self, part: Part, name: str) -> int:
        """How many secrets a name has, the drawn one of links included."""
        stored = read_object(self.secrets, self.secret_id, part)
        return len(_secrets_of(stored, name)) + (part is Part.LINKS and DRAWN in stored)


def _secrets_of(stored: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = stored.get(name, [])
    return usable(found if isinstance(found, list) else [found])


def _id_in(outputs: Mapping[str, str]) -> str:
    if "SourcesSecretArn" not in outputs:
        raise SecretsError("this stack puts out no SourcesSecretArn: is it a data stack of Cairn?")
    return outputs["SourcesSecretArn"]


@dataclass(frozen=True, slots=True)
class SecretsOfBefore:
    """The stage's secret, and those of before that its data stack still has, by the part that each becomes."""

    secrets: Any
    secret_id: str
    arns: Mapping[Part, str]

    @classmethod
    def of_stack(cls, name: str) -> Self:
        return cls.among(aws.client("secretsmanager"), data_outputs(name))

    @classmethod
    def among(cls, secrets: Any, outputs: Mapping[str, str]) -> Self:
        """Found by the outputs of the data stack. Raises SecretsError where it has no secret of sources."""
        arns = {part: outputs[output] for part, output in OF_BEFORE.items() if output in outputs}
        return cls(secrets, _id_in(outputs), arns)

    def unjoined(self) -> dict[Part, dict[str, Any]]:
        """The content of before, by the part that lacks it.

        The later of two versions counts: one that was written into the stage's secret after the one of before stays.
        Raises SecretsError where links had no secret.
        """
        found = {}
        for part, arn in self.arns.items():
            old = read_version(self.secrets, arn)
            new = read_version(self.secrets, self.secret_id, part)
            content = {name: value for name, value in object_in(old).items() if name != DRAWN}
            if part is Part.LINKS and SECRET not in content:
                raise SecretsError(f"the secret of {arn} has no field {SECRET}: put it back first")
            is_old_later = not new or old["CreatedDate"] > new["CreatedDate"]
            if content and is_old_later and content != object_in(new):
                found[part] = content
        return found

    def copy(self, part: Part, content: Mapping[str, Any]) -> None:
        """Into a new version with the part's label. The version of the sources stays the current one."""
        self.secrets.put_secret_value(
            SecretId=self.secret_id, SecretString=json.dumps(dict(content)), VersionStages=[part.value]
        )
