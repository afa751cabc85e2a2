"""Deny by default: every route of the application, with every role, with half a session and with none."""

import pytest
from fastapi import APIRouter
from starlette.routing import Mount, WebSocketRoute

from chevet.relay.accounts.roles import ROLES
from chevet.relay.api.app import create_app
from chevet.relay.api.guard import OPEN, Here, endpoints, require_roles
from chevet.relay.api.live import ROLES as LISTENERS

from .conftest import OPINION, PASSWORD, code
from .test_desk_rights import MAY, PUBLIC, filled

BESIDE = {
    "/api/openapi.json",
    "/api/live",
    "/api/cases/{case_id}/live",
    "/api/cases/{case_id}/call",
    "/shared",
    "/desk",
    "/worker.js",
    "",
}
"""What is no endpoint of a router: the interface's description, live lines, static files, their list."""


def beside(routes):
    """Paths of everything that is served and is no endpoint."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "router", None)
        if isinstance(route, Mount | WebSocketRoute):
            yield route.path
        elif inner is not None:
            yield from beside(inner.routes)
        elif not list(endpoints([route])):
            yield route.path


def test_whatever_is_served_is_in_a_table(world):
    app = create_app(world.relay)
    assert {(method, path) for method, path, _ in endpoints(app.routes)} == PUBLIC | MAY.keys()
    assert set(beside(app.routes)) == BESIDE
    assert OPEN == PUBLIC


def test_a_route_that_names_no_roles_is_never_served(world):
    router = APIRouter(prefix="/api")

    @router.get("/forgotten")
    def forgotten(relay: Here):
        return {"name": relay.keys.name}

    with pytest.raises(RuntimeError, match="GET /api/forgotten"):
        require_roles(router.routes)
    app = create_app(world.relay)
    app.include_router(router)
    with pytest.raises(RuntimeError, match="GET /api/forgotten"):
        require_roles(app.routes)


def test_the_description_and_the_static_files_hold_no_data(world):
    described = create_app(world.relay).openapi()
    assert world.relay.keys.name not in str(described)
    assert LISTENERS == ("specialist", "coordinator", "expert")


@pytest.mark.parametrize("stage", ["nothing", "an_unknown_token", "half", "ended", "idle", "disabled"])
async def test_without_an_open_session_no_endpoint_answers(world, client, stage):
    user = world.user()
    async with client(None if stage in ("nothing", "an_unknown_token", "half") else user) as desk:
        if stage == "an_unknown_token":
            desk.cookies.set("chevet_desk", "x" * 43)
        elif stage == "half":
            await desk.post("/api/session", json={"user": "dr", "password": PASSWORD})
        elif stage == "ended":
            world.relay.users.sign_out("dr")
        elif stage == "idle":
            world.clock.ms += world.relay.sign_in.rules.idle_ms
        elif stage == "disabled":
            world.relay.users.disable("dr")
        for method, path in MAY:
            answer = await desk.request(method, filled(path), json=OPINION)
            assert code(answer) == (401, "not_signed_in"), (method, path)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_is_refused_before_anything_is_looked_at(world, client, sent, role):
    study = sent()
    real = {"case_id": study.id, "recording_id": study.recordings[0].id, "session_id": "s"}
    async with client(world.user("someone", role)) as desk:
        for (method, path), roles in MAY.items():
            if role in roles:
                continue
            where = filled(path, **real)
            for body in (OPINION, {"unknown": 1}):
                assert code(await desk.request(method, where, json=body)) == (403, "not_allowed"), path
