"""A virtual instrument as the outside sees it, and the faults that any serial one has."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

from chevet.sim.device_clock import DeviceClock
from chevet.sim.errors import FaultError
from chevet.sim.faults import Fault, Faults, flag, level, likely, reading
from chevet.sim.pty_port import PtyPort
from chevet.sim.serial_runner import Port, SerialRunner
from chevet.sim.tcp_port import BothPorts, TcpPort
from chevet.sim.wire_faults import WireFaults

REPLUG_AFTER_S = 1.0
BANNER = "ESP-ROM boot:0x13 (SPI_FAST_FLASH_BOOT) waiting for download"
DRIFT_PPM = 5000.0
LIE_PCT = 20.0
LONGEST_NAME = 40


@dataclass(slots=True, eq=False)
class Instrument:
    """One virtual instrument as the outside sees it.

    Attributes:
        id: its name in devices.json and on the control socket.
        driver: name of the driver that reads it.
        url: its link.
        run: runs it until cancelled, then takes it away.
        faults: what can go wrong, by name.
        extra: further entries for devices.json.
        active: the faults that are on, with their values.
        port: its serial port, None on other links.
    """

    id: str
    instrument: str
    driver: str
    url: str
    run: Callable[[], Coroutine[None, None, None]]
    faults: Faults
    extra: dict[str, str] = field(default_factory=dict[str, str])
    active: dict[str, str] = field(default_factory=dict[str, str])
    port: Port | None = None

    def listing(self) -> dict[str, str]:
        """Return its entry for devices.json."""
        own = {"id": self.id, "instrument": self.instrument, "driver": self.driver}
        own |= {"url": self.url, "link": self.url}  # "link" is what the agent's settings call it
        if isinstance(self.port, BothPorts):
            own["tcp"] = f"socket:127.0.0.1:{self.port.network.number}"
        return own | self.extra

    @property
    def ready(self) -> bool:
        """Whether it can be opened."""
        return self.port is None or self.port.plugged

    def fault(self, name: str) -> Fault:
        """Return the fault of that name; words may be joined by _ or -.

        Raises:
            FaultError: it does not know this fault.
        """
        found = self.faults.get(name.replace("-", "_"))
        if found is None:
            known = ", ".join(sorted(self.faults))
            raise FaultError(self.id, name, f"{self.id} knows no fault {name!r}; it knows {known}")
        return found

    async def set_fault(self, name: str, on: bool, value: str) -> None:
        """Turn a fault on or off.

        Raises:
            FaultError: it does not know this fault, or not with this value.
        """
        fault = self.fault(name)
        try:
            if on:
                fault.check(value)
            pending = fault.throw(on, value)
            if pending is not None:
                await pending
        except ValueError as error:
            raise FaultError(self.id, name, f"{self.id} {name}: {error}") from error
        if on and not fault.once:
            self.active[name.replace("-", "_")] = value
        elif not on:
            self.active.pop(name.replace("-", "_"), None)


def line(link: Path, seed: int, *, tcp: bool = False) -> tuple[Port, WireFaults]:
    """Return a port at `link`, with `tcp` on the network as well, and the faults of its wire, quiet."""
    terminal = PtyPort(link)
    port: Port = BothPorts(terminal, TcpPort()) if tcp else terminal
    return port, WireFaults(random.Random(seed))  # noqa: S311 - noise, not secrets


def serial_instrument(
    device: str,
    instrument: str,
    driver: str,
    folder: Path,
    runner: SerialRunner,
    own: Faults,
    options: str = "",
    *,
    clock: DeviceClock | None = None,
) -> Instrument:
    """Return an instrument on a port with the faults of its wire and its `own`.

    Args:
        device: its id and the name of its port in `folder`.
        instrument: such as "ecg".
        driver: name of the driver.
        folder: where the port is.
        runner: runs it.
        own: faults beside those of the wire.
        options: what the link needs beside the speed, such as "&parity=O".
        clock: the device's, where it can be made to lie.
    """
    url = f"serial:{folder / device}?baud={runner.device.baud}{options}"
    faults = {**wire_of(runner), **(clock_faults(clock) if clock else {}), **own}
    made = Instrument(device, instrument, driver, url, runner.run, faults, port=runner.port)
    faults["renamed"] = _renaming(made, runner, folder / device, options)
    return made


def _renaming(made: Instrument, runner: SerialRunner, usual: Path, options: str) -> Fault:
    """Return the fault that plugs an instrument in again under another name, as ttyUSB0 becomes ttyUSB1."""
    port = runner.port
    terminal = port.terminal if isinstance(port, BothPorts) else port

    def read(value: str) -> str:
        name = value or f"{usual.name}-2"
        if not name.replace("-", "").replace("_", "").isalnum() or len(name) > LONGEST_NAME:
            raise ValueError(f"the value is a name of letters, digits, - and _, at most {LONGEST_NAME}")
        if (usual.parent / name).exists() and name != usual.name:
            raise ValueError(f"something is called {name} already")
        return name

    def throw(on: bool, value: str) -> None:
        assert isinstance(terminal, PtyPort), "a serial instrument has a terminal"
        runner.unplug()
        terminal.link = usual.with_name(read(value)) if on else usual
        made.url = f"serial:{terminal.link}?baud={runner.device.baud}{options}"
        runner.plug()

    return Fault(
        throw, "plugged in again under another name", f"a name ({usual.name}-2)", False, "wire", read
    )


def wire_of(runner: SerialRunner) -> Faults:
    """Return the faults of the wire, of the plug and of the device's power."""
    faults = runner.faults

    def unplug(on: bool, _value: str) -> None:
        (runner.unplug if on else runner.plug)()

    def banner(_on: bool, value: str) -> None:
        faults.say((value or BANNER).encode("utf-8", "replace") + b"\r\n")

    def mid_frame(on: bool, _value: str) -> None:
        faults.mid_frame = on
        if on:
            faults.cut()

    def reboot(_on: bool, _value: str) -> None:
        runner.restart()

    wire = "wire"
    return {
        "silence": flag(faults, "silence", "the device sends nothing", wire),
        "garbage": likely(faults, "garbage", "noise before frames"),
        "lost_bytes": likely(faults, "lost_bytes", "a byte of a frame is lost"),
        "checksum": likely(faults, "checksum", "the last byte of a frame is wrong"),
        "lost_frames": likely(faults, "lost_frames", "whole frames are lost: the device's counter jumps"),
        "duplicate": likely(faults, "duplicate", "frames arrive twice"),
        "mid_frame": Fault(mid_frame, "whoever attaches hears the middle of a frame first", kind=wire),
        "wrong_baud": flag(faults, "wrong_baud", "the device speaks at another speed", wire),
        "deaf": flag(faults, "deaf", "what the host sends is lost: commands, polls, keep-alives", wire),
        "stall": level(
            faults, "stall_s", "bytes are held back, then come at once", (0.05, 30.0, 1.0), "s", wire
        ),
        "banner": Fault(banner, "prints text into the stream", "any text (a boot message)", True, wire),
        "reboot": Fault(reboot, "the device restarts, the cable stays", once=True, kind=wire),
        "unplug": Fault(unplug, "the cable is pulled", kind=wire),
        "replug": replugging(runner.unplug, runner.plug),
    }


