"""What the values of settings must look like: each check says what to write instead."""

from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo

Port = Annotated[int, Field(ge=1, le=65535)]
RUNGS: Final = 3
LONGEST: Final = 30 * 24 * 60
"""Minutes of thirty days."""
HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""This machine, by whatever name: the only place a road may lead to without TLS."""
S3: Final = "s3://"
PUSH_HOSTS: Final = (
    "fcm.googleapis.com",
    "*.push.services.mozilla.com",
    "*.notify.windows.com",
    "*.push.apple.com",
)
"""The services that browsers of 2026 name: Chromium's, Firefox's, Edge's, Safari's."""
SECRET_FILES: Final = (
    "broker_password_file",
    "call_turn_secret_file",
    "database_password_file",
    "oidc_client_secret_file",
    "s3_secret_file",
    "smtp_password_file",
    "webhook_secret_file",
)


def one_word(value: str) -> str:
    """Take a name of letters, digits, '-' and '_'."""
    if value and not value.replace("-", "").replace("_", "").isalnum():
        raise ValueError("use letters, digits, '-' and '_' only")
    return value


def database_address(value: str) -> str:
    """Take the address of a PostgreSQL database without a password."""
    if value and not value.startswith("postgresql+psycopg:"):
        raise ValueError("use postgresql+psycopg://user@host/name, or nothing for SQLite")
    if ":" in value.partition("://")[2].partition("@")[0] and "@" in value:
        raise ValueError("a password belongs into the file that database_password_file names")
    return value


def objects_address(value: str) -> str:
    """Take a bucket, with or without a prefix."""
    bucket, _, prefix = value.removeprefix(S3).partition("/")
    if value and not (value.startswith(S3) and bucket):
        raise ValueError("use s3://bucket or s3://bucket/prefix, or nothing for files")
    if not set(prefix + bucket) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/"):
        raise ValueError("letters, digits, '.', '_', '-' and '/' only")
    return value.rstrip("/")


def https_or_here(value: str) -> str:
    """Take an https address, or http on this machine."""
    where = urlsplit(value)
    if value and not (where.scheme == "https" or (where.scheme == "http" and where.hostname in HERE)):
        raise ValueError("use https://host, or http:// on this machine only")
    return value


def contact_address(value: str) -> str:
    """Take an address that operators of push services may write to."""
    if "@" in value and not value.startswith("mailto:"):
        value = f"mailto:{value}"
    if value and not value.startswith(("mailto:", "https://")):
        raise ValueError("use an e-mail address or an https address")
    return value


def rising(value: tuple[int, ...]) -> tuple[int, ...]:
    """Take minutes of the ladder's steps, none before the one before."""
    if len(value) != RUNGS or list(value) != sorted(value) or not all(0 <= one <= LONGEST for one in value):
        raise ValueError(f"give {RUNGS} numbers of minutes, 0 to {LONGEST}, none less than the one before")
    return value


def with_label(value: str, info: ValidationInfo) -> str:
    """Take "off" only on a demo or training relay."""
    if value == "off" and info.data.get("label") != "HTEST":
        raise ValueError("only a demo or training relay (label HTEST) may go without")
    return value


def same_region(value: str, info: ValidationInfo) -> str:
    """Refuse a store in another region than the policy's."""
    found = info.data.get("s3_region", "")
    if value and info.data.get("objects") and found != value:
        raise ValueError(
            f"patient data must stay in '{value}', and s3_region says '{found}': use a store in '{value}'"
        )
    return value


Minutes: TypeAlias = Annotated[tuple[int, ...], AfterValidator(rising)]
Region: TypeAlias = Annotated[str, AfterValidator(same_region)]
