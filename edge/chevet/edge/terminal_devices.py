"""`chevet-edge devices`: what the running agent sees of each instrument, or the configuration without one."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from chevet.edge.box_word import NAME, SCHEME, agent_runs
from chevet.edge.errors import Refusal
from chevet.edge.settings import DeviceSettings, EdgeSettings, all_devices

PATIENCE_S = 5.0
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
            yield "No instruments are configured; add [[devices]] to the configuration."
            return
        yield "No agent is running, so this is what is configured; start it with `chevet-edge run`."
        yield from map(configured_line, devices)
        return
    found = ask_agent(settings)
    if not found:
        yield "No instruments are configured; add [[devices]] to the configuration."
    now_ms = time.time() * 1000
    for device in found:
        yield from live_lines(device, now_ms)


def configured_line(device: DeviceSettings) -> str:
    """Return one instrument as the configuration has it."""
    mark = "  simulated" if device.simulated else ""
    return f"{device.id:<16} {device.driver:<18} {device.link}{mark}"


def ask_agent(settings: EdgeSettings) -> Sequence[dict[str, Any]]:
    """Return the running agent's Devices (docs/api.md).

    Raises:
        Refusal: it does not answer, or not to this user.
    """
    try:
        word = (settings.data_dir / NAME).read_text("ascii").strip()
    except OSError as error:
        raise Refusal(
            "agent_silent",
            f"The agent is running, but {settings.data_dir / NAME} cannot be read ({error.strerror});"
            " run this as the agent's user.",
        ) from None
    host = _ANY_ADDRESS.get(settings.kiosk.host, settings.kiosk.host)
    line = http.client.HTTPConnection(host, settings.kiosk.port, timeout=PATIENCE_S)
    try:
        line.request("GET", "/api/devices", headers={"Authorization": SCHEME + word})
        answer = line.getresponse()
        words = json.loads(answer.read())
        devices: list[dict[str, Any]] = words["devices"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        raise Refusal(
            "agent_silent",
            f"The agent is running, but does not answer at {host}:{settings.kiosk.port};"
            " if its configuration was changed, start it again.",
        ) from None
    finally:
        line.close()
    return devices


def live_lines(device: dict[str, Any], now_ms: float) -> Iterator[str]:
    """Yield the two lines of one Device: what it is, and how it does."""
    state = device["state"] + (f" ({device['problem']})" if device["problem"] else "")
    mark = "  simulated" if device["simulated"] else ""
    what = f"{device['instrument']}, {device['driver']} over {device['link']}"
    yield f"{device['id']:<16} {state:<22} {what}{mark}"
    yield "    " + "; ".join(_facts(device, now_ms))


def _facts(device: dict[str, Any], now_ms: float) -> Iterator[str]:
    names = {"model": "", "serial": "serial ", "firmware": "firmware "}
    who = [f"{word}{device[key]}" for key, word in names.items() if device[key]]
    if who:
        yield " ".join(who)
    if device["battery_pct"] is not None:
        yield f"battery {device['battery_pct']:.0f} %"
    yield from _rates(device["rates"])
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
