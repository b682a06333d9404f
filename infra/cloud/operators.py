"""The users of the console: those of a Cognito pool, or of the stage's own issuer."""

from typing import NamedTuple

from aws_cdk import Aws, CfnOutput, Fn, Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from cairn.domain.operations.roles import Role
from infra.cloud.nag import acknowledge
from infra.cloud.removal import removal
from infra.cloud.stage import COGNITO, Stage

SIGNED_IN, SIGNED_OUT = "/console/signed-in", "/console/signed-out"


class Issuer(NamedTuple):
    """Of OpenID Connect, as the console's function knows it."""

    url: str
    client_id: str
    roles_claim: str


class Operators(Construct):
    """A pool whose users an administrator adds, each to the groups of their roles, with a second factor.

    It costs nothing while nobody signs in: https://aws.amazon.com/cognito/pricing/, Essentials, 10,000 users a month.
    """

    def __init__(self, scope: Construct, id_: str, *, stage: Stage, origins: list[str]) -> None:
        super().__init__(scope, id_)
        pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.REQUIRED,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            password_policy=cognito.PasswordPolicy(
                min_length=12, require_lowercase=True, require_uppercase=True, require_digits=True, require_symbols=True
            ),
            removal_policy=removal(stage),
        )
        acknowledge(
            pool,
            "AwsSolutions-COG3",
            "AwsSolutions-COG8",
            because="threat protection costs by the user; every user has a second factor, and nobody signs up alone",
        )
        for role in Role:
            cognito.CfnUserPoolGroup(
                self, f"{role.title()}s", user_pool_id=pool.user_pool_id, group_name=role.value, precedence=None
            )
        # The stack's own id makes the prefix one that nobody else has.
        own = Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", Aws.STACK_ID))))
        pool.add_domain(
            "Domain", cognito_domain=cognito.CognitoDomainOptions(domain_prefix=f"cairn-{stage.name}-{own}")
        )
        client = pool.add_client(
            "Console",
            generate_secret=False,
            prevent_user_existence_errors=True,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL],
                callback_urls=[f"{origin}{SIGNED_IN}" for origin in origins],
                logout_urls=[f"{origin}{SIGNED_OUT}" for origin in origins],
            ),
        )
        url = f"https://cognito-idp.{Aws.REGION}.{Aws.URL_SUFFIX}/{pool.user_pool_id}"
        self.issuer = Issuer(url, client.user_pool_client_id, "cognito:groups")
        CfnOutput(
            Stack.of(self), "UserPoolId", value=pool.user_pool_id, description="Add operators here, to groups by role"
        )


def issuer_of(scope: Construct, stage: Stage, origins: list[str]) -> Issuer | None:
    """None where the stage has no console."""
    if not stage.console:
        return None
    if stage.console == COGNITO:
        return Operators(scope, "Operators", stage=stage, origins=origins).issuer
    return Issuer(stage.console, stage.console_client_id, stage.console_roles_claim)
