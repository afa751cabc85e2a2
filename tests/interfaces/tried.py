"""Tries every address of an interface by its OpenAPI and collects what is answered."""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

PEOPLE = {
    "specialist": "amrani",
    "expert": "tazi",
    "coordinator": "tahiri",
    "site-admin": "ziani",
    "auditor": "idrissi",
}
"""Accounts of the archive that is tried, by role."""
ROLES = ("nobody", *PEOPLE)
AGENT = "agent"
OWN_SESSION = ("/api/session", "/api/sessions")
"""Not tried by who is signed in: it would end what the others are tried with."""
HERE = "http://interface"
FAULT = 500
FULL = 507
"""A full disk is told by this; it is an answer, not a fault."""
ABSENT = 503
"""So is an instrument that is not there."""


@dataclass
class Tried:
    """What came of it."""

    who: str
    addresses: int = 0
    answers: list[int] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """Return it for a file."""
        return {
            "who": self.who,
            "addresses": self.addresses,
            "requests": len(self.answers),
            "faults": self.faults,
        }


@dataclass(frozen=True)
class Caller:
    """Sends what was made up to an application, as one browser does."""

    app: Any
    headers: dict[str, str]
    known: dict[str, str]
    tried: Tried
    loop: asyncio.AbstractEventLoop

    def call(self, case: Any, method: str, path: str) -> None:
        """Make one request; note what it was answered with."""
        asked = requests.Request(**_usable(case.as_transport_kwargs(base_url=HERE))).prepare()
        headers = {str(name): value for name, value in asked.headers.items()} | self.headers
        body = asked.body.encode() if isinstance(asked.body, str) else asked.body
        answer = self.loop.run_until_complete(self._send(str(asked.method), str(asked.url), headers, body))
        self.tried.answers.append(answer)
        if answer >= FAULT and answer not in (FULL, ABSENT):
            self.tried.faults.append(f"{answer} {method} {path} {asked.url} {body!r}"[:400])

    async def _send(self, method: str, url: str, headers: dict[str, Any], body: Any) -> int:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport) as client:
            try:
                request = client.build_request(method, url, headers=headers, content=body, timeout=60)
            except (httpx.InvalidURL, UnicodeError, TypeError, ValueError):
                return 0  # no browser could send it
            return (await client.send(request)).status_code


def _usable(words: dict[str, Any]) -> dict[str, Any]:
    names = ("method", "url", "headers", "params", "json", "data", "cookies", "files")
    return {name: words[name] for name in names if words.get(name) is not None}


def try_all(caller: Caller, schema: Any, examples: int, skipped: tuple[str, ...]) -> Tried:
    """Try every address with so many examples."""
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.startswith(skipped) and caller.headers.get("Cookie"):
            continue
        caller.tried.addresses += 1
        _try_one(caller, operation, examples)
    return caller.tried


def _try_one(caller: Caller, operation: Any, examples: int) -> None:
    @seed(7)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), there=st.booleans())
    def tried(case: Any, there: bool) -> None:
        if there and case.path_parameters:  # what it asks about exists, half of the time
            for name in case.path_parameters:
                case.path_parameters[name] = caller.known.get(name, case.path_parameters[name])
        caller.call(case, operation.method, operation.path)

    tried()


def tried_relay(folder: Path, who: str, examples: int) -> Tried:
    """Try the relay's interface as one role, on an archive with cases."""
    from relay_desk.real_desk import filled

    with filled(folder) as desk:
        from chevet.relay.api.app import create_app

        user = PEOPLE.get(who)
        cookie = {"Cookie": f"chevet_desk={desk.token(user)}"} if user else {}
        first = desk.studies[0]
        known = {"case_id": first.id, "recording_id": first.recordings[0].id, "user_id": "amrani"}
        return _tried(create_app(desk.relay), who, cookie, known, examples)


def tried_agent(folder: Path, examples: int) -> Tried:
    """Try the kiosk's interface as a worker, on a box with fake instruments."""
    edge = str(Path(__file__).resolve().parent.parent / "edge")
    if edge not in sys.path:
        sys.path.insert(0, edge)
    from edge_fakes import make_box, sign_in_worker

    from chevet.edge.api import make_app
    from chevet.edge.sessions import COOKIE
    from chevet.edge.workers import Worker

    folder.mkdir(parents=True, exist_ok=True)
    box = make_box(folder)
    try:
        sign_in_worker(box)
        token = box.bedside.sessions.open(Worker("amina", "Amina"))
        return _tried(make_app(box.bedside), AGENT, {"Cookie": f"{COOKIE}={token}"}, {}, examples)
    finally:
        box.close()


def _tried(app: Any, who: str, cookie: dict[str, str], known: dict[str, str], examples: int) -> Tried:
    loop = asyncio.new_event_loop()
    try:
        caller = Caller(app, {"X-Chevet": "1"} | cookie, known, Tried(who), loop)
        document = json.loads(json.dumps(app.openapi()))
        return try_all(caller, schemathesis.openapi.from_dict(document), examples, OWN_SESSION)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
