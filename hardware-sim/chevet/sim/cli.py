"""The `chevet-sim` command."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from chevet.sim.errors import SimError

DESCRIPTION = """\
Virtual instruments for trying, teaching and testing Chevet without hardware or a patient.

They are real on the wire: the agent opens serial ports, a Bluetooth radio and a network camera as it would
with devices, and everything recorded from them is marked as simulated (HTEST).
"""
EPILOG = """\
Examples:
  chevet-sim demo                               the whole of Chevet on this machine, Ctrl-C to stop
  chevet-sim serve --dir /tmp/sim               instruments only; links in /tmp/sim/devices.json
  chevet-sim control --dir /tmp/sim ecg lead_off --value V3
  chevet-sim control --dir /tmp/sim ecg lead_off off
  chevet-sim control --dir /tmp/sim             what can be broken
"""
SERVE = """\
Starts the virtual instruments in one process, until Ctrl-C or SIGTERM. In DIR appear:
  devices.json   id, instrument, driver and link URL of each (written last: all are ready)
  ecg, stethoscope, oximeter   serial ports (symlinks that stay the same when a device is replugged)
  radio.sock     the Bluetooth radio as HCI, for `bluetooth_spec = "unix:DIR/radio.sock"`
  control.sock   for `chevet-sim control`
"""
CONTROL = """\
Turns a fault on or off while the instruments run. Without TARGET: lists instruments and their faults.

  any serial device  silence, garbage, lost_bytes, checksum (value: probability), unplug, replug (value: s)
  ecg                lead_off (value: lead, or several by commas), mains_hum (value: mV)
  stethoscope        friction (value: 0 to 1), sensor_off, site (value: A P E T M)
  oximeter           sensor_off, motion
  oximeter-ble       silence, ble_drop, sensor_off, motion
  otoscope           ear (value: right:normal, left:bulging, fluid, wax...), defocus, silence, garbage, unplug
