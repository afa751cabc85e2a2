"""The HTTP calls of the fake box, with the refusals that docs/api.md names."""

import secrets
import time
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from kiosk.fake_camera import camera_calls
from kiosk.fake_signals import RATES, eardrum, sound_file, wave_frame
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from kiosk.fake_edge import FakeEdge

KINDS = {
    "oximetry": "oximeter",
    "ecg": "ecg",
    "heart_sound": "stethoscope",
    "lung_sound": "stethoscope",
    "otoscopy": "otoscope",
    "photo": "otoscope",
}
LIMITS = {
    "temperature": (25, 45),
    "systolic": (40, 300),
    "diastolic": (20, 200),
    "weight": (0.3, 400),
    "glucose": (10, 1000),
    "respiration_rate": (4, 120),
    "spo2": (30, 100),
    "pulse_rate": (20, 300),
}
SCREEN_FIELDS = {
    "reason", "question", "specialty", "urgency", "language", "red_flags", "screen", "path", "history",
}  # fmt: skip


SQUARE = ["".join("10"[(x * y + x) % 3 == 1] for x in range(25)) for y in range(25)]
"""Not a code, but as fine as one."""


def card_of(patient: str) -> str:
    """What the card of a patient says here: the right letters, made of the id."""
    return "TX" + "".join("BCDEFGHIJKLNOPRS"[ord(letter) % 16] for letter in (patient * 34)[:34])


def refuse(status: int, code: str, field: str | None = None) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": f"Refused: {code}.", "field": field}}, status)


def key_of(capture: dict[str, Any]) -> str:
    return f"{capture['step']}:{capture['site']}:{capture['side']}"


def routes_of(edge: "FakeEdge") -> APIRouter:
    """Return all calls."""
    routes = APIRouter(prefix="/api")

    def add(method: str, path: str, answer: Any, *, open_to_all: bool = False) -> None:
        async def call(request: Request) -> Response:
            if request.method != "GET" and request.headers.get("X-Chevet") != "1":
                return refuse(403, "wrong_origin")
            if not open_to_all and request.cookies.get("session") not in edge.tokens:
                return refuse(401, "not_signed_in")
            body = await request.json() if request.method in ("POST", "PUT", "PATCH") else {}
            made = answer(request, body)
            return made if isinstance(made, Response) else JSONResponse(made)

        routes.add_api_route(path, call, methods=[method])

    _people(edge, add)
    _visits(edge, add)
    _endings(edge, add)
    _captures(edge, add)
    _recorded(edge, add)
    _cases(edge, add)
    _found(edge, add)
    _measured(edge, add)
    _imports(edge, add)
    camera_calls(edge, add)
    return routes


def _found(edge: "FakeEdge", add: Any) -> None:
    def all_found(*_: Any) -> dict[str, Any]:
        return {"found": list(edge.found.values()), "searching": False}

    def decide(request: Request, body: dict[str, Any]) -> Any:
        one = edge.found.get(request.path_params["id"])
        if one is None:
            return refuse(404, "not_found")
        driver = body.get("driver") or one["driver"]
        if body["use"] and not driver:
            return refuse(409, "choose_driver", "driver")
        device = None
        if body["use"]:
            edge.add_meter(one["instrument"], driver)
            device = edge.devices[one["instrument"]]
        one |= {"state": "used", "device": device["id"]} if device else {"state": "refused"}
        return {"found": one, "device": device}

    def ask(request: Request, _: dict[str, Any]) -> Any:
        one = edge.found[request.path_params["id"]]
        one |= {"state": "offered", "instrument": "ecg", "driver": "bitalino", "drivers": ["bitalino"]}
        return one

    def forget(request: Request, _: dict[str, Any]) -> Response:
        edge.devices = {k: one for k, one in edge.devices.items() if one["id"] != request.path_params["id"]}
        return Response(status_code=204)

    def calibrate(request: Request, body: dict[str, Any]) -> Any:
        one = next(one for one in edge.devices.values() if one["id"] == request.path_params["id"])
        one |= body
        return one

    def choose_electrodes(_: Request, body: dict[str, Any]) -> Response:
        edge.electrodes = body["code"]
        return Response(status_code=204)

    add("GET", "/found", all_found)
    add("PUT", "/electrodes", choose_electrodes)
    add("POST", "/found", all_found)
    add("POST", "/found/{id}", decide)
    add("POST", "/found/{id}/ask", ask)
    add("POST", "/devices/{id}", calibrate)
    add("DELETE", "/devices/{id}", forget)


