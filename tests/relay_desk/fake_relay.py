"""A small faithful fake of the desk's part of docs/api.md, with faults to switch on."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from relay_desk.cases_for_desk import DOCTOR, Shape, all_cases, ident, in_inbox, now_ms
from relay_desk.signals_for_desk import (
    LEADS,
    eardrum,
    ecg,
    ecg_marks,
    encoded_sound,
    pleth,
    skin,
    sound_marks,
    wave_frame,
)

from chevet.relay.api import shell

ROOT = Path(__file__).resolve().parents[2]
DESK = ROOT / "cloud-relay" / "chevet" / "relay" / "desk"
SHARED = ROOT / "kiosk-ui" / "chevet" / "kiosk" / "static" / "shared"
CSP = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; frame-ancestors 'none'"
)
PASSWORD = "correct horse"
FRAMES = 6
ORDER = {"emergency": 0, "urgent": 1, "routine": 2}


class RefusalError(Exception):
    """An answer in the one form of error."""

    def __init__(self, status: int, code: str, field: str | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.field = status, code, field


class FakeRelay:
    """State of the fake; `faults` maps the beginning of a path to the (status, code) it answers."""

    def __init__(self) -> None:
        self.url = ""
        self.live: list[WebSocket] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self.reset()

    def reset(self) -> None:
        """Everything as new; nobody signed in."""
        self.cases: dict[str, Shape] = {case["id"]: case for case in all_cases()}
        letter = {"id": ident(9000), "site": "talsin", "reason": "bad_signature"}
        self.refused: list[Shape] = [letter | {"at_ms": now_ms() - 7_200_000}]
        self.faults: dict[str, tuple[int, str]] = {}
        self.slow = threading.Event()
        self.back: list[Shape] = []
        self.gaps: list[list[int]] = []
        self.swaps: list[Shape] = []
        self.earlier: list[Shape] = []
        self.user: Shape | None = None
        self.devices: dict[str, set[str]] = {}
        self.ended = False
        self.wanted_ms: int | None = None
        self.read_offline: list[Shape] = []
        self.contacts = 0

    def case(self, case_id: str) -> Shape:
        if case_id not in self.cases:
            raise RefusalError(404, "not_found")
        return self.cases[case_id]

    def visits(self, case_id: str) -> list[Shape]:
        """The case and, under their own ids, the earlier visits."""
        past = [visit for visit in self.earlier if visit["id"] == case_id]
        return past or [self.case(case_id)]

    def recording(self, case_id: str, rid: str) -> Shape:
        for visit in self.visits(case_id):
            for recording in visit["recordings"]:
                found: Shape = recording
                if found["id"] == rid:
                    return found
        raise RefusalError(404, "not_found")

    def all_here(self, case_id: str) -> bool:
        """Whether nothing of a case is still on its way."""
        parts = [part for one in self.case(case_id)["recordings"] for part in one["layers"].values()]
        return all(part["have"] == part["total"] for part in parts)

    def layer(self, recording: Shape, asked: str | None) -> str:
        """The layer asked for, or the best that is whole."""
        names = {"1": "preview", "2": "diagnostic", "3": "lossless"}
        there = [names[n] for n, part in recording["layers"].items() if part["have"] == part["total"]]
        if asked and asked not in there:
            raise RefusalError(404, "not_yet_here")
        if not there:
            raise RefusalError(404, "not_yet_here")
        return asked or there[-1]

    def tell_soon(self, message: Shape) -> None:
        """Send to all open desks, from the test's own thread."""
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(self.tell(message), self.loop).result(5)

    async def tell(self, message: Shape) -> None:
        for one in list(self.live):
            await one.send_json(message)


def build(relay: FakeRelay) -> FastAPI:
    """The application with all routes of the desk."""
    app = FastAPI()
    shell.install(app, DESK, SHARED)
    app.mount("/desk", StaticFiles(directory=DESK))
    app.mount("/shared", StaticFiles(directory=SHARED))
    _guard(app, relay)
    _session_routes(app, relay)
    _case_routes(app, relay)
    _media_routes(app, relay)
    _aid_routes(app, relay)
    _keeping_routes(app, relay)

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(DESK / "index.html")

    @app.get("/sealed.html")
    def sealed() -> FileResponse:
        return FileResponse(DESK / "sealed.html")

    return app


def _answer(refusal: RefusalError) -> JSONResponse:
    body = {"error": {"code": refusal.code, "message": f"refused: {refusal.code}", "field": refusal.field}}
    return JSONResponse(body, refusal.status)


