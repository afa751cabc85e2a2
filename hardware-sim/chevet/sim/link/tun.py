"""A link with the kernel's own TCP at both ends: a command in a network namespace, a TUN device on each side.

Needs root. The far side is this machine, at an address of its own; the command reaches nothing else.
"""

import array
import asyncio
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from chevet.sim.errors import ServeError
from chevet.sim.link.clockwork import Clockwork
from chevet.sim.link.flows import Flows
from chevet.sim.link.profiles import Profile
from chevet.sim.link.road import Road

MTU = 1400
"""Tunnels and mobile networks leave less than Ethernet's 1500."""
HOST_VARIABLE = "CHEVET_LINK_HOST"
READY = b"r"
SEARCH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_NETWORKS = 64 * 256
_TICK_S = 0.02


def tun_device(name: str) -> tuple[int, str]:
    """Make a TUN device in this process's network namespace; return its descriptor and name.

    Raises:
        OSError: not root, or no /dev/net/tun.
    """
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        made = fcntl.ioctl(
            descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI)
        )
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, made[:16].rstrip(b"\0").decode()


def configure(name: str, own: str, other: str) -> None:
    """Give a TUN device its addresses.

    Raises:
        OSError: the program `ip` is missing or refuses.
    """
    for words in (
        ("addr", "add", own, "peer", other, "dev", name),
        ("link", "set", name, "mtu", str(MTU), "txqueuelen", "1000", "up"),
    ):
        run_ip(*words)


def run_ip(*words: str) -> None:
    """Run the program `ip` (iproute2).

    Raises:
        OSError: it is missing or refuses.
    """
    program = shutil.which("ip", path=SEARCH)
    if program is None:
        raise OSError("the program ip is missing: apt install iproute2")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip() or "ip failed")


@dataclass(slots=True)
class Tunnel:
    """Both ends of a link and the command at the near one."""

    far: int
    near: int
    far_address: str
    command: subprocess.Popen[bytes]
    _gate: socket.socket

    def start(self) -> None:
        """Let the command begin."""
        self._gate.send(READY)
        self._gate.close()

    def close(self) -> None:
        """End the command where it still runs; the devices go with their descriptors."""
        if self.command.poll() is None:
            self.command.terminate()
            try:
                self.command.wait(10)
            except subprocess.TimeoutExpired:
                self.command.kill()
                self.command.wait()
        self._gate.close()
        for descriptor in (self.far, self.near):
            os.close(descriptor)


def open_tunnel(command: Sequence[str]) -> Tunnel:
    """Prepare both sides; the command waits for `start`.

    Raises:
        ServeError: not root, or the kernel has no TUN devices or namespaces.
    """
    try:
        far, name = tun_device("chevet%d")
    except OSError as error:
        raise _refused(error) from None
    try:
        host, guest = _addresses(name)
        configure(name, host, guest)
        return _near_side(command, far, host, guest)
    except OSError as error:
        os.close(far)
        raise _refused(error) from None


class Forwarder:
    """Moves packets between the two devices, as late and as incomplete as the profile says."""

    def __init__(self, tunnel: Tunnel, profile: Profile, clockwork: Clockwork, seed: int) -> None:
        self.up: Road[bytes] = Road(profile, profile.up, seed)
        self.down: Road[bytes] = Road(profile, profile.down, seed + 1)
        self._tunnel, self._clockwork, self._flows = tunnel, clockwork, Flows()
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def at(self) -> float:
        """Return seconds since the start."""
        return self._loop.time() - self._started

    async def run(self) -> None:
        """Forward until cancelled."""
        self._loop.add_reader(self._tunnel.near, self._take, self._tunnel.near, self.up, True)
        self._loop.add_reader(self._tunnel.far, self._take, self._tunnel.far, self.down, False)
        try:
            while True:
                self._tick()
                await asyncio.sleep(_TICK_S)
        finally:
            self._loop.remove_reader(self._tunnel.near)
            self._loop.remove_reader(self._tunnel.far)
            if self._timer is not None:
                self._timer.cancel()

    def _tick(self) -> None:
        cut, rebound = self._clockwork.tick(self.at())
        if rebound:
            self._flows.rebind()
        if cut:
            self.up.drop_all(self.at())
            self.down.drop_all(self.at())

    def _take(self, descriptor: int, road: Road[bytes], upward: bool) -> None:
        for _ in range(64):
            try:
                packet = os.read(descriptor, 1 << 16)
            except BlockingIOError:
                break
            if self._clockwork.cut(self.at()) or not self._flows.alive(packet, upward=upward):
                road.counted.cut += 1
            else:
                road.offer(packet, len(packet), self.at())
        self._deliver()

    def _deliver(self) -> None:
        now = self.at()
        for road, descriptor in ((self.up, self._tunnel.far), (self.down, self._tunnel.near)):
            for packet, _ in road.due(now):
                _put(descriptor, packet)
        due = [when for when in (self.up.next_at(), self.down.next_at()) if when is not None]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due:
            self._timer = self._loop.call_at(self._started + min(due), self._deliver)


def _put(descriptor: int, packet: bytes) -> None:
    try:
        os.write(descriptor, packet)
    except OSError:
        return  # the device takes no more: a loss like any other


def _near_side(command: Sequence[str], far: int, host: str, guest: str) -> Tunnel:
    ours, theirs = socket.socketpair()
    child = subprocess.Popen(
        [sys.executable, "-m", "chevet.sim.link.inside", str(theirs.fileno()), guest, host, *command],
        pass_fds=(theirs.fileno(),),
        env=os.environ | {HOST_VARIABLE: host},
    )
    theirs.close()
    _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(array.array("i").itemsize))
    if not ancillary:
        ours.close()
        child.wait()
        raise OSError("the kernel gave no network namespace")
    near = array.array("i", ancillary[0][2])[0]
    os.set_blocking(near, False)
    return Tunnel(far, near, host, child, ours)


def _addresses(name: str) -> tuple[str, str]:
    """Return far and near address: each link has its own pair in 10.77.0.0/16, by its device's number."""
    number = 4 * (int(name.removeprefix("chevet") or 0) % _NETWORKS)
    return f"10.77.{number >> 8}.{(number & 255) + 1}", f"10.77.{number >> 8}.{(number & 255) + 2}"


def _refused(error: OSError) -> ServeError:
    return ServeError(
        "tun",
        f"No link with the kernel's own TCP ({error}): run as root on a kernel with /dev/net/tun, or without"
        " root as a proxy: `chevet-sim link PROFILE --listen PORT --to HOST:PORT`.",
    )
