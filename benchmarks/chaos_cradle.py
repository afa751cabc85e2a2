"""Starts the programs of benchmarks/chaos.py: a process that has loaded all code forks one for each life.

Everything that a program is lives in its child: it reads its configuration, keys and databases anew, as a
fresh process does, and kill -9 leaves nothing of it. Only the seconds that Python takes to import are spared;
with hundreds of lives they would be most of the time.

A line of JSON on standard input, {"what": "box", "edge" or "relay", "argv": [...], "log": path}, is answered
by {"pid": number}. A program that ends writes its exit code as the last line of its log.
"""

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def relay() -> int:
    from chevet.relay.cli import main

    return main()


def box() -> int:
    from chaos_box import main

    return main()


def edge() -> int:
    from chevet.edge.cli import main

    return main()


PROGRAMS: dict[str, Callable[[], int]] = {"relay": relay, "edge": edge, "box": box}


def load(what: str) -> None:
    """Import what the programs will need."""
    if what == "box":
        import chaos_box  # noqa: F401
    else:
        import iotcore  # noqa: F401

        import chevet.relay.cli
        import chevet.relay.commands.broker_tls
        import chevet.relay.commands.run  # noqa: F401


def child(asked: dict[str, Any]) -> None:
    """Become the program; never return."""
    os.setsid()
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(str(asked["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    sys.argv = [str(asked["what"]), *asked["argv"]]
    code = 1
    try:
        code = PROGRAMS[str(asked["what"])]()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        sys.excepthook(*sys.exc_info())
    finally:
        print(f"\nexit {code}", flush=True)
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    load(sys.argv[1])
    print(json.dumps({"pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            child(json.loads(line))
        print(json.dumps({"pid": pid}), flush=True)


if __name__ == "__main__":
    main()