def _guard(app: FastAPI, relay: FakeRelay) -> None:
    @app.middleware("http")
    async def guard(request: Request, call_next: Any) -> Response:
        path = request.url.path
        while path.startswith("/api") and relay.slow.is_set():  # noqa: ASYNC110 - a test's own thread clears it
            await asyncio.sleep(0.02)
        fault = next((fault for start, fault in relay.faults.items() if path.startswith(start)), None)
        if fault:
            return _answer(RefusalError(*fault))
        if request.method not in ("GET", "HEAD") and request.headers.get("X-Chevet") != "1":
            return _answer(RefusalError(403, "wrong_origin"))
        is_open = path in ("/api/status", "/api/session", "/api/kept") or not path.startswith("/api")
        if not is_open and relay.user is None:
            return _answer(RefusalError(401, "not_signed_in"))
        response: Response = await call_next(request)
        response.headers["Content-Security-Policy"] = CSP
        return response

    @app.exception_handler(RefusalError)
    def refused(_: Request, refusal: RefusalError) -> JSONResponse:
        return _answer(refusal)


def _session_routes(app: FastAPI, relay: FakeRelay) -> None:
    @app.get("/api/status")
    def status() -> Shape:
        languages = ["fr", "ar", "en"]
        return {
            "programme": "SMT Haut Atlas", "version": "0.1.0", "label": "HTEST", "languages": languages,
            "broker": "online", "now_ms": now_ms(),
        }  # fmt: skip

    @app.get("/api/session")
    def session() -> Shape:
        return {"user": relay.user}

    @app.post("/api/session")
    def sign_in(body: dict[str, str]) -> Shape:
        if body["password"] != PASSWORD:
            raise RefusalError(401, "wrong_password")
        relay.user = DOCTOR
        return {"user": relay.user}

    @app.delete("/api/session", status_code=204)
    def sign_out() -> None:
        relay.user = None

    @app.websocket("/api/live")
    async def live(socket_: WebSocket) -> None:
        await socket_.accept()
        relay.loop = asyncio.get_running_loop()
        relay.live.append(socket_)
        try:
            while True:
                await socket_.receive_text()
        except WebSocketDisconnect:
            relay.live.remove(socket_)


def _case_routes(app: FastAPI, relay: FakeRelay) -> None:
    _reading_routes(app, relay)
    _claim_routes(app, relay)
    _writing_routes(app, relay)


def _reading_routes(app: FastAPI, relay: FakeRelay) -> None:
    @app.get("/api/inbox")
    def inbox() -> Shape:
        def place(case: Shape) -> tuple[bool, int, int]:
            return case["state"] == "answered", ORDER[case["urgency"]], -case["age_s"]

        return {"cases": [in_inbox(case) for case in sorted(relay.cases.values(), key=place)]}

    @app.get("/api/discussions")
    def discussions() -> Shape:
        return {"discussions": []}

    @app.get("/api/refused")
    def refused() -> Shape:
        return {"bundles": relay.refused}

    @app.get("/api/cases/{case_id}")
    def case(case_id: str) -> Shape:
        return relay.case(case_id)

    @app.get("/api/cases/{case_id}/delivery")
    def delivery(case_id: str) -> Shape:
        relay.case(case_id)
        at = now_ms() - 900_000
        return {
            "manifest_ms": at,
            "layers_ms": {"0": at, "1": at + 2000, "2": at + 20_000, "3": at + 61_000},
            "complete_ms": at + 61_000 if relay.all_here(case_id) else None,
            "bytes_up": 402_311,
            "bytes_down": 8120,
            "sha256": "ab" * 32,
            "refused": "",
            "wanted_ms": relay.wanted_ms,
            "back": relay.back,
        }


def _claim_routes(app: FastAPI, relay: FakeRelay) -> None:
    @app.post("/api/cases/{case_id}/claim")
    async def claim(case_id: str) -> Shape:
        found = relay.case(case_id)
        if found["claimed_by"] and relay.user and found["claimed_by"]["id"] != relay.user["id"]:
            raise RefusalError(409, "claimed")
        found.update(state="claimed", claimed_by={"id": DOCTOR["id"], "name": DOCTOR["name"]})
        await relay.tell({"type": "case", "id": case_id})
        return found

    @app.post("/api/cases/{case_id}/release")
    async def release(case_id: str) -> Shape:
        found = relay.case(case_id)
        found.update(state="waiting", claimed_by=None)
        await relay.tell({"type": "inbox"})
        return found


