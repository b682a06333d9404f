"""serve_console: started by the HTTP API for browsers, signs operators in and shows them the console."""

from functools import partial
from typing import Any

from cairn.adapters.secrets_manager import Part
from cairn.settings import ServeConsoleSettings
from infra.cloud.functions.manage_api import ManageApi
from infra.cloud.operators import Issuer
from infra.cloud.secrets import StageSecret


class ServeConsole(ManageApi):
    """It carries out what manage_api does, for users who signed in; so it may do the same."""

    def __init__(self, scope: Any, *, issuer: Issuer, secret: StageSecret, **parts: Any) -> None:
        made_of = partial(
            ServeConsoleSettings,
            stage_secret_id=secret.secret_arn,
            console_issuer=issuer.url,
            console_client_id=issuer.client_id,
            console_roles_claim=issuer.roles_claim,
        )
        super().__init__(scope, name="serve_console", made_of=made_of, **parts)
        secret.let_read(self, Part.LINKS)
