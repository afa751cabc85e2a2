"""The relay's configuration: one TOML file, overridden by CHEVET_RELAY_... variables.

Unknown keys are refused in both, so that a misspelt setting cannot be silently ignored. Secrets are never
values here: they are files that a setting names.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chevet.relay.errors import SettingsError
from chevet.relay.settings_call import CallSettings
from chevet.relay.settings_sign_in import SignInSettings
from chevet.relay.settings_values import (
    PUSH_HOSTS,
    SECRET_FILES,
    Minutes,
    Port,
    Region,
    contact_address,
    database_address,
    https_or_here,
    objects_address,
    one_word,
    with_label,
)

PREFIX = "CHEVET_RELAY_"
CONFIG_VARIABLE = f"{PREFIX}CONFIG"


class Settings(SignInSettings, CallSettings):
    """Everything an operator may set; relative paths start at the configuration file's folder."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    keys: Path = Field(
        Path("keys"), description="folder with the programme's keys, made by `chevet-relay init`"
    )
    archive: Path = Field(Path("archive"), description="folder of the database and the stored objects")
    database: Annotated[str, AfterValidator(database_address)] = Field(
        "", description="empty for SQLite in the archive's folder, else postgresql+psycopg://user@host/name"
    )
    database_password_file: Path | None = Field(
        None, description="file that holds the password of the PostgreSQL user"
    )
    objects: Annotated[str, AfterValidator(objects_address)] = Field(
        "", description="empty for files in the archive's folder, else s3://bucket or s3://bucket/prefix"
    )
    s3_endpoint: Annotated[str, AfterValidator(https_or_here)] = Field(
        "", description="address of the S3 store, such as https://s3.example; empty for Amazon's"
    )
    s3_region: str = Field("", description="the region the bucket is in, as the store names it")
    s3_key_id: str = Field(
        "", description="access key at the store; empty for what this machine's role gives"
    )
    s3_secret_file: Path | None = Field(None, description="file that holds the access key's secret")
    s3_ca_file: Path | None = Field(
        None,
        description="certificates of the authority that signed the store's own, where it is a private one",
    )
    region: Region = Field(
        "", description="the one region patient data may lie in; a store in another is refused; empty for any"
    )
    host: str = Field("127.0.0.1", description="address the desk is served on; loopback by default")
    port: Port = Field(8422, description="port of the desk and its API")
    broker_host: str = Field("127.0.0.1", description="host of the MQTT broker")
    broker_port: Port = Field(1883, description="port of the MQTT broker")
    broker_user: str = Field("", description="user name at the broker, empty for none")
    broker_password_file: Path | None = Field(None, description="file that holds the broker's password")
    broker_tls: bool = Field(
        False, description="mutual TLS 1.3 to the broker, with the certificates of the programme's authority"
    )
    public_url: str = Field(
        "", description="where boxes reach this relay for enrolment, such as https://relay.example"
    )
    public_broker_host: str = Field(
        "", description="name or address by which boxes reach the broker; empty for broker_host"
    )
    public_broker_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="port on which boxes reach the broker; 0 for broker_port"
    )
    worker: Annotated[str, AfterValidator(one_word)] = Field(
        "relay-1", description="stable name of this process at the broker; different for every worker"
    )
    share: Annotated[str, AfterValidator(one_word)] = Field(
        "", description="name of the shared subscription when several workers serve one broker; empty for one"
    )
    broker_deals: bool = Field(
        False,
        description="the broker deals boxes out to several workers by itself, as RabbitMQ does for those that"
        " `broker --engine rabbitmq --worker NAME ..` named; share stays empty",
    )
    label: Literal["", "HTEST"] = Field(
        "", description="HTEST makes this a demo or training relay; only then simulated cases reach the inbox"
    )
    sealing: Literal["processing", "sealed"] = Field(
        "processing",
        description="who opens studies: processing, this relay too; sealed, only the specialists' browsers",
    )
    second_factor: Annotated[Literal["required", "off"], AfterValidator(with_label)] = Field(
        "required",
        description="a passkey or a code of an app besides the password; off only where label is HTEST",
    )
    second_factor_grace_minutes: Annotated[int, Field(ge=0, le=480)] = Field(
        10, description="so long after a code an opinion is signed without a new one; 0 asks every time"
    )
    session_idle_minutes: Annotated[int, Field(ge=1, le=720)] = Field(
        60, description="a session that was not used for so long is over"
    )
    session_hours: Annotated[int, Field(ge=1, le=24)] = Field(
        12, description="so long after its beginning every session is over"
    )
    erasure_days: Annotated[int, Field(ge=0, le=365)] = Field(
        30, description="so long after consent for care was withdrawn a hidden case is destroyed"
    )
    retention_days: Annotated[int, Field(ge=0, le=36500)] = Field(
        0, description="so long after its first answer a case is destroyed; 0 keeps every case"
    )
    keep_days: Annotated[int, Field(ge=0, le=30)] = Field(
        7, description="so long a specialist's own device keeps a case for reading offline; 0 forbids it"
    )
    break_glass_minutes: Annotated[int, Field(ge=1, le=120)] = Field(
        15, description="how long a coordinator may read a case in an emergency, with a reason"
    )
    answer_due_minutes: Minutes = Field(
        (30, 120, 1440),
        description="minutes until the answer to an emergency, an urgent and a routine case is due",
    )
    allocation: Literal["manual", "automatic"] = Field(
        "manual", description="who asks specialists to answer: the coordinator, or the rules as cases come"
    )
    escalation_emergency: Minutes = Field(
        (0, 2, 5),
        description="minutes an emergency stays unread until those on call, all of the specialty with the "
        "coordinators, and the last resort are told",
    )
    escalation_urgent: Minutes = Field((5, 30, 60), description="the same for an urgent case")
    escalation_routine: Minutes = Field((240, 1440, 2880), description="the same for a routine case")
    last_resort: tuple[str, ...] = Field(
        (), description="e-mail addresses that are told when nobody has read a case for so long"
    )
    smtp_host: str = Field("", description="server that takes mail; empty for no mail")
    smtp_port: Port = Field(587, description="its port: 587 with starttls, 465 with tls")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the road to the mail server is kept; none only on this machine"
    )
    smtp_user: str = Field("", description="user name at the mail server, empty for none")
    smtp_password_file: Path | None = Field(None, description="file that holds the mail server's password")
    smtp_from: str = Field("", description="sender's address of mails")
    push_contact: Annotated[str, AfterValidator(contact_address)] = Field(
        "",
        description="e-mail or https address for operators of push services; empty for no push to browsers",
    )
    push_hosts: tuple[str, ...] = Field(
        PUSH_HOSTS, description="push services that may be called, by host name; '*' stands for any part"
    )
    push_lead_minutes: Annotated[int, Field(ge=0, le=60)] = Field(
        1, description="so long after a push the same person gets a mail too, unless the case was opened"
    )
    webhook_url: str = Field("", description="https address that is told of alerts; empty for none")
    webhook_secret_file: Path | None = Field(
        None, description="file with the secret that signs what the webhook is told, 16 characters or more"
    )
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="port of Prometheus metrics on metrics_host; 0 for none"
    )
    metrics_host: str = Field("127.0.0.1", description="address metrics are served on; they need no sign-in")
    log_format: Literal["text", "json"] = Field("text", description="how log lines are written")
    languages: tuple[str, ...] = Field(("fr", "ar", "en"), description="languages the desk offers")
    secure_cookies: bool = Field(False, description="true when the desk is reached by https only")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file's values, which arrive as arguments."""
        return env_settings, init_settings

    def broker_password(self) -> str | None:
        """Return the broker's password from its file, or None where none is set."""
        return self.secret("broker_password_file")

    @property
    def public_address(self) -> str:
        """Where boxes reach this relay."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    def secret(self, name: str) -> str | None:
        """Return what the file named by the setting `name` holds, or None where none is set.

        Raises:
            SettingsError: the file cannot be read.
        """
        path: Path | None = getattr(self, name)
        if path is None:
            return None
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                name, f"Cannot read {path} ({error.strerror}): create it or unset the setting."
            ) from error


def read_settings(path: Path) -> Settings:
    """Read and check the configuration at `path`.

    Raises:
        SettingsError: naming the file or the key that is wrong, and what to do.
    """
    values = _read_toml(path)
    _refuse_unknown_variables()
    try:
        found = Settings(**values)
    except ValidationError as error:
        raise _sentence(path, error) from None
    return _anchored(found, path.resolve().parent)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            str(path),
            f"There is no configuration at {path}: run `chevet-relay init {path.parent}` or pass --config.",
        ) from None
    except OSError as error:
        raise SettingsError(str(path), f"Cannot read {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), f"{path} is not valid TOML ({error}): correct it there.") from None


def _refuse_unknown_variables() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {CONFIG_VARIABLE}
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise SettingsError(
                name, f"The environment variable {name} is no setting of chevet-relay: unset it."
            )


def _sentence(path: Path, error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return SettingsError(
            key,
            f"Unknown key '{key}' in {path}: remove it. Known: {', '.join(sorted(Settings.model_fields))}.",
        )
    return SettingsError(
        key, f"The setting '{key}' (in {path} or {PREFIX}{key.upper()}) is wrong: {first['msg']}."
    )


def _anchored(settings: Settings, folder: Path) -> Settings:
    paths = {name: getattr(settings, name) for name in (*SECRET_FILES, "s3_ca_file")}
    secrets = {name: folder / path if path else None for name, path in paths.items()}
    here = {"keys": folder / settings.keys, "archive": folder / settings.archive}
    return settings.model_copy(update=here | secrets)
