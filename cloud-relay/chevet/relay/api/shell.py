"""The desk as an installable app: its service worker, with every file of this version by content."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from chevet.relay.api.wall import POLICY

PAGES = {"index.html": "/", "sealed.html": "/sealed.html"}
"""Pages of the desk's folder, and the addresses they are served at."""

WORKER = "worker"
"""Folder of the parts of the service worker; each file there is one part, loaded in the order of names."""

KEPT = frozenset({".css", ".html", ".js", ".json", ".png", ".svg", ".webmanifest", ".woff2"})
"""Endings of what a page loads; texts for people who read the sources stay at the relay."""

Stamp = tuple[tuple[str, str, int, int], ...]
"""Address, path, time of change (ns) and size (bytes) of every file of the shell."""


def worker_script(desk: Path, shared: Path) -> str:
    """Return the service worker: the list of this version's files, then its parts.

    A change of one byte of one file is another script, by which browsers know that there is a new version.

    Args:
        desk: folder of the desk's files, served at `/desk/`.
        shared: folder of the shared instruments, fonts and icons, served at `/shared/`.
    """
    return _script(_stamp(desk, shared))


def install(app: FastAPI, desk: Path, shared: Path) -> None:
    """Serve the worker at `/worker.js`: from the root, so that it may answer for every page."""

    def script(_request: Request) -> Response:
        return Response(worker_script(desk, shared), media_type="text/javascript")

    app.add_route("/worker.js", script)


def _stamp(desk: Path, shared: Path) -> Stamp:
    found = []
    for root, prefix in ((desk, "/desk/"), (shared, "/shared/")):
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in KEPT or not path.is_file():
                continue
            said = path.stat()
            found.append((PAGES.get(name, prefix + name), str(path), said.st_mtime_ns, said.st_size))
    return tuple(found)


@lru_cache(maxsize=2)
def _script(stamp: Stamp) -> str:
    found = {address: hashlib.sha256(Path(path).read_bytes()).hexdigest() for address, path, _, _ in stamp}
    parts = {address: found.pop(address) for address in sorted(found) if _is_part(address)}
    policy = hashlib.sha256(POLICY.encode()).hexdigest()[:16]
    said = {"policy": policy, "files": found}
    version = hashlib.sha256(json.dumps(said | {"parts": parts}, sort_keys=True).encode()).hexdigest()[:16]
    loaded = "".join(f'importScripts("{address}?v={content[:16]}");\n' for address, content in parts.items())
    return f'"use strict";\nself.SHELL = {json.dumps({"version": version} | said)};\n{loaded}'


def _is_part(address: str) -> bool:
    return address.startswith(f"/desk/{WORKER}/")
