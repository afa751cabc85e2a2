"""ECG files from a cart: which wait, and giving one to a visit."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import TakeImport
from chevet.edge.cart_store import Import
from chevet.edge.sessions import COOKIE
from chevet.edge.shapes import capture_shape
from chevet.edge.workers import Worker


def import_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api", dependencies=[Depends(signed_in)])
    cart, attaching = bedside.cart, bedside.attaching

    def listed() -> dict[str, Any]:
        imports = [_shape(one, attaching.named(one)) for one in cart.imports.waiting()]
        return {
            "imports": imports,
            "refused": cart.imports.refused_count() + cart.odd,
            "problem": cart.problem,
            "watching": cart.settings.folder is not None,
        }

    @routes.get("/imports")
    async def imports() -> dict[str, Any]:
        return await asyncio.to_thread(listed)

    @routes.post("/visits/{visit_id}/imports", status_code=201)
    async def take(visit_id: str, body: TakeImport) -> dict[str, Any]:
        row = await asyncio.to_thread(attaching.attach, visit_id, body.file, confirm=body.confirm)
        bedside.tell_capture(row)
        bedside.tell_imports()
        return capture_shape(row)

    @routes.delete("/imports/{import_id}", status_code=204)
    async def dismiss(import_id: str) -> None:
        await asyncio.to_thread(cart.imports.dismiss, import_id)
        bedside.tell_imports()

    return routes


def _shape(one: Import, named: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "driver": one.driver,
        "arrived_ms": one.arrived_ms,
        "taken": one.taken,
        "seconds": round(one.seconds, 1),
        "rate_hz": one.rate_hz,
        "leads": list(one.leads),
        "patient": named,
        "simulated": one.simulated,
    }
