"""`chevet-edge devices`: what the running agent sees of each instrument, or the configuration without one."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from chevet.edge.box_word import NAME, SCHEME, agent_runs
from chevet.edge.errors import Refusal
from chevet.edge.settings import DeviceSettings, EdgeSettings, all_devices

PATIENCE_S = 30.0
"""A search of all buses takes some seconds; anything else answers at once."""
REFUSED, UNAUTHORISED = 400, 401
NONE_NAMED = (
    "No instruments are configured; plug one in and use `chevet-edge devices --find`, or add [[devices]] to"
    " the configuration."
)
WATCH_EVERY_S = 1.0
_HOME = "\x1b[H\x1b[2J"
"""Clears a terminal (ECMA-48: CUP, ED 2)."""
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - where to ask, not where to listen


def told_devices(settings: EdgeSettings) -> Iterator[str]:
    """Yield the lines of the list.

    Raises:
        SettingsError: the configuration is wrong.
        Refusal: the agent runs and does not answer.
    """
    if not agent_runs(settings.data_dir):
        devices = all_devices(settings)
        if not devices:
            yield NONE_NAMED
            return
        yield "No agent is running, so this is what is configured; start it with `chevet-edge run`."
        yield from map(configured_line, devices)
        return
    found = ask_agent(settings)
    if not found:
        yield NONE_NAMED
    now_ms = time.time() * 1000
    for device in found:
        yield from live_lines(device, now_ms)


def watched_devices(settings: EdgeSettings, *, screen: bool) -> Iterator[str]:
    """Yield the list once a second, for ever; on a `screen` each in the place of the one before.

    Raises:
        SettingsError: the configuration is wrong.
        Refusal: the agent runs and does not answer.
    """
    while True:
        lines = list(told_devices(settings))
        yield (_HOME if screen else "") + "\n".join(lines)
        time.sleep(WATCH_EVERY_S)


def configured_line(device: DeviceSettings) -> str:
    """Return one instrument as the configuration has it."""
    mark = "  simulated" if device.simulated else ""
    return f"{device.id:<16} {device.driver:<18} {device.link}{mark}"


def ask_agent(settings: EdgeSettings) -> Sequence[dict[str, Any]]:
    """Return the running agent's Devices (docs/api.md).

    Raises:
        Refusal: it does not answer, or not to this user.
    """
    devices: list[dict[str, Any]] = call_agent(settings, "GET", "/api/devices?judged=true")["devices"]
    return devices


def where_asked(settings: EdgeSettings) -> tuple[str, int]:
    """Return host and port where this machine reaches its own agent."""
    return _ANY_ADDRESS.get(settings.kiosk.host, settings.kiosk.host), settings.kiosk.port


def call_agent(settings: EdgeSettings, method: str, path: str, body: object = None) -> Any:
    """Return what the running agent answers to the box's own user; None for an answer without a body.

    Raises:
        Refusal: it does not answer, or not to this user, or refuses: then with its own sentence.
    """
    try:
        word = (settings.data_dir / NAME).read_text("ascii").strip()
    except OSError as error:
        raise Refusal(
            "agent_silent",
            f"The agent is running, but {settings.data_dir / NAME} cannot be read ({error.strerror});"
            " run this as the agent's user.",
        ) from None
    host, port = where_asked(settings)
    line = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    headers = {"Authorization": SCHEME + word, "X-Chevet": "1", "Content-Type": "application/json"}
    try:
        line.request(method, path, None if body is None else json.dumps(body), headers)
        answer = line.getresponse()
        said = answer.read()
        words: Any = json.loads(said) if said else None
        if answer.status == UNAUTHORISED:
            raise ValueError("the word of another run")
        if answer.status >= REFUSED:
            told = words["error"]
            raise Refusal(told["code"], told["message"], status=answer.status)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        raise Refusal(
            "agent_silent",
            f"The agent is running, but does not answer at {host}:{port};"
            " if its configuration was changed, start it again.",
        ) from None
    finally:
        line.close()
    return words


def live_lines(device: dict[str, Any], now_ms: float) -> Iterator[str]:
    """Yield the two lines of one Device: what it is, and how it does."""
    state = device["state"] + (f" ({device['problem']})" if device["problem"] else "")
    mark = "  simulated" if device["simulated"] else ""
    mark += "  found" if device["origin"] == "found" else ""
    what = f"{device['instrument']}, {device['driver']} over {device['link']}"
    yield f"{device['id']:<16} {state:<22} {what}{mark}"
    yield "    " + "; ".join(_facts(device, now_ms))


def _facts(device: dict[str, Any], now_ms: float) -> Iterator[str]:
    names = {"model": "", "serial": "serial ", "firmware": "firmware "}
    who = [f"{word}{device[key]}" for key, word in names.items() if device[key]]
    if who:
        yield " ".join(who)
    if device["calibrated_on"]:
        yield f"calibrated {device['calibrated_on']}"
    if device["battery_pct"] is not None:
        yield f"battery {device['battery_pct']:.0f} %"
    yield from _rates(device["rates"])
    if device["rate_wrong"]:
        measured_hz = device["measured_hz"]
        yield "rate wrong" + (f": {measured_hz:g} Hz by this box's clock" if measured_hz else "")
    yield f"{device['lost_samples']} samples lost"
    yield f"{device['bad_frames']} bad frames"
    at_ms = device["last_packet_ms"]
    yield "nothing heard yet" if at_ms is None else f"heard {max(0.0, now_ms - at_ms) / 1000:.1f} s ago"
    quality = device.get("quality")
    if quality:
        reasons = f" ({', '.join(quality['reasons'])})" if quality["reasons"] else ""
        verdict = "good" if quality["usable"] else "poor"
        yield f"quality {quality['score']:.2f}, {verdict}{reasons}"


def _rates(rates: dict[str, float]) -> Iterator[str]:
    by_rate: dict[float, list[str]] = {}
    for name, rate_hz in rates.items():
        by_rate.setdefault(rate_hz, []).append(name)
    for rate_hz, names in by_rate.items():
        yield f"{', '.join(names)} at {rate_hz:g} Hz"
