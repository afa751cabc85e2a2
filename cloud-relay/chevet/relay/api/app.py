"""The application: API, desk and shared instruments behind one wall."""

from importlib.metadata import version
from pathlib import Path

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
    for room in (session, enrol, inbox, recordings, answers, live):
        app.include_router(room.router)
    app.include_router(exports)
    app.include_router(fhir_audit)  # before the kinds of which anything is one
    app.include_router(fhir)
    app.include_router(aids)
    app.include_router(drawings)
    app.include_router(answer_drafts)
    app.include_router(kept)
    app.include_router(health)
    app.include_router(impact)
    app.include_router(passkeys)
    app.include_router(provider)
    app.include_router(programme)
    app.include_router(programme_sites)
    app.include_router(protection)
    app.include_router(duty)
    app.include_router(push)
    app.include_router(sealed)
    app.include_router(discussions)
    app.include_router(teaching)
    app.include_router(teaching_parts)
    app.include_router(voices)
    app.include_router(call)
    app.include_router(live_watch)
    require_roles(app.routes)
    shell.install(app, DESK, SHARED)
    app.mount("/shared", StaticFiles(directory=SHARED, check_dir=False), name="shared")
    app.mount("/desk", StaticFiles(directory=DESK, check_dir=False), name="desk-files")
    app.mount("/", StaticFiles(directory=DESK, html=True, check_dir=False), name="desk")
    app.add_middleware(Wall)
    return app
