"""What an update does on a real box: environments by venv and pip, the service by systemctl."""

import http.client
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from chevet.edge.box_word import agent_runs
from chevet.edge.errors import Refusal
from chevet.edge.settings import EdgeSettings
from chevet.edge.terminal_devices import call_agent, where_asked
from chevet.edge.update_release import Unfit

log = logging.getLogger(__name__)

PATIENCE_S: Final = 5.0
LONGEST_S: Final = 1800.0
"""A slow card of a small board takes minutes over a few hundred megabytes of wheels."""
PROBE: Final = (
    "import chevet.edge.agent, chevet.edge.terminal_update, chevet.kiosk.files;"
    " from importlib.metadata import version; print(version('chevet'))"
)
PLAIN: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PIP_CONFIG_FILE": "/dev/null", "LC_ALL": "C.UTF-8"}
"""Nothing of who called decides how a version is installed."""

Run = Callable[[Sequence[str]], str]
"""Runs a program to its end; returns what it printed. Raises subprocess.SubprocessError or OSError."""


def run_program(words: Sequence[str]) -> str:
    """Run a program without the environment of who called."""
    done = subprocess.run(
        words, env=PLAIN, check=True, capture_output=True, text=True, timeout=LONGEST_S, cwd="/"
    )
    return done.stdout


class BoxHands:
    """The hands of `updating` on this machine."""

    def __init__(self, settings: EdgeSettings, run: Run = run_program, python: str = sys.executable) -> None:
        self._settings = settings
        self._run = run
        self._python = python

    def install(self, folder: Path, wheels: Sequence[Path], version: str) -> None:
        """Make an environment of exactly these wheels, and load the whole agent in it once.

        Raises:
            Unfit: `not_installed`.
        """
        own = str(folder / "bin" / "python")
        pip = (own, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input")
        try:
            self._run((self._python, "-I", "-m", "venv", str(folder)))
            self._run((*pip, "install", "--no-index", "--no-deps", *map(str, wheels)))
            self._run((*pip, "check"))
            loaded = self._run((own, "-I", "-c", PROBE)).strip()
        except (subprocess.SubprocessError, OSError) as error:
            log.warning("version %s could not be installed: %s", version, _last_line(error))
            raise Unfit("not_installed", version) from None
        if loaded != version:
            log.warning("the release says version %s, its wheels say %s", version, loaded[:20])
            raise Unfit("not_installed", version)

    def restart(self) -> None:
        """Start the agent anew; what fails shows in that nobody answers."""
        try:
            self._run(self._settings.update.restart)
        except (subprocess.SubprocessError, OSError) as error:
            log.warning("the agent could not be started anew: %s", _last_line(error))

    def answering(self) -> str:
        """Return the version that answers at the kiosk's address, "" for none."""
        answer = _asked(self._settings, "/api/status")
        if answer.get("error", {}).get("code") == "locked":
            answer = _asked(self._settings, "/api/lock")
        version = answer.get("version", "")
        return version if isinstance(version, str) else ""

    def quiet(self) -> bool:
        """Tell whether no visit is open and nobody calls; a box that is off or locked is quiet."""
        if not agent_runs(self._settings.data_dir) or "locked" in _asked(self._settings, "/api/lock"):
            return True
        try:
            return bool(call_agent(self._settings, "GET", "/api/update")["quiet"])
        except Refusal as refusal:
            log.info("the agent does not say whether a visit is open (%s); asked again", refusal.code)
            return False

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def monotonic(self) -> float:
        """Return seconds."""
        return time.monotonic()

    def now_ms(self) -> int:
        """Return the time of day."""
        return time.time_ns() // 1_000_000


def _asked(settings: EdgeSettings, path: str) -> dict[str, Any]:
    """Return what the kiosk's address says to anybody; {} where nobody answers."""
    line = http.client.HTTPConnection(*where_asked(settings), timeout=PATIENCE_S)
    try:
        line.request("GET", path)
        words = json.loads(line.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        line.close()
    return words if isinstance(words, dict) else {}


def _last_line(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    lines = said.strip().splitlines() if isinstance(said, str) else []
    return lines[-1][:200] if lines else type(error).__name__