def _writing_routes(app: FastAPI, relay: FakeRelay) -> None:
    @app.post("/api/cases/{case_id}/opinions", status_code=201)
    async def sign(case_id: str, body: dict[str, Any]) -> Shape:
        found = relay.case(case_id)
        if body.pop("password") != PASSWORD:
            raise RefusalError(401, "wrong_password", "password")
        if not found["claimed_by"]:
            raise RefusalError(409, "not_claimed")
        author = {"id": DOCTOR["id"], "name": DOCTOR["name"], "specialty": DOCTOR["specialty"]}
        version = len(found["opinions"]) + 1
        signed = body | {"id": ident(5000), "case": case_id, "version": version, "author": author}
        signed |= {"signed_ms": now_ms(), "verified": True}
        relay.back.append({"id": signed["id"], "kind": "opinion", "queued_ms": now_ms(), "at_site_ms": None})
        found["opinions"].append(signed)
        found.pop("draft", None)
        found["state"] = "answered"
        await relay.tell({"type": "inbox"})
        return signed

    @app.post("/api/cases/{case_id}/messages", status_code=201)
    async def write(case_id: str, body: dict[str, Any]) -> Shape:
        found = relay.case(case_id)
        author = {"id": DOCTOR["id"], "name": DOCTOR["name"], "specialty": DOCTOR["specialty"]}
        sent = body | {"id": ident(6000 + len(found["messages"])), "case": case_id, "author": author}
        sent |= {"at_ms": now_ms(), "verified": True}
        found["messages"].append(sent)
        return sent


def _keeping_routes(app: FastAPI, relay: FakeRelay) -> None:
    @app.post("/api/cases/{case_id}/want", status_code=204)
    def want(case_id: str) -> None:
        relay.case(case_id)
        relay.wanted_ms = now_ms()

    @app.put("/api/cases/{case_id}/draft")
    async def draft(case_id: str, body: dict[str, Any]) -> Shape:
        found, replaced = relay.case(case_id), body.pop("replaces_ms", None)
        if found["claimed_by"] is None or found["claimed_by"]["id"] != DOCTOR["id"]:
            raise RefusalError(409, "not_claimed")
        if len(found["opinions"]) > body["opinions"]:
            raise RefusalError(409, "answered_meanwhile")
        if found.get("draft") and found["draft"]["at_ms"] != replaced:
            raise RefusalError(409, "draft_changed")
        found["draft"] = body | {"at_ms": now_ms()}
        return {"at_ms": found["draft"]["at_ms"]}

    @app.delete("/api/cases/{case_id}/draft", status_code=204)
    def drop(case_id: str) -> None:
        relay.case(case_id).pop("draft", None)

    @app.post("/api/cases/{case_id}/keep")
    async def keep(case_id: str, body: Shape) -> Shape:
        relay.case(case_id)
        device = body["device"] or "device-1"
        relay.devices.setdefault(device, set()).add(case_id)
        return {"device": device, "until_ms": now_ms() + 7 * 86_400_000, "now_ms": now_ms()}

    @app.post("/api/kept")
    async def contact(body: Shape) -> Shape:
        relay.contacts += 1
        relay.read_offline += body["opened"]
        held = set() if relay.ended else relay.devices.get(body["device"], set())
        gone = {one: _why_gone(relay, one) for one in body["cases"] if relay.ended or _why_gone(relay, one)}
        stay = {one: now_ms() + 86_400_000 for one in body["cases"] if one in held and one not in gone}
        return {"stands": not relay.ended, "stay": stay, "gone": gone, "now_ms": now_ms()}

    @app.get("/api/kept")
    def devices() -> Shape:
        return {"devices": []}


def _why_gone(relay: FakeRelay, case_id: str) -> str:
    found = relay.cases.get(case_id)
    if relay.ended or found is None:
        return "ended" if relay.ended else "gone"
    if found["opinions"]:
        return "answered"
    return "" if found["claimed_by"] and found["claimed_by"]["id"] == DOCTOR["id"] else "not_claimed"


