"""serve_console: started by the HTTP API for browsers, signs operators in and shows them the console."""

from functools import partial
from typing import Any

from cairn.settings import ServeConsoleSettings
from infra.cloud.functions.manage_api import ManageApi
from infra.cloud.operators import Issuer


class ServeConsole(ManageApi):
    """It carries out what manage_api does, for users who signed in; so it may do the same."""

    def __init__(self, scope: Any, *, issuer: Issuer, **parts: Any) -> None:
        made_of = partial(
            ServeConsoleSettings,
            console_issuer=issuer.url,
            console_client_id=issuer.client_id,
            console_roles_claim=issuer.roles_claim,
        )
        super().__init__(scope, name="serve_console", made_of=made_of, **parts)
