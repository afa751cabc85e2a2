"""The files of the kiosk's screens, served alike by a box at work and by one that waits for its key."""

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from chevet.edge.guard import Guard
from chevet.kiosk.files import INDEX, KIOSK, SHARED


def add_screens(app: FastAPI) -> FastAPI:
    """Serve the screens beside the routes that `app` has, all behind the guard."""

    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(INDEX)

    app.mount("/kiosk", StaticFiles(directory=KIOSK, check_dir=False), name="kiosk")
    app.mount("/shared", StaticFiles(directory=SHARED, check_dir=False), name="shared")
    app.add_middleware(Guard)
    return app
