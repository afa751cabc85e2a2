"""Patients by their card, and patients whose name is not to be known."""

import asyncio
import secrets
from typing import Any

from fastapi import APIRouter, Depends, Request

from chevet.edge.bedside import Bedside
from chevet.edge.bodies import NewVisit, Search, Unnamed
from chevet.edge.errors import Refusal, not_found
from chevet.edge.patient_card import CODE_LENGTH, card_rows, card_text, new_code, read_card
from chevet.edge.sessions import COOKIE
from chevet.edge.shapes import patient_shape
from chevet.edge.workers import Worker
from chevet.study.study import Patient


def card_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api/patients", dependencies=[Depends(signed_in)])

    @routes.post("/card")
    async def card(body: NewVisit) -> dict[str, Any]:
        patient = await asyncio.to_thread(bedside.patients.get, body.patient)
        try:
            text = card_text(patient.id)
        except ValueError:
            raise not_found("card") from None
        return {"text": text, "rows": card_rows(text)}

    @routes.post("/scan")
    async def scan(body: Search) -> dict[str, Any]:
        patient_id = read_card(body.text)
        if patient_id is None:
            raise Refusal("not_a_card", "That is no patient's card; scan it again.", status=422, field="text")
        return patient_shape(await asyncio.to_thread(bedside.patients.get, patient_id))

    @routes.post("/coded")
    async def coded(body: Unnamed) -> dict[str, Any]:
        name = await asyncio.to_thread(_unused, bedside)
        patient_id = await asyncio.to_thread(bedside.training.new_patient_id)
        patient = Patient(patient_id, name, body.birth_year, body.sex)
        await asyncio.to_thread(bedside.patients.add, patient)
        return patient_shape(patient)

    return routes


def _unused(bedside: Bedside) -> str:
    """Return a code that nobody here has: two in half a thousand million are alike by chance."""
    while True:
        name = new_code(secrets.token_bytes(CODE_LENGTH))
        if not bedside.patients.search(name):
            return name
