"""The actor of a command: the name in the audit, and the identity behind it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

from cairn.domain.shared.errors import NotSignedInError

NOTHING: Mapping[str, str] = MappingProxyType({})

CLIENTS = frozenset({"mcp"})
"""Programs that name themselves in a request, and so in the audit: `mcp` is an assistant that uses `cairn mcp`."""


class Actor(str):
    """A name, usable as the text that it is, with what AWS knows of its bearer.

    A name can be given to another person later, and a session's name is chosen by the person who assumes the role. The
    unique id of the user or role, which AWS never gives twice, distinguishes them.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    """

    __slots__ = ("identity",)

    identity: Mapping[str, str]
    """`account`, `user_id`, and `user`, or `role` and `session`; empty for an automatic actor. `client` where one of
    CLIENTS asked: it is what the request says, and AWS does not vouch for it."""

    def __new__(cls, name: str, identity: Mapping[str, str] = NOTHING) -> Self:
        made = super().__new__(cls, name)
        made.identity = identity
        return made

    @classmethod
    def of_aws(cls, *, arn: str, account: str, user_id: str) -> Self:
        """The actor whom AWS has authenticated. Raises NotSignedInError where any part of the identity is missing."""
        if not (arn.strip() and account.strip() and user_id.strip()):
            raise NotSignedInError("sign the request with credentials of the account (AWS Signature Version 4)")
        return cls(arn, {"account": account, **_principal(arn), "user_id": user_id})

    def by_client(self, client: str) -> Self:
        """The same actor, with the program that asks for them, where it is one of CLIENTS."""
        return type(self)(self, {**self.identity, "client": client}) if client in CLIENTS else self


def identity_of(actor: str) -> Mapping[str, str]:
    """The identity behind a name; empty for one that was not signed in."""
    return actor.identity if isinstance(actor, Actor) else NOTHING


def _principal(arn: str) -> Mapping[str, str]:
    """`arn:aws:sts::<account>:assumed-role/<role>/<session>`, or `arn:aws:iam::<account>:user/<path>/<name>`."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    first, _, last = rest.rpartition("/")
    match kind:
        case "assumed-role" if first:
            return {"role": first, "session": last}
        case "federated-user":
            return {"session": rest}
        case "user":
            return {"user": last}
        case _:
            return {}
