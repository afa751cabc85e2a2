"""Where the web files lie, for whoever serves them (the agent and the relay)."""

from pathlib import Path

STATIC: Path = Path(__file__).parent / "static"
"""The kiosk's document root: `index.html`, `shared/` and `kiosk/`."""

SHARED: Path = STATIC / "shared"
"""Served at `/shared/` by kiosk and desk: tokens, fonts, icons, instruments, strings."""

KIOSK: Path = STATIC / "kiosk"
"""Served at `/kiosk/`: the worker's screens."""

INDEX: Path = STATIC / "index.html"
"""Served at `/` by the agent."""
