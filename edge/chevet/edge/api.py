"""The kiosk's API (docs/api.md), composed; and the files of its screens."""

from fastapi import FastAPI

from chevet.edge.api_box import box_routes
from chevet.edge.api_call import call_routes
from chevet.edge.api_camera import camera_routes
from chevet.edge.api_captures import capture_routes
from chevet.edge.api_cards import card_routes
from chevet.edge.api_carry import carry_routes
from chevet.edge.api_cases import case_routes
from chevet.edge.api_found import found_routes
from chevet.edge.api_imports import import_routes
from chevet.edge.api_live import live_routes
from chevet.edge.api_meters import meter_routes
from chevet.edge.api_sticks import stick_routes
from chevet.edge.api_stored import stored_routes
from chevet.edge.api_training import training_routes
from chevet.edge.api_update import update_routes
from chevet.edge.api_visits import visit_routes
from chevet.edge.api_voices import voice_routes
from chevet.edge.bedside import Bedside
from chevet.edge.guard import add_error_forms
from chevet.edge.screens import add_screens


def make_app(bedside: Bedside) -> FastAPI:
    """Return the application that uvicorn serves."""
    app = FastAPI(
        title="Chevet edge",
        version=bedside.version,
        description="The kiosk's interface. Research and training software, not a medical device.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    add_error_forms(app, bedside.disk)
    for routes in (
        box_routes,
        found_routes,
        visit_routes,
        capture_routes,
        case_routes,
        voice_routes,
        call_routes,
        live_routes,
        import_routes,
        stored_routes,
        meter_routes,
        card_routes,
        camera_routes,
        training_routes,
        carry_routes,
        update_routes,
        stick_routes,
    ):
        app.include_router(routes(bedside))
    return add_screens(app)
