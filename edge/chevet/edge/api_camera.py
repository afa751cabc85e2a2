"""What any camera of the box does before a visit: it reads a card, and photographs a patient who agrees."""

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, Request, Response

from chevet.bridge.opencv_codes import read_qr
from chevet.edge.bedside import Bedside
from chevet.edge.bodies import Camera
from chevet.edge.errors import Refusal, not_found
from chevet.edge.patient_card import is_coded, read_card
from chevet.edge.patients import PHOTO_AT_MOST
from chevet.edge.sessions import COOKIE
from chevet.edge.shapes import patient_shape
from chevet.edge.workers import Worker

JPEG = b"\xff\xd8\xff"


def camera_routes(bedside: Bedside) -> APIRouter:
    """Return the routes; all of them need a session."""

    def signed_in(request: Request) -> Worker:
        return bedside.sessions.require(request.cookies.get(COOKIE))

    routes = APIRouter(prefix="/api/patients", dependencies=[Depends(signed_in)])

    @routes.post("/look")
    async def look(body: Camera) -> dict[str, Any]:
        text = await asyncio.to_thread(read_qr, _newest(bedside, body.device))
        patient_id = read_card(text)
        if patient_id is None:
            return {"patient": None}
        return {"patient": patient_shape(await asyncio.to_thread(bedside.patients.get, patient_id))}

    @routes.put("/{patient_id}/photo", status_code=204)
    async def photograph(patient_id: str, body: Camera) -> None:
        patient = await asyncio.to_thread(bedside.patients.get, patient_id)
        if is_coded(patient.name):
            raise Refusal("conflict", "A person under a code is not photographed.", field="patient")
        jpeg = _newest(bedside, body.device)
        if not jpeg.startswith(JPEG) or len(jpeg) > PHOTO_AT_MOST:
            raise _no_picture()
        await asyncio.to_thread(bedside.patients.keep_photo, patient_id, jpeg)

    @routes.get("/{patient_id}/photo")
    async def photo(patient_id: str) -> Response:
        jpeg = await asyncio.to_thread(bedside.patients.photo, patient_id)
        if jpeg is None:
            raise not_found("photo")
        return Response(jpeg, media_type="image/jpeg")

    @routes.delete("/{patient_id}/photo", status_code=204)
    async def forget(patient_id: str) -> None:
        await asyncio.to_thread(bedside.patients.forget_photo, patient_id)

    return routes


def _newest(bedside: Bedside, device: str) -> bytes:
    """Return what a camera sees now.

    Raises:
        Refusal: device_absent: it shows nothing, or is no camera.
    """
    jpeg = bedside.live.newest_picture(device)
    if jpeg is None:
        raise _no_picture()
    return jpeg


def _no_picture() -> Refusal:
    return Refusal(
        "device_absent", "This camera shows no picture; look at its cable.", status=503, field="device"
    )
