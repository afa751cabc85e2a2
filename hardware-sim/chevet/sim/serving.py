"""The commands `chevet-sim serve`, `control` and `scenario`: their options, and what they do."""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chevet.sim.errors import SimError

if TYPE_CHECKING:
    from chevet.sim.players import Played
    from chevet.sim.scenario import Scenario
    from chevet.sim.serve import Plan

SERVE = """\
Starts the virtual instruments in one process, until Ctrl-C or SIGTERM. In DIR appear:
  devices.json   id, instrument, driver and link URL of each (written last: all are ready)
  ecg, stethoscope, oximeter   serial ports (symlinks that stay the same when a device is replugged)
  radio.sock     the Bluetooth radio as HCI, for `bluetooth_spec = "unix:DIR/radio.sock"`
  control.sock   for `chevet-sim control`
  truth.jsonl    with a patient: what really happened, a line a second (stays when the simulator ends)

Without --patient the instruments play real recordings. With it, one simulated patient touches all of them: a
beat is seen, heard and felt at moments that belong together. With --play an instrument plays a file:
  --play ecg=100.hea                 a WFDB record (formats 16, 24, 32, 80, 212), its integers as they are
  --play ecg='100.hea?II=MLII,V1=V5' the same with channels called otherwise
  --play stethoscope=heart.wav       whole numbers of 8 to 32 bits
  --play oximeter=finger.npz         keys values, rate_hz, names, and gain, spo2, pulse where it has them
"""
CONTROL = """\
Turns a fault on or off while the instruments run. Without TARGET: lists instruments and their faults, with
what each does and which values it takes; with TARGET alone, those of one instrument.

  chevet-sim control --dir DIR ecg swapped --value LA/RA
  chevet-sim control --dir DIR ecg swapped off
  chevet-sim control --dir DIR patient condition --value aortic-stenosis
  chevet-sim control --dir DIR truth --value 5        what really happened in the last 5 s, as JSON
"""
SCENARIO = """\
Checks a scenario (a TOML file, or the name of one that is shipped) against the instruments it names, without
serving them: exit code 0 and its timeline, or 1 and the first error with its line. `list` names the shipped.
"""


def serve_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `serve`."""
    command.add_argument(
        "--dir", type=Path, required=True, help="directory for links, sockets and devices.json"
    )
    command.add_argument(
        "--seed", type=int, help="same seed, same patient, noise and pictures (default 1, or the scenario's)"
    )
    command.add_argument(
        "--devices",
        nargs="+",
        metavar="ID",
        help="only these: ecg stethoscope oximeter oximeter-ble otoscope kit-oximeter; or what others make, "
        "by the names of their drivers, such as nonin-df7 contec-cms50-v2 berrymed blood-pressure; or all",
    )
    command.add_argument(
        "--patient",
        metavar="CONDITION",
        help="one simulated patient touches all instruments, such as normal, atrial-fibrillation, crackles "
        "(default: recordings are played)",
    )
    command.add_argument(
        "--play",
        action="append",
        default=[],
        metavar="ID=FILE",
        help="play a recording on one instrument; may be given again",
    )
    command.add_argument("--scenario", metavar="FILE", help="what happens when: a TOML file or a shipped one")
    command.add_argument(
        "--web", type=int, metavar="PORT", help="the tester's page on the loopback (0: any free port)"
    )
    command.add_argument("--tcp", action="store_true", help="serial instruments also listen on TCP")
    command.add_argument(
        "--camera-port", type=int, default=0, help="port of the otoscope (default: any free)"
    )


def control_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `control`."""
    place = command.add_mutually_exclusive_group(required=True)
    place.add_argument("--dir", type=Path, help="directory given to `serve`")
    place.add_argument("--socket", type=Path, help="path of its control.sock")
    command.add_argument(
        "target", nargs="?", metavar="TARGET", help="instrument, such as ecg; patient; truth"
    )
    command.add_argument("fault", nargs="?", metavar="FAULT", help="such as lead_off")
    command.add_argument("state", nargs="?", choices=("on", "off"), default="on", help="default on")
    command.add_argument("--value", default="", help="what exactly, such as V3")