def clock_faults(clock: DeviceClock) -> Faults:
    """Return how the device's clock can be wrong."""
    ppm, percent = reading(-50_000.0, 50_000.0, DRIFT_PPM), reading(-50.0, 100.0, LIE_PCT)

    def drift(on: bool, value: str) -> None:
        clock.run_at(1 + ppm(value) / 1e6 if on else 1.0)

    def lying(on: bool, value: str) -> None:
        clock.run_at(1 + percent(value) / 100 if on else 1.0)

    return {
        "clock_drift": Fault(
            drift, "its clock runs fast or slow", "-50000 to 50000 ppm (5000)", kind="wire", reads=ppm
        ),
        "lying_rate": Fault(
            lying,
            "it samples faster or slower than it says",
            "-50 to 100 per cent (20)",
            kind="wire",
            reads=percent,
        ),
    }


def replugging(
    unplug: Callable[[], Awaitable[None] | None], plug: Callable[[], Awaitable[None] | None]
) -> Fault:
    """Return the fault that pulls a cable and plugs it in again."""
    seconds = reading(0.0, 10.0, REPLUG_AFTER_S)

    async def replug(_on: bool, value: str) -> None:
        pause_s = seconds(value)
        for action, wait_s in ((unplug, pause_s), (plug, 0.0)):
            pending = action()
            if pending is not None:
                await pending
            await asyncio.sleep(wait_s)

    return Fault(replug, "pulled and plugged in again", "0 to 10 s between (1)", True, "wire", seconds)
