"""The part of the relay's configuration about where the desk is opened and who else vouches for people."""

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_settings import BaseSettings

from chevet.relay.settings_values import HERE

MADE_ROLES: Final = ("worker", "coordinator", "site-admin", "auditor")
"""Roles of accounts that a provider may make: a specialist's signing key lies under a password of theirs."""


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if value and not good:
        raise ValueError("use an address such as https://desk.example")
    return value


def _issuer(value: str, info: ValidationInfo) -> str:
    if not value:
        return value
    _address(value)
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in HERE:
        raise ValueError("an identity provider is reached by https")
    if not info.data.get("desk_url"):
        raise ValueError("set desk_url too: the provider sends people back there")
    return value


def _client(value: str, info: ValidationInfo) -> str:
    if info.data.get("oidc_issuer") and not value:
        raise ValueError("register this relay at the provider and copy the client id here")
    return value


def _roles(value: dict[str, str]) -> dict[str, str]:
    if any(role not in MADE_ROLES for role in value.values()):
        raise ValueError(f"use the roles {', '.join(MADE_ROLES)}; add all others by `chevet-relay user add`")
    return value


def _made(value: bool, info: ValidationInfo) -> bool:
    if value and not info.data.get("oidc_roles"):
        raise ValueError("say in oidc_roles which role each group gets")
    return value


class SignInSettings(BaseSettings):
    """Where the desk is, and the identity provider."""

    desk_url: Annotated[str, AfterValidator(_address)] = Field(
        "",
        description="where the desk is opened: for the link in a mail, and the one address passkeys work at; "
        "empty for this machine alone",
    )
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        "", description="identity provider (OpenID Connect) people may sign in by, as it names itself"
    )
    oidc_name: str = Field("", description="what the sign-in button calls the provider; empty for its host")
    oidc_client_id: Annotated[str, AfterValidator(_client)] = Field(
        "", validate_default=True, description="what the provider calls this relay"
    )
    oidc_client_secret_file: Path | None = Field(
        None, description="file with the secret the provider gave this relay; none for a public client"
    )
    oidc_claim: str = Field(
        "preferred_username", description="claim of the provider that holds the id of the account here"
    )
    oidc_second_factor: Literal["own", "provider"] = Field(
        "own",
        description="own: this relay's follows; provider: none at sign-in where oidc_amr or oidc_acr is met",
    )
    oidc_amr: tuple[str, ...] = Field(
        ("mfa", "hwk", "otp", "swk"),
        description="ways of signing in there that count as second factor (RFC 8176)",
    )
    oidc_acr: tuple[str, ...] = Field(
        (), description="classes of signing in there that count as second factor"
    )
    oidc_role_claim: str = Field("groups", description="claim that lists a person's groups there")
    oidc_roles: Annotated[dict[str, str], AfterValidator(_roles)] = Field(
        {}, description="role of a new account by group; existing accounts keep the role they have here"
    )
    oidc_new_accounts: Annotated[bool, AfterValidator(_made)] = Field(
        False, description="make an account at the first sign-in of somebody whose group is in oidc_roles"
    )
