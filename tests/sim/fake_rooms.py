"""A kiosk and a desk that keep docs/api.md with one canned consultation, and faults to switch on."""

import contextlib
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse

CASE = "case-1"
DRIVERS = {
    "oximeter": ("oximeter", "nonin-df2"),
    "ecg": ("ecg", "kit-ecg"),
    "stethoscope": ("stethoscope", "kit-stethoscope"),
    "otoscope": ("otoscope", "camera"),
}
PICTURE = b"\xff\xd8 a picture \xff\xd9"


def wave(samples: np.ndarray, **header: Any) -> bytes:
    head = {
        "count": samples.shape[1],
        "channels": [{"name": str(row)} for row in range(len(samples))],
        **header,
    }
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<BBH", 1, 1, len(text)) + text + samples.astype("<i2").tobytes()


@dataclass
class Rooms:
    """Both rooms' state.

    Attributes:
        faults: words that make something go wrong, see where they are used.
    """

    faults: set[str] = field(default_factory=set)
    captures: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    sent: bool = False
    opinion: dict[str, Any] | None = None

    def recording(self, asked: dict[str, Any], number: int) -> dict[str, Any]:
        still = asked["step"] == "otoscopy"
        poor = "poor" in self.faults
        return {
            "id": f"recording-{number}",
            "step": asked["step"],
            "site": asked["site"],
            "side": asked["side"],
            "samples": 0 if still else 100,
            "lost_samples": 0,
            "quality": {
                "score": 0.2 if poor else 0.9,
                "usable": not poor,
                "reasons": ["mains_hum"] if poor else [],
            },
            "pictures": [{"best": False}, {"best": True}] if still else [],
        }

    def samples(self, number: int) -> np.ndarray:
        return np.random.default_rng(number).integers(-500, 500, (2, 100)).astype(np.int16)


def refusal(code: str, message: str, status: int = 409) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message, "field": None}}, status)


def kiosk(stage: Any) -> FastAPI:
    """Return the kiosk of whatever rooms `stage.rooms` holds."""
    app = FastAPI()
    _doors(app, stage)
    _visits(app, stage)
    _captures(app, stage)
    _cases(app, stage)
    _live(app, stage)
    return app


def _doors(app: FastAPI, stage: Any) -> None:
    @app.middleware("http")
    async def keep_the_rules(request: Request, call_next):
        stage.rooms.calls.append(f"{request.method} {request.url.path}")
        if request.method != "GET" and request.headers.get("X-Chevet") != "1":
            return refusal("wrong_origin", "Send X-Chevet.", 403)
        if request.url.path != "/api/session" and request.cookies.get("kiosk") != "signed-in":
            return refusal("not_signed_in", "Sign in first.", 401)
        return await call_next(request)

    @app.post("/api/session")
    async def sign_in(body: dict[str, Any], response: Response):
        if body != {"worker": "amina", "pin": "2580"}:
            return refusal("wrong_pin", "That PIN is wrong.", 401)
        response.set_cookie("kiosk", "signed-in")
        return {"worker": {"id": "amina", "name": "Amina"}}


def _visits(app: FastAPI, stage: Any) -> None:
    @app.get("/api/devices")
    async def devices():
        state = "absent" if "absent" in stage.rooms.faults else "ready"
        return {
            "devices": [
                {"id": id_, "instrument": instrument, "driver": driver, "state": state}
                for id_, (instrument, driver) in DRIVERS.items()
            ]
        }

    @app.get("/api/visits/current")
    async def current():
        return {"visit": {"id": "old"} if "draft" in stage.rooms.faults else None}

    @app.post("/api/visits/old/abandon", status_code=204)
    async def abandon():
        return Response(status_code=204)

    @app.post("/api/patients")
    async def patient(body: dict[str, Any]):
        return {"id": "patient-1", **body}

    @app.post("/api/visits")
    async def visit():
        return {"id": "visit-1"}

    @app.put("/api/visits/visit-1/{_what}")
    @app.patch("/api/visits/{_what}")
    async def change(_what: str):
        return {"id": "visit-1"}


def _captures(app: FastAPI, stage: Any) -> None:
    @app.post("/api/visits/visit-1/captures", status_code=201)
    async def capture(body: dict[str, Any]):
        number = len(stage.rooms.captures)
        state = "failed" if "capture_fails" in stage.rooms.faults else "done"
        row = {"id": str(number), "state": state, "problem": "link_lost" if state == "failed" else ""}
        row["recording"] = stage.rooms.recording(body, number)
        stage.rooms.captures.append(row)
        return {**row, "state": "recording", "recording": None}

    @app.get("/api/captures/{number}")
    async def get_capture(number: int):
        return stage.rooms.captures[number]

    @app.get("/api/captures/{number}/waveform")
    async def waveform(number: int):
        return Response(wave(stage.rooms.samples(number)))

    @app.get("/api/captures/{number}/picture/{still}")
    async def picture(number: int, still: int):
        return Response(PICTURE + bytes([number, still]))

    @app.post("/api/captures/{number}/accept")
    async def accept(number: int, body: dict[str, Any]):
        if body["poor"] == stage.rooms.captures[number]["recording"]["quality"]["usable"]:
            return refusal("poor_quality", "Say whether it is poor.")
        return {"id": "visit-1"}