def _measured(edge: "FakeEdge", add: Any) -> None:
    def take(_: Request, body: dict[str, Any]) -> Any:
        newest = edge.measured.pop(body["device"], None)
        if newest is None:
            return refuse(409, "nothing_measured")
        for reading in newest["readings"]:
            put_vital(edge.visit, reading, newest["instrument"], "")
        return edge.visit

    add("GET", "/stored", lambda *_: {"readings": edge.stored})
    add("GET", "/visits/{id}/measured", lambda *_: {"measured": list(edge.measured.values())})
    add("POST", "/visits/{id}/measured", take)


def _imports(edge: "FakeEdge", add: Any) -> None:
    def take(_: Request, body: dict[str, Any]) -> Any:
        one = next((one for one in edge.imports if one["id"] == body["file"]), None)
        if one is None:
            return refuse(404, "not_found")
        if one["patient"] == "other" and not body["confirm"]:
            return refuse(409, "other_patient", "confirm")
        edge.imports.remove(one)
        return JSONResponse(edge.imported(one), 201)

    add(
        "GET", "/imports", lambda *_: {"imports": edge.imports, "refused": 0, "problem": "", "watching": True}
    )
    add("POST", "/visits/{id}/imports", take)


def _people(edge: "FakeEdge", add: Any) -> None:
    def sign_in(_: Request, body: dict[str, Any]) -> Response:
        if body["pin"] != edge.pin:
            return refuse(401, "wrong_pin")
        token = secrets.token_hex(8)
        edge.tokens.add(token)
        edge.worker = next(worker for worker in edge.workers if worker["id"] == body["worker"])
        answer = JSONResponse({"worker": edge.worker})
        answer.set_cookie("session", token, httponly=True, samesite="strict")
        return answer

    def who(request: Request, _: dict[str, Any]) -> dict[str, Any]:
        return {"worker": edge.worker if request.cookies.get("session") in edge.tokens else None}

    def sign_out(request: Request, _: dict[str, Any]) -> Response:
        edge.tokens.discard(request.cookies.get("session", ""))
        return Response(status_code=204)

    def search(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        text = body["text"].lower()
        return {
            "patients": [
                p for p in edge.patients if text in p["name"].lower() or text in p["local_number"].lower()
            ][:20]
        }

    def new_patient(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        edge.patients.insert(0, {"id": edge.new_id(), **body})
        return edge.patients[0]

    add("GET", "/status", lambda *_: edge.status(), open_to_all=True)
    add("GET", "/session", who, open_to_all=True)

    def scan(_: Request, body: dict[str, Any]) -> Any:
        found = next((one for one in edge.patients if card_of(one["id"]) == body["text"]), None)
        return found or refuse(404, "not_found")

    def coded(_: Request, body: dict[str, Any]) -> dict[str, Any]:
        edge.patients.insert(0, {"id": edge.new_id(), "name": "Code 7KM-4Q2", "local_number": "", **body})
        return edge.patients[0]

    add("POST", "/patients/card", lambda _, body: {"text": card_of(body["patient"]), "rows": SQUARE})
    add("POST", "/patients/scan", scan)
    add("POST", "/patients/coded", coded)
    add("GET", "/training", lambda *_: edge.course or refuse(404, "not_found"))
    add("GET", "/health", lambda *_: edge.health())

    def carry(_: Request, body: dict[str, Any]) -> Any:
        edge.sticks["work"] = body | {"state": "running", "code": "", "number": 1, "of": 2, "percent": 40}
        return JSONResponse(edge.sticks | {"waiting": 2}, 202)

    add("POST", "/sticks", carry)
    add("GET", "/sticks", lambda *_: edge.sticks | {"waiting": edge.status()["queue"]["waiting"]})
    add("GET", "/update", lambda *_: edge.update)
    add("POST", "/update", lambda _, body: JSONResponse(edge.update | {"wanted": body["version"]}, 202))
    add("POST", "/session", sign_in, open_to_all=True)
    add("DELETE", "/session", sign_out)
    add("GET", "/devices", lambda *_: {"devices": list(edge.devices.values())})
    add("POST", "/patients", new_patient)
    add("POST", "/patients/search", search)


def new_visit(edge: "FakeEdge", patient: dict[str, Any]) -> dict[str, Any]:
    """A visit with nothing in it."""
    empty: dict[str, Any] = dict.fromkeys(
        ("reason", "question", "specialty", "screen", "path", "override"), ""
    )
    return empty | {
        "id": edge.new_id(),
        "patient": patient,
        "state": "draft",
        "created_ms": round(time.time() * 1000),
        "urgency": "routine",
        "language": "fr",
        "red_flags": None,
        "consent": None,
        "recordings": [],
        "vitals": [],
        "skips": [],
        "tries": {},
        "capture": None,
        "history": {},
        "continues": None,
        "label": edge.label,
    }


def _visits(edge: "FakeEdge", add: Any) -> None:
    def open_visit(_: Request, body: dict[str, Any]) -> Any:
        if edge.visit:
            return refuse(409, "visit_open", edge.visit["id"])
        patient = next(p for p in edge.patients if p["id"] == body["patient"])
        edge.visit = new_visit(edge, patient)
        if body.get("case"):
            edge.visit |= continued(edge, body)
        return edge.visit

    def change(_: Request, body: dict[str, Any]) -> Any:
        if body.keys() - SCREEN_FIELDS:
            return refuse(422, "invalid")
        answers = edge.visit["history"] | body.pop("history", {})
        edge.visit |= body | {"history": {key: answer for key, answer in answers.items() if answer}}
        return edge.visit

    def consent(_: Request, body: dict[str, Any]) -> Any:
        given = {"purposes": body["purposes"], "witness": body.get("witness", "")}
        edge.visit["consent"] = {**given, "given_ms": round(time.time() * 1000)}
        edge.visit["override"] = body.get("override", "")
        return edge.visit

    def vital(_: Request, body: dict[str, Any]) -> Any:
        low, high = LIMITS[body["kind"]]
        if not low <= body["value"] <= high:
            return refuse(422, "implausible", "vitals.value")
        put_vital(edge.visit, body, "manual", "")
        return edge.visit

    def skip(_: Request, body: dict[str, Any]) -> Any:
        edge.visit["skips"].append(body)
        return edge.visit

    add("POST", "/visits", open_visit)
    add("GET", "/visits/current", lambda *_: {"visit": edge.visit})
    add("GET", "/visits/{id}", lambda *_: edge.visit)
    add("GET", "/visits/{id}/trends", lambda *_: edge.trends())
    add("PATCH", "/visits/{id}", change)
    add("PUT", "/visits/{id}/consent", consent)
    add("PUT", "/visits/{id}/vitals", vital)
    add("POST", "/visits/{id}/skips", skip)


def _endings(edge: "FakeEdge", add: Any) -> None:
    def send(*_: Any) -> Any:
        visit = edge.visit
        if visit["capture"]:
            return refuse(409, "incomplete", "capture")
        for missing in ("consent", "question", "specialty"):
            if not visit[missing]:
                return refuse(409, "incomplete", missing)
        case = edge.far.add(visit["id"], visit)
        edge.visit = None
        return {"case": case["id"]}

    def abandon(*_: Any) -> Response:
        edge.visit = None
        return Response(status_code=204)

    add("POST", "/visits/{id}/send", send)
    add("POST", "/visits/{id}/abandon", abandon)


def continued(edge: "FakeEdge", body: dict[str, Any]) -> dict[str, Any]:
    """What a visit takes over from the case it continues."""
    full, case = edge.far.full[body["case"]], edge.far.cases[body["case"]]
    asked = next((one for one in full["messages"] if one["id"] == body.get("message")), {})
    place = {key: asked.get(key, "") for key in ("step", "site", "side", "text")}
    kept = {key: case[key] for key in ("reason", "specialty", "urgency")}
    consent = full["consent"] or {"purposes": ["care"], "witness": "", "given_ms": case["created_ms"]}
    continues = {"case": body["case"], "message": body.get("message", ""), **place}
    return kept | {"question": full["question"], "consent": consent, "continues": continues}


def put_vital(visit: dict[str, Any], body: dict[str, Any], source: str, recording: str) -> None:
    visit["vitals"] = [one for one in visit["vitals"] if one["kind"] != body["kind"]]
    quality = {"score": 1, "usable": True, "reasons": []}
    visit["vitals"].append(
        {
            "kind": body["kind"],
            "value": body["value"],
            "unit": body["unit"],
            "source": source,
            "at_ms": round(time.time() * 1000),
            "quality": quality,
            "recording": recording,
        }
    )


def _captures(edge: "FakeEdge", add: Any) -> None:  # noqa: C901 - a table of calls
    def start(_: Request, body: dict[str, Any]) -> Any:
        instrument = KINDS[body["step"]]
        if edge.devices[instrument]["state"] != "ready":
            return refuse(503, "device_absent")
        if edge.running():
            return refuse(409, "capture_running")
        if edge.disk == "full":
            return refuse(507, "disk_full")
        capture = {
            "id": edge.new_id(),
            "visit": edge.visit["id"],
            "step": body["step"],
            "site": body.get("site", ""),
            "side": body.get("side", ""),
            "device": edge.devices[instrument]["id"],
            "state": "recording",
            "problem": "",
            "elapsed_s": 0.0,
            "seconds": body["seconds"],
            "recording": None,
            "began": time.monotonic(),
        }
        edge.captures[capture["id"]] = capture
        edge.visit["capture"] = capture
        return JSONResponse(capture, 201)

    def capture_of(request: Request) -> dict[str, Any]:
        return edge.captures[request.path_params["id"]]

    def stop(request: Request, _: dict[str, Any]) -> Any:
        capture = capture_of(request)
        edge.finish(capture)
        return capture

    def accept(request: Request, body: dict[str, Any]) -> Any:
        capture = capture_of(request)
        taken = capture["recording"]
        if not body["poor"] and not taken["quality"]["usable"]:
            return refuse(409, "poor_quality")
        taken["accepted_poor"] = body["poor"]
        edge.visit["recordings"].append(taken)
        edge.visit["capture"] = None
        for reading in taken["readings"]:
            put_vital(edge.visit, reading, taken["driver"], taken["id"])
        return edge.visit

    def discard(request: Request, _: dict[str, Any]) -> Any:
        key = key_of(capture_of(request))
        edge.visit["tries"][key] = edge.visit["tries"].get(key, 0) + 1
        edge.visit["capture"] = None
        return edge.visit

    add("POST", "/visits/{id}/captures", start)
    add("GET", "/captures/{id}", lambda request, _: capture_of(request))
    add("POST", "/captures/{id}/stop", stop)
    add("POST", "/captures/{id}/accept", accept)
    add("POST", "/captures/{id}/discard", discard)


def _recorded(edge: "FakeEdge", add: Any) -> None:
    def capture_of(request: Request) -> dict[str, Any]:
        return edge.captures[request.path_params["id"]]

    def waveform(request: Request, _: dict[str, Any]) -> Response:
        instrument = KINDS[capture_of(request)["step"]]
        count = int(capture_of(request)["seconds"] * RATES[instrument])
        return Response(
            wave_frame("", instrument, 0, count, "lossless"), media_type="application/octet-stream"
        )

    add("GET", "/captures/{id}/waveform", waveform)
    add(
        "GET",
        "/captures/{id}/picture/{n}",
        lambda request, _: Response(eardrum(int(request.path_params["n"]) * 11 + 2), media_type="image/jpeg"),
    )
    add(
        "GET",
        "/captures/{id}/sound",
        lambda request, _: Response(sound_file(capture_of(request)["seconds"]), media_type="audio/wav"),
    )


def _cases(edge: "FakeEdge", add: Any) -> None:
    def one(request: Request, _: dict[str, Any]) -> Any:
        case_id = request.path_params["id"]
        return {**edge.far.cases[case_id], **edge.far.full[case_id]}

    def read(request: Request, _: dict[str, Any]) -> Any:
        edge.far.cases[request.path_params["id"]]["unread"] = False
        return edge.far.cases[request.path_params["id"]]

    add("GET", "/cases", lambda *_: {"cases": list(edge.far.cases.values())})
    add("GET", "/cases/{id}", one)

    def feedback(request: Request, body: dict[str, Any]) -> Any:
        edge.far.cases[request.path_params["id"]]["feedback"] = body["face"]
        return one(request, body)

    add("POST", "/cases/{id}/feedback", feedback)
    add("POST", "/cases/{id}/read", read)