def _media_routes(app: FastAPI, relay: FakeRelay) -> None:
    @app.get("/api/cases/{case_id}/recordings/{rid}/waveform")
    def waveform(case_id: str, rid: str, layer: str | None = None) -> Response:
        recording = relay.recording(case_id, rid)
        best = relay.layer(recording, layer)
        if recording["step"] == "oximetry":
            frame = wave_frame(pleth(), 75, ["pleth"], unit="1", layer=best)
        elif best == "preview":
            frame = wave_frame(ecg(125), 125, LEADS, layer="preview")
        else:
            frame = wave_frame(ecg(), 500, LEADS, layer="lossless", gaps=relay.gaps)
        return Response(frame, media_type="application/octet-stream")

    @app.get("/api/cases/{case_id}/recordings/{rid}/source")
    def source(case_id: str, rid: str) -> Response:
        relay.layer(relay.recording(case_id, rid), "lossless")
        named = {"Content-Disposition": 'attachment; filename="HTEST-ecg-original.dcm"'}
        return Response(b"\x00" * 128 + b"DICM", media_type="application/dicom", headers=named)

    @app.get("/api/cases/{case_id}/recordings/{rid}/sound")
    def sound(case_id: str, rid: str, layer: str | None = None) -> Response:
        data, media_type = encoded_sound(relay.layer(relay.recording(case_id, rid), layer))
        return Response(data, media_type=media_type)

    @app.get("/api/cases/{case_id}/recordings/{rid}/pictures/{n}")
    def picture(case_id: str, rid: str, n: int, layer: str | None = None) -> Response:
        recording = relay.recording(case_id, rid)
        best = relay.layer(recording, layer)
        data, media_type = skin(best) if recording["step"] == "photo" else eardrum(recording["side"], best)
        return Response(data, media_type=media_type)


def _aid_routes(app: FastAPI, relay: FakeRelay) -> None:
    here = "/api/cases/{case_id}/recordings/{rid}"

    @app.get("/api/cases/{case_id}/earlier")
    def earlier(case_id: str) -> Shape:
        relay.case(case_id)
        return {"visits": relay.earlier}

    @app.get(here + "/marks")
    def marks(case_id: str, rid: str) -> Shape:
        recording = relay.recording(case_id, rid)
        relay.layer(recording, "lossless")
        return ecg_marks(relay.swaps) if recording["step"] == "ecg" else sound_marks()

    @app.put(here + "/drawings/{number}")
    async def draw(case_id: str, rid: str, number: int, body: Shape) -> Shape:
        found = relay.case(case_id)
        mine = {"recording": rid, "picture": number}
        others = [
            one for one in found["drawings"] if one | mine != one or one["author"]["id"] != DOCTOR["id"]
        ]
        author = {"id": DOCTOR["id"], "name": DOCTOR["name"]}
        drawn = mine | {"author": author, "shapes": body["shapes"], "at_ms": now_ms()}
        found["drawings"] = [*others, drawn] if body["shapes"] else others
        return {"drawings": found["drawings"]}

    @app.get(here + "/print")
    def print_(case_id: str, rid: str) -> Response:
        relay.recording(case_id, rid)
        return Response(b"%PDF-1.4", media_type="application/pdf")

    @app.get(here + "/sound/without-heart")
    def without_heart(case_id: str, rid: str) -> Response:
        relay.layer(relay.recording(case_id, rid), "lossless")
        return Response(encoded_sound("lossless", quiet=True)[0], media_type="audio/wav")

    @app.get(here + "/pictures/{n}/enhanced")
    def enhanced(case_id: str, rid: str, n: int) -> Response:
        recording = relay.recording(case_id, rid)
        return Response(eardrum(recording["side"], "lossless", brighter=True)[0], media_type="image/jpeg")

    @app.get(here + "/clip")
    def clip(case_id: str, rid: str) -> Response:
        recording = relay.recording(case_id, rid)
        return Response(eardrum(recording["side"], "lossless")[0], media_type="image/jpeg")

    @app.get(here + "/clip/frames")
    def frames(case_id: str, rid: str) -> Shape:
        relay.recording(case_id, rid)
        return {"seconds": [round(0.2 * n, 2) for n in range(FRAMES)]}

    @app.get(here + "/clip/frames/{k}")
    def frame(case_id: str, rid: str, k: int) -> Response:
        recording = relay.recording(case_id, rid)
        return Response(eardrum(recording["side"], "lossless", turn=8 * k)[0], media_type="image/jpeg")


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a free port in a thread of this process; give its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", ws="websockets-sansio", timeout_keep_alive=60)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()


@contextmanager
def serving(relay: FakeRelay) -> Iterator[FakeRelay]:
    """Serve the fake."""
    with served(build(relay)) as relay.url:
        yield relay
