"""Run inside the near side's network namespace: makes its device, hands it out, becomes the command.

python -m chevet.sim.link.inside SOCKET OWN-ADDRESS OTHER-ADDRESS COMMAND...
"""

import array
import ctypes
import os
import socket
import sys

from chevet.sim.link.tun import READY, configure, run_ip, tun_device

_CLONE_NEWNET = 0x40000000


def main(words: list[str]) -> int:
    """Become the command; return only when that failed."""
    with socket.socket(fileno=int(words[0])) as gate:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNET):
            return _fail(os.strerror(ctypes.get_errno()))
        try:
            descriptor, name = tun_device("chevet0")
            configure(name, words[1], words[2])
            run_ip("link", "set", "lo", "up")
            run_ip("route", "add", "default", "via", words[2])
        except OSError as error:
            return _fail(str(error))
        gate.sendmsg([b"t"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))])
        os.close(descriptor)
        if gate.recv(1) != READY:
            return 1
    try:
        os.execvp(words[3], words[3:])  # noqa: S606 - the tester's own command
    except OSError as error:
        return _fail(f"{words[3]}: {error.strerror}")


def _fail(sentence: str) -> int:
    print(f"chevet-sim link: {sentence}", file=sys.stderr)
    return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
