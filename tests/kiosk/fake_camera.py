"""Badges, cards before a camera and photographs, as the fake box answers them."""

import secrets
from typing import TYPE_CHECKING, Any

from fastapi import Request
from kiosk.fake_signals import eardrum
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from kiosk.fake_edge import FakeEdge


def refused(status: int, code: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": f"Refused: {code}.", "field": None}}, status)


def camera_calls(edge: "FakeEdge", add: Any) -> None:
    """Add the calls."""

    def badge(_: Request, body: dict[str, Any]) -> Response:
        worker = next((one for one in edge.workers if edge.badges.get(one["id"]) == body["text"]), None)
        if worker is None:
            return refused(401, "wrong_badge")
        token = secrets.token_hex(8)
        edge.tokens.add(token)
        edge.worker = worker
        answer = JSONResponse({"worker": worker})
        answer.set_cookie("session", token, httponly=True, samesite="strict")
        return answer

    def look(*_: Any) -> dict[str, Any]:
        return {"patient": next((one for one in edge.patients if one["id"] == edge.card_seen), None)}

    def photograph(request: Request, _: dict[str, Any]) -> Response:
        edge.photos[request.path_params["id"]] = eardrum(2)
        return Response(status_code=204)

    def photo(request: Request, _: dict[str, Any]) -> Response:
        kept = edge.photos.get(request.path_params["id"])
        return refused(404, "not_found") if kept is None else Response(kept, media_type="image/jpeg")

    def forget(request: Request, _: dict[str, Any]) -> Response:
        edge.photos.pop(request.path_params["id"], None)
        return Response(status_code=204)

    add("POST", "/session/badge", badge, open_to_all=True)
    add("POST", "/patients/look", look)
    add("PUT", "/patients/{id}/photo", photograph)
    add("GET", "/patients/{id}/photo", photo)
    add("DELETE", "/patients/{id}/photo", forget)
