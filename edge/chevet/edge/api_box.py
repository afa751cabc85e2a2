"""Status, sign-in, patients."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import Electrodes, NewPatient, Search, SignIn, SignInByBadge
from chevet.edge.health import health_shape
from chevet.edge.sessions import COOKIE
from chevet.edge.shapes import patient_shape
from chevet.edge.workers import Worker
from chevet.study.study import Patient


def box_routes(bedside: Bedside) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api")
    _session_routes(routes, bedside)
    _patient_routes(routes, bedside)

    @routes.get("/status")
    async def status() -> dict[str, Any]:
        return await asyncio.to_thread(bedside.status)

    @routes.get("/health")
    async def health(request: Request) -> dict[str, Any]:
        bedside.sessions.require(request.cookies.get(COOKIE))
        return await asyncio.to_thread(health_shape, bedside)

    @routes.put("/electrodes", status_code=204)
    async def choose_electrodes(body: Electrodes, request: Request) -> None:
        bedside.sessions.require(request.cookies.get(COOKIE))
        await asyncio.to_thread(bedside.kept.choose_electrodes, body.code)
        bedside.live.tell({"type": "status", "status": await asyncio.to_thread(bedside.status)})

    return routes


def _session_routes(routes: APIRouter, bedside: Bedside) -> None:
    @routes.get("/session")
    async def who(request: Request) -> dict[str, Any]:
        worker = bedside.sessions.find(request.cookies.get(COOKIE))
        return {"worker": {"id": worker.id, "name": worker.name} if worker else None}

    @routes.post("/session")
    async def sign_in(body: SignIn, response: Response) -> dict[str, Any]:
        worker = await asyncio.to_thread(bedside.workers.check, body.worker, body.pin)
        return await _entered(bedside, worker, response)

    @routes.post("/session/badge")
    async def sign_in_by_badge(body: SignInByBadge, response: Response) -> dict[str, Any]:
        worker = await asyncio.to_thread(bedside.workers.check_badge, body.text)
        return await _entered(bedside, worker, response)

    @routes.delete("/session", status_code=204)
    async def sign_out(request: Request, response: Response) -> None:
        bedside.sessions.close(request.cookies.get(COOKIE))
        response.delete_cookie(COOKIE, path="/")


async def _entered(bedside: Bedside, worker: Worker, response: Response) -> dict[str, Any]:
    if await asyncio.to_thread(bedside.training.signed_in, worker.id):
        await bedside.hands.after()
    token = bedside.sessions.open(worker)
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
    return {"worker": {"id": worker.id, "name": worker.name}}


def _patient_routes(routes: APIRouter, bedside: Bedside) -> None:
    @routes.post("/patients")
    async def add_patient(body: NewPatient, request: Request) -> dict[str, Any]:
        bedside.sessions.require(request.cookies.get(COOKIE))
        patient_id = await asyncio.to_thread(bedside.training.new_patient_id)
        patient = Patient(patient_id, body.name, body.birth_year, body.sex, body.local_number)
        await asyncio.to_thread(bedside.patients.add, patient)
        return patient_shape(patient)

    @routes.post("/patients/search")
    async def search(body: Search, request: Request) -> dict[str, Any]:
        bedside.sessions.require(request.cookies.get(COOKIE))
        found = await asyncio.to_thread(bedside.training.search, body.text)
        return {"patients": [patient_shape(patient) for patient in found]}
