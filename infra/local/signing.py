"""The secrets of laptops, and new signatures where the laptop's clock was moved."""

from collections.abc import Mapping
from datetime import datetime

from cairn.adapters.feedback.sns_https import SnsSource
from cairn.adapters.sources import AnySource, Sources, sources
from cairn.adapters.sources.key_pairs import stored_secrets
from cairn.application.events.accept_webhook import Request
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.secrets import problem_of_secret
from infra.local.cloud import SOURCES

LOCAL_SECRET = "whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw=="  # noqa: S105  public, and no deployment takes it


def secret_for(source: str, environment: Mapping[str, str]) -> str:
    """`CAIRN_SECRET_<SOURCE>` (upper case, `-` as `_`), else the secret that every laptop has."""
    return environment.get(variable_of(source), LOCAL_SECRET)


def local_secrets(environment: Mapping[str, str], known: Sources | None = None) -> dict[str, str]:
    """The secrets of all sources that the laptop's sources.toml has, and all their tokens."""
    found = known if known is not None else sources(SOURCES)
    names = dict.fromkeys([*found, *found.secret_names(), *found.token_names()])
    return {name: secret_for(name, environment) for name in names}


def stored(secrets: Mapping[str, str], known: Sources) -> dict[str, str | list[str]]:
    """The secrets as a receiver stores them: of a source that signs with a key pair, the public key."""
    return {name: _stored(known[name], one) if name in known else one for name, one in secrets.items()}


def _stored(source: AnySource, secret: str) -> str | list[str]:
    return secret if isinstance(source, SnsSource) else [*stored_secrets(source.scheme, secret)]


def secret_problems(environment: Mapping[str, str], known: Sources | None = None) -> list[str]:
    """The variables of this environment whose secret a deployment would refuse, with the reason."""
    found = known if known is not None else sources(SOURCES)
    given = {name: one for name, one in local_secrets(environment, found).items() if variable_of(name) in environment}
    problems = {name: problem_of_secret(one) or _problem_of_stored(found, name, one) for name, one in given.items()}
    return [f"{variable_of(name)} {problem}" for name, problem in problems.items() if problem]


def _problem_of_stored(known: Sources, name: str, secret: str) -> str:
    found = stored({name: secret}, known)[name]
    problems = (known.problem_of_secret(name, one) for one in ([found] if isinstance(found, str) else found))
    return next((problem for problem in problems if problem), "")


def variable_of(source: str) -> str:
    return "CAIRN_SECRET_" + source.upper().replace("-", "_")


def signed_again(
    source: AnySource, request: Request, secret: str, signed_at: datetime, now: datetime
) -> dict[str, str]:
    """The headers of a request, signed as of now if the signature was genuine, otherwise unchanged.

    A laptop's clock may have been moved by days, and senders sign by the real one.
    """
    headers = dict(request.headers)
    try:
        if not isinstance(source, SnsSource):
            source.scheme.verify(request, stored_secrets(source.scheme, secret), signed_at)
            message_id = headers.get("webhook-id") or headers.get("svix-id") or ""
            own = source.scheme.sign(request, secret, now, message_id)
            headers |= {name.lower(): value for name, value in own.items()}
    except CairnError:
        return headers
    return headers


def wrong_signature(source: AnySource, request: Request, secret: str, signed_at: datetime) -> str:
    """The error in the signature of a request by the sender's clock; empty where it is genuine."""
    try:
        if not isinstance(source, SnsSource):
            source.scheme.verify(request, stored_secrets(source.scheme, secret), signed_at)
    except CairnError as error:
        return str(error)
    return ""