"""
CONSULT = """\
Conducts one whole consultation without a person, through the interfaces the screens use: signs the worker in,
registers a patient, records consent, oximetry, ECG, heart sounds and both ears, asks cardiology, sends, waits
for the verified receipt, opens the case at the desk, signs an opinion and waits for it at the kiosk. Prints a
table. Exit code 0 when everything arrived whole, 1 and one sentence when a step failed.
"""
FAILED = 1


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        code: int = options.run(options)
    except SimError as error:
        print(f"chevet-sim: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    whole = argparse.ArgumentParser(
        "chevet-sim",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _serve_options(_command(commands, "serve", "start the virtual instruments", SERVE, _serve))
    _control_options(_command(commands, "control", "turn faults on and off", CONTROL, _control))
    _demo_options(_command(commands, "demo", "run all of Chevet on this machine", "", _demo))
    _consult_options(_command(commands, "consult", "conduct one consultation", CONSULT, _consult))
    _command(commands, "doctor", "check what the simulator needs", "", _doctor)
    return whole


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    brief: str,
    long: str,
    run: object,
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=brief,
        description=long or f"{brief.capitalize()}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def _serve_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dir", type=Path, required=True, help="directory for links, sockets and devices.json"
    )
    command.add_argument("--seed", type=int, default=1, help="same seed, same noise and pictures (default 1)")
    command.add_argument(
        "--devices",
        nargs="+",
        metavar="ID",
        help="only these: ecg stethoscope oximeter oximeter-ble otoscope; or what others make, by the names "
        "of their drivers, such as nonin-df7 contec-cms50-v2 berrymed blood-pressure",
    )
    command.add_argument(
        "--patient",
        metavar="CONDITION",
        help="one simulated patient touches all instruments, such as normal, atrial-fibrillation, crackles "
        "(default: recordings are played)",
    )
    command.add_argument("--tcp", action="store_true", help="serial instruments also listen on TCP")
    command.add_argument(
        "--camera-port", type=int, default=0, help="port of the otoscope (default: any free)"
    )


def _control_options(command: argparse.ArgumentParser) -> None:
    place = command.add_mutually_exclusive_group(required=True)
    place.add_argument("--dir", type=Path, help="directory given to `serve`")
    place.add_argument("--socket", type=Path, help="path of its control.sock")
    command.add_argument("target", nargs="?", metavar="TARGET", help="instrument, such as ecg")
    command.add_argument("fault", nargs="?", metavar="FAULT", help="such as lead_off")
    command.add_argument("state", nargs="?", choices=("on", "off"), default="on", help="default on")
    command.add_argument("--value", default="", help="what exactly, such as V3")


def _demo_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--once", action="store_true", help="conduct one consultation without a person, then stop"
    )
    command.add_argument("--json", metavar="FILE", help="with --once: write the report here")
    command.add_argument("--port-kiosk", type=int, metavar="PORT", help="port of the kiosk (default 8421)")
    command.add_argument("--port-desk", type=int, metavar="PORT", help="port of the desk (default 8422)")
    command.add_argument(
        "--dir", metavar="DIR", help="keep everything here (default: a folder that is removed)"
    )
    command.add_argument(
        "--broker", choices=("iotcore", "mosquitto"), default="iotcore", help="MQTT broker (default iotcore)"
    )


def _consult_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--kiosk", required=True, metavar="URL", help="such as http://127.0.0.1:8421")
    command.add_argument("--desk", required=True, metavar="URL", help="such as http://127.0.0.1:8422")
    command.add_argument("--worker", required=True, metavar="ID", help="who signs in at the kiosk")
    command.add_argument("--pin", required=True, help="the worker's PIN")
    command.add_argument("--specialist", required=True, metavar="USER", help="who signs in at the desk")
    command.add_argument("--password", required=True, help="the specialist's password")
    command.add_argument("--control", type=Path, metavar="PATH", help="control.sock, to move the otoscope")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the report here")


def _serve(options: argparse.Namespace) -> int:
    from chevet.sim.one_heart import named
    from chevet.sim.serve import ALL, DEVICES, Plan, serve_until_signalled

    devices = tuple(options.devices or DEVICES)
    devices = ALL if devices == ("all",) else devices
    unknown = set(devices) - set(ALL)
    if unknown:
        raise SimError(f"no device {', '.join(sorted(unknown))}; there are {', '.join(ALL)}, or all")
    plan = Plan(
        options.dir.resolve(),
        options.seed,
        devices,
        options.camera_port,
        named(options.patient) if options.patient else None,
        options.tcp,
    )
    asyncio.run(serve_until_signalled(plan))
    return 0


def _control(options: argparse.Namespace) -> int:
    from chevet.sim.control import SOCKET, ask, set_fault

    path = options.socket or options.dir / SOCKET
    if options.target is None:
        answer = asyncio.run(ask(path, {"list": True}))
        for target, faults in answer["targets"].items():
            print(f"{target:14} {' '.join(faults)}")
        return 0
    if options.fault is None:
        raise SimError(f"name a fault; `chevet-sim control --dir DIR` lists those of {options.target}")
    asyncio.run(set_fault(path, options.target, options.fault, on=options.state == "on", value=options.value))
    return 0


def _demo(options: argparse.Namespace) -> int:
    from chevet.sim.demo import run

    return run(options)


def _consult(options: argparse.Namespace) -> int:
    from chevet.sim.consultation import Plan, run

    plan = Plan(
        kiosk=options.kiosk,
        desk=options.desk,
        worker=options.worker,
        pin=options.pin,
        specialist=options.specialist,
        password=options.password,
        control=options.control,
    )
    return asyncio.run(run(plan, options.json))


def _doctor(_options: argparse.Namespace) -> int:
    from chevet.sim.doctor import look, report

    findings = look()
    print(report(findings))
    return 0 if all(finding.good or not finding.needed for finding in findings) else FAILED


if __name__ == "__main__":
    sys.exit(main())
