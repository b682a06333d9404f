"""The identity key of a deployment, with the operator's own credentials: the salt of before, taken into its secret."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from cairn.adapters import aws
from cairn.adapters.dynamodb import table
from cairn.adapters.dynamodb.identity_record import DynamoIdentityRecord
from cairn.adapters.secrets_manager import IDENTITY_SALT, identity_keys_from, read_object
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.secrets import MIN_SECRET_BYTES, problem_of_secret
from cli.stack import data_outputs

VARIABLE = "CAIRN_IDENTITY_SALT"
"""The variable that had the salt, in the functions of before."""


class MoveError(CairnError):
    """A deployment cannot be moved so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class IdentitySecret:
    """The secret of a deployment, and the record in its table of the key that made the customer ids."""

    secrets: Any
    secret_id: str
    record: DynamoIdentityRecord

    @classmethod
    def of_stack(cls, name: str) -> Self:
        """Found by the outputs of the data stack. Raises MoveError where that is not up to date."""
        outputs = data_outputs(name)
        if "IdentitySecretArn" not in outputs:
            raise MoveError(f"stack {name}-Data has no identity secret yet: deploy {name}-Data first")
        secrets = aws.client("secretsmanager")
        table.bind(outputs["TableName"], secrets.meta.region_name)
        return cls(secrets, outputs["IdentitySecretArn"], DynamoIdentityRecord())

    def take(self, salt: str) -> bool:
        """Store the salt beside the drawn key, which stays; False where it stands there. Raises MoveError.

        Nothing is stored that would change the ids of customers whom a deployment has made with this secret.
        """
        stored = read_object(self.secrets, self.secret_id)
        present = stored.get(IDENTITY_SALT)
        if present == salt:
            return False
        if present is not None:
            raise MoveError("the identity secret has another salt: this deployment was moved before")
        if not salt.strip():
            raise MoveError("the salt is blank; name the one that the deployment runs with")
        moved = {**stored, IDENTITY_SALT: salt}
        identity_keys_from(moved)
        if self.record.fingerprint() is not None:
            raise MoveError(
                "a deployment has recorded the identity key already, and customers have ids made with it: with a salt, "
                "each of them would be a new one"
            )
        self.secrets.put_secret_value(SecretId=self.secret_id, SecretString=json.dumps(moved))
        return True


def salt_of_stack(name: str) -> str:
    """The salt that the deployed functions run with. Raises MoveError unless there is exactly one."""
    functions = aws.client("lambda")
    configurations = [functions.get_function_configuration(FunctionName=one) for one in _functions(name)]
    variables = [one.get("Environment", {}).get("Variables", {}) for one in configurations]
    found = {str(one[VARIABLE]) for one in variables if VARIABLE in one}
    if len(found) != 1:
        several = "several salts" if found else "no salt: they are of this version already"
        raise MoveError(f"the functions of {name} have {several}. Give the one of the table with --salt-file")
    return found.pop()


def weakness(salt: str) -> str:
    """What the operator must know of this salt; empty where it is as long as a secret."""
    problem = problem_of_secret(salt)
    return f"The salt {problem} (a secret has {MIN_SECRET_BYTES}): ids that leaked can be tried out." if problem else ""


def _functions(name: str) -> Iterator[str]:
    for page in aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name):
        for one in page["StackResourceSummaries"]:
            if one["ResourceType"] == "AWS::Lambda::Function":
                yield str(one["PhysicalResourceId"])
