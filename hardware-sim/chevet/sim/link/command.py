"""`chevet-sim link`: two programs with a bad link between them."""

import argparse
import asyncio
import json
import signal
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path

from chevet.sim.errors import SimError
from chevet.sim.link.clockwork import Clockwork
from chevet.sim.link.meter import Meter
from chevet.sim.link.profiles import KBIT, PROFILES, Cut, Profile
from chevet.sim.link.proxy import Proxy
from chevet.sim.link.tun import HOST_VARIABLE, Forwarder, open_tunnel

HELP = (
    """\
Puts a bad link between two programs: limited rate, delay, losses, a modem's buffer, cuts, new addresses.

As root, the COMMAND runs behind the link: in a network namespace of its own, whose only way out leads to this
machine through the link, with the kernel's own TCP at both ends. This machine's address there is in the
variable """
    + HOST_VARIABLE
    + """ (printed at the start); servers must listen on it, or on 0.0.0.0. Up is what the
command sends. Every byte is counted as IP sees it, headers and repeats included.

Without root, --listen and --to make a TCP proxy instead: a program that connects to the one reaches the other
through the link. Lost packets are stalls there, and headers are an estimate.

profiles:
"""
    + "\n".join(f"  {name:<8}{profile.told.replace('%%', '%')}" for name, profile in PROFILES.items())
    + f"""

Each number of a profile can be changed by an option. SIGUSR1 cuts the link by hand, and again mends it.

examples:
  chevet-sim link 2g -- sh -c 'curl http://${HOST_VARIABLE}:8422/'
  chevet-sim link 64k --loss 2 --seed 3 --json link.json -- python3 my_upload.py
  chevet-sim link vsat --cut 10+20 --cut 60+5 --rebind -- chevet-edge run --config edge.toml
  chevet-sim link bad --listen 1884 --to 127.0.0.1:1883      (then broker.port = 1884)
"""
)
USAGE = """\
chevet-sim link PROFILE [options] -- COMMAND ...
       chevet-sim link PROFILE [options] --listen [HOST:]PORT --to [HOST:]PORT"""
SHOW_EVERY_S = 1.0


def link_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `link`."""
    command.add_argument("profile", choices=tuple(PROFILES), metavar="PROFILE", help=", ".join(PROFILES))
    number = command.add_argument_group("numbers of the profile")
    number.add_argument("--up", type=_positive, metavar="KBIT", help="kbit/s from the command")
    number.add_argument("--down", type=_positive, metavar="KBIT", help="kbit/s to it")
    number.add_argument("--delay", type=_natural, metavar="MS", help="there and back")
    number.add_argument("--loss", type=_percent, metavar="PERCENT", help="packets lost, each way")
    number.add_argument("--burst", type=_positive, metavar="PACKETS", help="mean length of a loss")
    number.add_argument("--jitter", type=_natural, metavar="MS", help="each packet up to this much later")
    number.add_argument("--buffer", type=_positive, metavar="KIB", help="the modem's queue, each way")
    number.add_argument(
        "--cut", type=_cut, action="append", metavar="AT+SECONDS", help="away from AT on; may be repeated"
    )
    number.add_argument("--every", type=_positive, metavar="S", help="the cuts come again")
    number.add_argument("--rebind", action="store_true", help="old connections stay dead after a cut")
    command.add_argument("--seed", type=int, default=1, help="which packets are lost (default 1)")
    command.add_argument("--listen", type=_place, metavar="[HOST:]PORT", help="as a proxy: where to listen")
    command.add_argument("--to", type=_place, metavar="[HOST:]PORT", help="as a proxy: where to connect")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the counters here at the end")
    command.add_argument("--quiet", action="store_true", help="no counters on the terminal")
    command.usage = USAGE
    command.set_defaults(behind=())


def run(options: argparse.Namespace) -> int:
    """Run the link until its command ends, or a proxy until Ctrl-C; return the exit code.

    Raises:
        SimError: the options contradict each other, or the link cannot be made.
    """
    words = options.behind
    profile = chosen(options)
    if bool(words) == bool(options.listen or options.to) or bool(options.listen) != bool(options.to):
        raise SimError(
            "Give either -- COMMAND to run behind the link, or both --listen and --to for a proxy."
        )
    if words:
        return asyncio.run(_behind(words, profile, options))
    return asyncio.run(_proxied(profile, options))


def chosen(options: argparse.Namespace) -> Profile:
    """Return the profile with the options' numbers in it."""
    profile = PROFILES[options.profile]
    changes: dict[str, float | int | bool | tuple[Cut, ...] | None] = {
        "up": options.up and options.up * KBIT,
        "down": options.down and options.down * KBIT,
        "round_trip_s": None if options.delay is None else options.delay / 1000,
        "loss": options.loss,
        "burst": options.burst,
        "jitter_s": None if options.jitter is None else options.jitter / 1000,
        "buffer": options.buffer and int(options.buffer * 1024),
        "cuts": options.cut and tuple(options.cut),
        "repeat_s": 0.0 if options.cut and not options.every else options.every,
        "rebind": options.rebind or None,
    }
    return replace(profile, **{key: value for key, value in changes.items() if value is not None})  # type: ignore[arg-type]


