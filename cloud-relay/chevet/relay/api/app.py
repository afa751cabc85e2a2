"""The application: API, desk and shared instruments behind one wall."""

from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from chevet.kiosk.files import SHARED
from chevet.relay.api import answers, enrol, inbox, live, recordings, refusals, session, shell
from chevet.relay.api.aids import router as aids
from chevet.relay.api.answer_drafts import router as answer_drafts
from chevet.relay.api.call import router as call
from chevet.relay.api.discussions import router as discussions
from chevet.relay.api.drawings import router as drawings
from chevet.relay.api.duty import router as duty
from chevet.relay.api.exports import router as exports
from chevet.relay.api.fhir import router as fhir
from chevet.relay.api.fhir_audit import router as fhir_audit
from chevet.relay.api.guard import require_roles
from chevet.relay.api.health import router as health
from chevet.relay.api.impact import router as impact
from chevet.relay.api.kept import router as kept
from chevet.relay.api.live_watch import router as live_watch
from chevet.relay.api.passkeys import router as passkeys
from chevet.relay.api.programme import router as programme
from chevet.relay.api.programme_sites import router as programme_sites
from chevet.relay.api.protection import router as protection
from chevet.relay.api.provider import router as provider
from chevet.relay.api.push import router as push
from chevet.relay.api.sealed import router as sealed
from chevet.relay.api.teaching import router as teaching
from chevet.relay.api.teaching_parts import router as teaching_parts
from chevet.relay.api.voices import router as voices
from chevet.relay.api.wall import STATEMENT, Wall
from chevet.relay.live.room import LiveRoom
from chevet.relay.relay import Relay

DESK: Path = Path(__file__).parent.parent / "desk"
ROUTERS: Final = (
    *(room.router for room in (session, enrol, inbox, recordings, answers, live)),
    exports,
    fhir_audit,  # before the kinds of which anything is one
    fhir,
    aids,
    drawings,
    answer_drafts,
    kept,
    health,
    impact,
    passkeys,
    provider,
    programme,
    programme_sites,
    protection,
    duty,
    push,
    sealed,
    discussions,
    teaching,
    teaching_parts,
    voices,
    call,
    live_watch,
)
"""Every part of the API, in the order in which an address is looked up."""


def create_app(relay: Relay, watching: LiveRoom | None = None) -> FastAPI:
    """Return the ASGI application that serves `relay`; without `watching` there is no live mode."""
    app = FastAPI(
        title="Chevet relay: the specialist's desk",
        description=STATEMENT,
        version=version("chevet"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.relay = relay
    app.state.live = watching
    refusals.install(app)
    for router in ROUTERS:
        app.include_router(router)
    require_roles(app.routes)
    shell.install(app, DESK, SHARED)
    app.mount("/shared", StaticFiles(directory=SHARED, check_dir=False), name="shared")
    app.mount("/desk", StaticFiles(directory=DESK, check_dir=False), name="desk-files")
    app.mount("/", StaticFiles(directory=DESK, html=True, check_dir=False), name="desk")
    app.add_middleware(Wall)
    return app
