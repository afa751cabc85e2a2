"""The part of the relay's configuration about calls beside a study."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_settings import BaseSettings


def _servers(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    for url in value:
        scheme, _, rest = url.partition(":")
        if scheme not in ("turn", "turns") or not rest.partition("?")[0]:
            raise ValueError("name each server like turn:turn.example:3478?transport=udp")
    if value and not info.data.get("call_turn_secret_file"):
        raise ValueError("set call_turn_secret_file too: the server lets nobody in without it")
    return value


class CallSettings(BaseSettings):
    """How the voices of a call find their way."""

    calls: Literal["on", "off"] = Field(
        "on", description="whether specialists may call a kiosk beside a study"
    )
    call_turn_secret_file: Path | None = Field(
        None, description="file with the secret that is coturn's static-auth-secret"
    )
    call_turn: Annotated[tuple[str, ...], AfterValidator(_servers)] = Field(
        (),
        description="the programme's own TURN servers, such as turn:turn.example:3478?transport=udp; without"
        " one, calls work only where kiosk and desk reach each other directly",
    )
