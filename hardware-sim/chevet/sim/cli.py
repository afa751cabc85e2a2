"""The `chevet-sim` command."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

from chevet.sim import match_command, serving
from chevet.sim.errors import SimError
from chevet.sim.link import command as link_command
from chevet.sim.twins import cart_command

DESCRIPTION = """\
Virtual instruments for trying, teaching and testing Chevet without hardware or a patient.

They are real on the wire: the agent opens serial ports, a Bluetooth radio and a network camera as it would
with devices, and everything recorded from them is marked as simulated (HTEST).
"""
EPILOG = """\
Examples:
  chevet-sim demo                               the whole of Chevet on this machine, Ctrl-C to stop
  chevet-sim serve --dir /tmp/sim               instruments only; links in /tmp/sim/devices.json
  chevet-sim serve --dir /tmp/sim --patient atrial-fibrillation --web 8430
  chevet-sim serve --dir /tmp/sim --scenario mountain-clinic
  chevet-sim serve --dir /tmp/sim --devices all --tcp
  chevet-sim control --dir /tmp/sim ecg lead_off --value V3
  chevet-sim control --dir /tmp/sim ecg lead_off off
  chevet-sim control --dir /tmp/sim             what can be broken
  chevet-sim link 2g -- COMMAND                 COMMAND behind 32 kbit/s and 800 ms (root)
  chevet-sim link 2g --listen 1884 --to 127.0.0.1:1883    the same for one TCP port, without root
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
    words, behind = _split(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(words)
    if behind:
        options.behind = behind
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    try:
        code: int = options.run(options)
    except SimError as error:
        print(f"chevet-sim: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130
    return code


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what is ours, and after `--` the command that `link` runs: its options are its own."""
    if words[:1] != ["link"] or "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    whole = argparse.ArgumentParser(
        "chevet-sim",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")
    serving.serve_options(_command(commands, "serve", "start the virtual instruments", serving.SERVE, _serve))
    serving.control_options(
        _command(commands, "control", "turn faults on and off", serving.CONTROL, _control)
    )
    serving.scenario_options(_command(commands, "scenario", "check a scenario", serving.SCENARIO, _scenario))
    _demo_options(_command(commands, "demo", "run all of Chevet on this machine", "", _demo))
    _consult_options(_command(commands, "consult", "conduct one consultation", CONSULT, _consult))
    cart_command.cart_options(
        _command(commands, "cart", "drop an ECG file as a cart does", cart_command.HELP, cart_command.run)
    )
    link_command.link_options(
        _command(commands, "link", "put a bad link between two programs", link_command.HELP, link_command.run)
    )
    match_command.match_options(
        _command(
            commands,
            "match",
            "compare what was acquired with what arrived",
            match_command.HELP,
            match_command.run,
        )
    )
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
        "--patient", metavar="CONDITION", help="a simulated patient on all instruments (default: recordings)"
    )
    command.add_argument("--web", type=int, metavar="PORT", help="the tester's page of the instruments")
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
    return serving.serve(options)


def _control(options: argparse.Namespace) -> int:
    return serving.control(options)


def _scenario(options: argparse.Namespace) -> int:
    return serving.scenario(options)


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
