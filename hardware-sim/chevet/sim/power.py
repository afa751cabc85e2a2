"""A power cut for the disk of a program under test: what was not yet durable is gone, as after a real one.

An ext4 file system of its own on a loop device, mounted in a private mount namespace. `cut` tells the kernel
to stop it at once (EXT4_IOC_SHUTDOWN without a last flush of its journal): nothing that lay in memory is
written any more, and every later write fails. `restore` does what a box does when the power comes back: it
checks, replays the journal and mounts. Root and loop devices are needed; `PowerUnavailable` says what is not
there.

What it does not do: the image lies on this machine's own disk, which keeps its power. What the file system
had handed to the loop device stays, so a drive that lies about its own cache is not tried.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from chevet.sim.errors import SimError

EXT4_IOC_SHUTDOWN: Final = 0x8004587D
"""_IOR('X', 125, __u32) of Linux, fs/ext4/ext4.h."""
NO_LOG_FLUSH: Final = 2
"""EXT4_GOING_FLAGS_NOLOGFLUSH: what the journal has not committed is lost."""
MEGABYTE: Final = 1 << 20
LEAST_MB: Final = 16
_TOOLS: Final = ("unshare", "nsenter", "mkfs.ext4", "e2fsck", "mount", "umount")
_SEARCH: Final = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_START_S: Final = 10.0
_BUSY_S: Final = 10.0
_REPAIRED: Final = (0, 1)  # e2fsck(8): clean, or errors corrected
_PR_SET_PDEATHSIG: Final = 1
_LIBC = ctypes.CDLL(None)


class PowerUnavailable(SimError):  # noqa: N818 - named for what is the case
    """This machine cannot cut the power of a disk; the text says what is missing."""


class DiskBroken(SimError):  # noqa: N818 - named for what happened
    """The file system could not be brought back after a cut, or was still in use."""


class CutDisk:
    """One disk whose power can be cut, and which can be filled.

    ```
    with CutDisk(tmp_path, 64) as disk:
        writer = subprocess.Popen(disk.inside("my-program", str(disk.path / "data")))
        ...
        disk.cut([writer])
        disk.restore()
    ```

    Attributes:
        path: where the disk is mounted, for programs started by `inside`; nobody else sees it there.
        seen: the same folder for programs outside, for plain opening and reading. SQLite asks for the true
            name of its file and does not find it here: run such programs inside.
        cuts: how often its power was cut.
    """

    def __init__(self, folder: Path, size_mb: int = 64) -> None:
        """Say where the image is to lie and how large it is; nothing is made before `with`."""
        folder = folder.resolve()
        self.path = folder / "disk"
        self.cuts = 0
        self._image = folder / "disk.img"
        self._size = max(size_mb, LEAST_MB) * MEGABYTE
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Make and mount the disk.

        Raises:
            PowerUnavailable: this machine does not allow it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        _require()
        with self._image.open("wb") as file:
            file.truncate(self._size)
        _made(["mkfs.ext4", "-q", "-F", "-m", "0", str(self._image)])  # root, too, meets its end
        self._keeper = _keeper()
        try:
            self._mount()
        except DiskBroken as error:
            self.close()
            raise PowerUnavailable(f"A loop device cannot be mounted here: {error}") from None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def seen(self) -> Path:
        """Return the disk's folder as programs outside see it."""
        return Path(f"/proc/{self._pid}/root{self.path}")

    def inside(self, *command: str) -> list[str]:
        """Return the command line of a program where the disk is mounted; its pid is the program's own."""
        return [_tool("nsenter"), f"--mount=/proc/{self._pid}/ns/mnt", "--", *command]

    def run(self, *command: str) -> str:
        """Run a program inside to its end and return what it printed.

        Raises:
            subprocess.CalledProcessError: it failed.
        """
        done = subprocess.run(self.inside(*command), capture_output=True, text=True, check=True)
        return done.stdout

    def cut(self, programs: Iterable[subprocess.Popen[bytes]] = ()) -> None:
        """Cut the power: first the disk, then the programs, by kill -9, with their whole sessions.

        Count on what was confirmed before this call: the kernel may let the one sync that is under way at
        this moment come back as done though it is not, which no disk that loses its power can.
        """
        descriptor = os.open(self.seen, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("=I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)
        self.cuts += 1
        for program in programs:
            _end(program)

    def restore(self) -> str:
        """Bring the power back: check, replay the journal, mount; return the check's words.

        Raises:
            DiskBroken: a program still has the disk open, or it cannot be repaired.
        """
        self._unmount()
        done = subprocess.run(
            [_tool("e2fsck"), "-p", str(self._image)], capture_output=True, text=True, check=False
        )
        if done.returncode not in _REPAIRED:
            raise DiskBroken(f"e2fsck could not repair the disk: {(done.stdout + done.stderr).strip()}")
        self._mount()
        return done.stdout.strip()

    def fill(self, leave: int = 0) -> int:
        """Fill the disk up to `leave` free bytes; return how many were taken."""
        room = os.statvfs(self.seen)
        size = max(0, room.f_bavail * room.f_frsize - leave)
        descriptor = os.open(self.seen / "ballast", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            taken = _allocate(descriptor, size)
        finally:
            os.close(descriptor)
        return taken

    def empty(self) -> None:
        """Take away what `fill` put there."""
        with contextlib.suppress(FileNotFoundError):
            (self.seen / "ballast").unlink()

    def copy_out(self, name: str, to: Path) -> None:
        """Copy a folder of the disk to one outside, as it is on the disk."""
        self.run("cp", "-a", str(self.path / name), str(to))

    def close(self) -> None:
        """Take the disk away with all that is on it; programs inside must have ended."""
        if self._keeper is not None:
            with contextlib.suppress(DiskBroken):
                self._unmount()
            self._keeper.kill()  # with its namespace goes the mount, and with that the loop device
            self._keeper.wait()
            self._keeper = None
        self._image.unlink(missing_ok=True)

    @property
    def _pid(self) -> int:
        if self._keeper is None:
            raise RuntimeError("the disk is not there: use it in its `with` block")
        return self._keeper.pid

    def _mount(self) -> None:
        mount = [_tool("mount"), "-t", "ext4", "-o", "loop", str(self._image), str(self.path)]
        done = subprocess.run(self.inside(*mount), capture_output=True, text=True, check=False)
        if done.returncode:
            raise DiskBroken(done.stderr.strip())

    def _unmount(self) -> None:
        until = time.monotonic() + _BUSY_S
        command = self.inside(_tool("umount"), str(self.path))
        while (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
            if time.monotonic() > until:
                raise DiskBroken(f"the disk is still in use: {done.stderr.strip()}")
            time.sleep(0.05)


def _require() -> None:
    if os.geteuid():
        raise PowerUnavailable("Only root may mount a disk and cut its power: run as root.")
    missing = [name for name in _TOOLS if shutil.which(name, path=_SEARCH) is None]
    if missing:
        raise PowerUnavailable(f"{', '.join(missing)} missing: apt install e2fsprogs util-linux mount.")
    if not Path("/dev/loop-control").exists():
        raise PowerUnavailable("This machine (or container) has no loop devices: load the module loop.")


def _tool(name: str) -> str:
    return shutil.which(name, path=_SEARCH) or name


def _made(command: list[str]) -> None:
    done = subprocess.run([_tool(command[0]), *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PowerUnavailable(f"{command[0]} failed: {done.stderr.strip()}")


def _keeper() -> subprocess.Popen[bytes]:
    """Start what holds the private namespace open for as long as we live.

    Raises:
        PowerUnavailable: namespaces are not allowed.
    """
    command = [_tool("unshare"), "--mount", "--propagation", "private", "sleep", "infinity"]
    keeper = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl call
    )
    until = time.monotonic() + _START_S
    while keeper.poll() is None and time.monotonic() < until:
        # it becomes `sleep` only after its mounts are private: nothing of ours can show up outside
        if Path(f"/proc/{keeper.pid}/comm").read_text().strip() == "sleep":
            return keeper
        time.sleep(0.01)
    keeper.kill()
    keeper.wait()
    raise PowerUnavailable(
        "A private mount namespace is not allowed here (a container without CAP_SYS_ADMIN?)."
    )


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(program: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(program.pid) == program.pid:
            os.killpg(program.pid, signal.SIGKILL)
    program.kill()
    program.wait()


def _allocate(descriptor: int, size: int) -> int:
    """Allocate as much of `size` bytes as there is room for: the file system needs some for itself."""
    while size > 0:
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            size -= max(size // 16, 4096)
        else:
            return size
    return 0