def _cases(app: FastAPI, stage: Any) -> None:
    @app.post("/api/visits/visit-1/send")
    async def send():
        if "incomplete" in stage.rooms.faults:
            return refusal("incomplete", "A specialty is missing.")
        stage.rooms.sent = True
        return {"case": CASE}

    @app.get("/api/cases/{_case}")
    async def case(_case: str):
        state = "answered" if stage.rooms.opinion else "at_relay"
        opinions = [stage.rooms.opinion] if stage.rooms.opinion else []
        refused = "bad_hash" if "relay_refuses" in stage.rooms.faults else ""
        return {"id": CASE, "state": state, "opinions": opinions, "refused": refused}

    @app.get("/api/cases/{_case}/delivery")
    async def delivery(_case: str):
        rows = [
            {
                **{
                    key: row["recording"][key]
                    for key in ("id", "step", "site", "side", "samples", "lost_samples")
                },
                "quality": row["recording"]["quality"],
                "driver": "kit-ecg",
                "link": "serial:ecg",
                "seconds": 0.1,
                "raw_bytes": 400,
                "layer_bytes": {"1": 10, "3": 200},
            }
            for row in stage.rooms.captures
        ]
        return {
            "closed_ms": 1_000_000,
            "complete_ms": 1_001_500,
            "bytes_up": 9000,
            "bytes_down": 120,
            "sha256": "ab",
            "recordings": rows,
        }

    @app.post("/api/cases/{_case}/read")
    async def read(_case: str):
        return {"id": CASE}


def _live(app: FastAPI, stage: Any) -> None:
    @app.websocket("/api/live")
    async def live(socket: WebSocket):
        if "no_live" in stage.rooms.faults:
            await socket.close()
            return
        await socket.accept()
        watched = (await socket.receive_json())["watch"]
        for device in watched if "silent_live" not in stage.rooms.faults else []:
            reading = {"kind": "spo2", "value": 97, "unit": "%", "status": []}
            await socket.send_json({"type": "reading", "device": device, "readings": [reading]})
            await socket.send_bytes(wave(stage.rooms.samples(0), device=device, first=0))
        await socket.send_bytes(b"\x09nonsense")
        await socket.send_text("nonsense")
        with contextlib.suppress(WebSocketDisconnect):
            await socket.receive_text()


def desk(stage: Any) -> FastAPI:  # noqa: C901 - one small function a call
    """Return the desk of whatever rooms `stage.rooms` holds."""
    app = FastAPI()

    @app.post("/api/session")
    async def sign_in(body: dict[str, Any], response: Response):
        response.set_cookie("desk", "signed-in")
        return {"user": {"id": body["user"]}}

    @app.get("/api/inbox")
    async def inbox():
        return {"cases": [] if "empty_inbox" in stage.rooms.faults else [{"id": CASE}]}

    @app.get("/api/cases/{_case}")
    async def case(_case: str):
        recordings = [row["recording"] for row in reversed(stage.rooms.captures)]
        return {
            "id": CASE,
            "recordings": recordings[1:] if "lost_recording" in stage.rooms.faults else recordings,
        }

    @app.get("/api/cases/{_case}/delivery")
    async def delivery(_case: str):
        sha256 = "cd" if "other_hash" in stage.rooms.faults else "ab"
        layers = {"0": 1_000_400, "1": 1_000_600, "2": 1_000_900, "3": 1_001_300}
        return {"layers_ms": layers, "complete_ms": 1_001_350, "sha256": sha256}

    @app.get("/api/cases/{_case}/recordings/recording-{number}/waveform")
    async def waveform(_case: str, number: int):
        return Response(wave(stage.rooms.samples(99 if "other_samples" in stage.rooms.faults else number)))

    @app.get("/api/cases/{_case}/recordings/recording-{_number}/sound")
    async def sound(_case: str, _number: int):
        return Response(b"sound")

    @app.get("/api/cases/{_case}/recordings/recording-{number}/pictures/{still}")
    async def picture(_case: str, number: int, still: int, layer: str):
        if layer == "preview" and still != 1:
            return refusal("not_yet_here", "Only the best still has a preview.", 404)
        return Response(PICTURE + bytes([number, still]))

    @app.post("/api/cases/{_case}/claim")
    async def claim(_case: str):
        return {"id": CASE}

    @app.post("/api/cases/{_case}/opinions", status_code=201)
    async def opinion(_case: str, body: dict[str, Any]):
        if "desk_breaks" in stage.rooms.faults:
            return Response("Internal Server Error", 500)
        digest = hashlib.sha256(body["impression"].encode()).hexdigest()[:8]
        stage.rooms.opinion = {"id": digest, "verified": "forged" not in stage.rooms.faults}
        return stage.rooms.opinion

    return app