def scenario_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `scenario`."""
    command.add_argument("what", choices=("check", "list"), help="what to do")
    command.add_argument("file", nargs="?", metavar="FILE", help="a TOML file or the name of a shipped one")


def serve(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from chevet.sim import scenario as scenarios
    from chevet.sim.serve import serve_until_signalled

    found = scenarios.find(options.scenario) if options.scenario else None
    story = scenarios.read(found) if found else None
    folder = found.parent if found else Path()
    asyncio.run(serve_until_signalled(_plan(options, story, folder)))
    return 0


def _plan(options: argparse.Namespace, story: "Scenario | None", folder: Path) -> "Plan":
    """Return what to serve: options first, then the scenario, then what is usual."""
    from chevet.sim.one_heart import named
    from chevet.sim.serve import Plan

    patient = options.patient or (story.patient if story else None)
    devices = tuple(name for word in options.devices or () for name in word.split(",") if name) or (
        story.devices if story else ()
    )
    plays = {name: str(folder / path) for name, path in story.play.items()} if story else {}
    plays |= dict(_pair(one) for one in options.play)
    seed = story.seed if options.seed is None and story else options.seed
    chosen = _chosen(devices)
    return Plan(
        options.dir.resolve(),
        1 if seed is None else seed,
        chosen,
        options.camera_port,
        named(patient) if patient else None,
        options.tcp,
        _read(plays, chosen),
        story,
        options.web,
    )


def _chosen(devices: tuple[str, ...]) -> tuple[str, ...]:
    from chevet.sim.serve import ALL, DEVICES

    if devices == ("all",):
        return ALL
    unknown = set(devices) - set(ALL)
    if unknown:
        raise SimError(f"no device {', '.join(sorted(unknown))}; there are {', '.join(ALL)}, or all")
    if len(set(devices)) < len(devices):
        raise SimError("an instrument is named twice; each is there once")
    return devices or DEVICES


def _pair(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise SimError(f"--play {text}: write ID=FILE, such as ecg=100.hea")
    return name, path


def _read(plays: dict[str, str], chosen: tuple[str, ...]) -> "dict[str, Played]":
    from chevet.sim import players
    from chevet.sim.serve import PLAYING

    for name in plays:
        if name not in chosen:
            raise SimError(f"--play {name}: this instrument is not served; there are {', '.join(chosen)}")
        if name not in PLAYING:
            raise SimError(
                f"--play {name}: this instrument plays nothing; those that do: {', '.join(PLAYING)}"
            )
    return {name: players.read(path) for name, path in plays.items()}


def control(options: argparse.Namespace) -> int:
    """Send one request to a running simulator."""
    from chevet.sim.control import SOCKET, ask, set_fault

    path = options.socket or options.dir / SOCKET
    if options.target == "truth":
        answer = asyncio.run(ask(path, {"truth": float(options.value or 10)}))
        for one in answer.get("truth", []):
            print(json.dumps(one))
        return 0
    if options.target is None or options.fault is None:
        return _list(asyncio.run(ask(path, {"list": True})), options.target)
    asyncio.run(set_fault(path, options.target, options.fault, on=options.state == "on", value=options.value))
    return 0


def _list(answer: dict[str, Any], target: str | None) -> int:
    """Print the faults of every instrument, or of one."""
    state = answer["state"]
    shown = [one for one in state["targets"] if target in (None, one["id"])]
    faults = {one["id"]: (one["faults"], one["active"]) for one in shown}
    if target in (None, "patient") and state["patient_faults"]:
        faults["patient"] = state["patient_faults"], {"condition": state["patient"]["condition"]}
    if not faults:
        known = ", ".join(one["id"] for one in state["targets"])
        raise SimError(f"no instrument {target!r}; there are {known}")
    for name, (known, active) in faults.items():
        print(name)
        for fault, about in known.items():
            mark = "*" if fault in active else " "
            value = f"  [{about['value']}]" if about["value"] else ""
            print(f" {mark} {fault:16} {about['tells']}{value}")
    if target is not None and target != "patient":
        raise SimError(f"name a fault of {target}: those above, * is on")
    return 0


def scenario(options: argparse.Namespace) -> int:
    """Check a scenario, or list those that are shipped."""
    from chevet.sim import scenario as scenarios

    if options.what == "list":
        for name, path in scenarios.shipped().items():
            print(f"{name:20} {scenarios.read(path).title}")
        return 0
    if options.file is None:
        raise SimError(f"name a file, or one of {', '.join(scenarios.shipped())}")
    found = scenarios.find(options.file)
    story = scenarios.read(found)
    asyncio.run(_examine(story, found.parent))
    print(f"{story.title}: {len(story.steps)} steps in {story.lasts_s:g} s, all well")
    for step in story.steps:
        print(f"{step.at_s:8.1f} s  {step.sentence()}")
    return 0


async def _examine(story: "Scenario", folder: Path) -> None:
    """Make what a scenario names, in a folder that goes away, and check its steps."""
    from chevet.sim.serve import Plan, examine

    chosen = _chosen(story.devices)
    plays = _read({name: str(folder / path) for name, path in story.play.items()}, chosen)
    with tempfile.TemporaryDirectory(prefix="chevet-") as short:  # Unix sockets need short paths
        seed = story.seed if story.seed is not None else 1
        await examine(Plan(Path(short), seed, chosen, 0, story.patient, False, plays, story))