async def _behind(words: Sequence[str], profile: Profile, options: argparse.Namespace) -> int:
    tunnel = open_tunnel(words)
    try:
        clockwork = Clockwork(profile)
        forwarder = Forwarder(tunnel, profile, clockwork, options.seed)
        meter = Meter(forwarder.up.counted, forwarder.down.counted, quiet=options.quiet)
        if not options.quiet:
            print(
                f"This machine is {tunnel.far_address} behind the link ({options.profile}).", file=meter.out
            )
        _obey(clockwork)
        tunnel.start()
        async with AsyncExitStack() as tasks:
            _task(tasks, forwarder.run())
            _task(tasks, _show(meter, forwarder, clockwork))
            code = await asyncio.to_thread(tunnel.command.wait)
        _finish(meter, forwarder, options)
    finally:
        tunnel.close()
    return code if code >= 0 else 128 - code


async def _proxied(profile: Profile, options: argparse.Namespace) -> int:
    clockwork = Clockwork(profile)
    proxy = Proxy(options.to, profile, clockwork, options.seed)
    meter = Meter(proxy.up.counted, proxy.down.counted, quiet=options.quiet)
    _obey(clockwork)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    host, port = options.listen
    serving = asyncio.create_task(proxy.run(host, port))
    stopping = asyncio.create_task(stopped.wait())
    async with AsyncExitStack() as tasks:
        _task(tasks, _show(meter, proxy, clockwork))
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (serving, stopping):
        task.cancel()
    _finish(meter, proxy, options)
    with suppress(asyncio.CancelledError):
        await serving
    return 0


def _task(tasks: AsyncExitStack, work: Coroutine[None, None, None]) -> None:
    tasks.callback(asyncio.create_task(work).cancel)


def _finish(meter: Meter, link: Forwarder | Proxy, options: argparse.Namespace) -> None:
    meter.end()
    if options.json:
        options.json.write_text(json.dumps(meter.report(link.at()), indent=2) + "\n")


async def _show(meter: Meter, link: Forwarder | Proxy, clockwork: Clockwork) -> None:
    while True:
        await asyncio.sleep(SHOW_EVERY_S)
        queued = link.up.queued(link.at())
        meter.show(link.at(), cut=clockwork.cut(link.at()), queued=queued)


def _obey(clockwork: Clockwork) -> None:
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, clockwork.toggle)


def _positive(text: str) -> float:
    if (value := float(text)) <= 0.0:
        raise ValueError
    return value


def _natural(text: str) -> float:
    if (value := float(text)) < 0.0:
        raise ValueError
    return value


def _percent(text: str) -> float:
    if not 0.0 <= (value := float(text)) < 100.0:
        raise ValueError
    return value / 100


def _cut(text: str) -> Cut:
    at, _, seconds = text.partition("+")
    return Cut(_natural(at), _positive(seconds))


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not 0 < (number := int(port)) < 65_536:
        raise ValueError
    return host or "127.0.0.1", number
