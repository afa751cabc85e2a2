"""A small faithful agent: the kiosk's part of docs/api.md on a free port, with faults to switch on.

It keeps to the contract, not to the agent's code: the screens must work with either.
"""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Any, Self

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.staticfiles import StaticFiles
from kiosk.fake_desk import Far
from kiosk.fake_routes import KINDS, routes_of
from kiosk.fake_signals import RATES, eardrum, picture_frame, wave_frame
from starlette.responses import FileResponse

from chevet.kiosk.files import INDEX, KIOSK, SHARED
from chevet.study.specialties import SPECIALTIES

POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; frame-ancestors 'none'"
)
TICK_S = 0.05
GOOD = {"score": 0.94, "usable": True, "reasons": []}


def now_ms() -> int:
    return round(time.time() * 1000)


class FakeEdge:
    """State of one box; `with FakeEdge() as edge:` serves it at `edge.url`."""

    def __init__(self, *, label: str = "HTEST", speed: float = 1.0) -> None:
        self.label = label
        self.speed = speed
        self.tokens: set[str] = set()
        self.worker = {"id": "w1", "name": "Amina Berrada"}
        self.workers = [
            self.worker,
            {"id": "w2", "name": "Youssef El Idrissi"},
            {"id": "w3", "name": "Zahra Ouhmad"},
        ]
        self.pin = "2468"
        self.patients: list[dict[str, Any]] = []
        self.visit: dict[str, Any] | None = None
        self.captures: dict[str, dict[str, Any]] = {}
        self.far = Far()
        self.uplink = "online"
        self.power: dict[str, Any] = {"source": "mains", "percent": None}
        self.disk = "ok"
        self.verdict: dict[str, dict[str, Any]] = {}
        self.devices = {name: self._device(name) for name in ("oximeter", "ecg", "stethoscope", "otoscope")}
        self.found: dict[str, dict[str, Any]] = {}
        self.measured: dict[str, dict[str, Any]] = {}
        self.imports: list[dict[str, Any]] = []
        self.stored: list[dict[str, Any]] = []
        self.earlier: dict[str, list[dict[str, Any]]] = {}
        self.celsius = 51.5
        self.electrodes = "iec"
        self.route = ""
        self.sticks: dict[str, Any] = {"sticks": [], "work": None}
        self.update: dict[str, Any] = {"on": False, "quiet": True, "version": "0.1.0"}
        self.badges: dict[str, str] = {}
        self.photos: dict[str, bytes] = {}
        self.card_seen = ""
        self.training = ""
        self.course: dict[str, Any] | None = None
        self.prompts: list[dict[str, Any]] = []
        self.sockets: dict[WebSocket, set[str]] = {}
        self.started = time.monotonic()
        self.ids = 0
        self.url = ""
        self.keep_files = False

    def _device(self, instrument: str) -> dict[str, Any]:
        return {
            "id": f"{instrument}-1",
            "instrument": instrument,
            "driver": f"kit-{instrument}",
            "link": "serial",
            "state": "ready",
            "model": f"Kit {instrument}",
            "serial": "0001",
            "firmware": "1.0",
            "origin": "settings",
            "measured_hz": None,
            "rate_wrong": False,
            "calibrated_on": None,
            "battery_pct": None,
            "rates": {"wave": RATES.get(instrument, 10)},
            "lost_samples": 0,
            "bad_frames": 0,
            "last_packet_ms": now_ms(),
            "problem": "",
            "simulated": True,
        }

    # --- what a test may do to the box -----------------------------------------------------------

    def unplug(self, instrument: str) -> None:
        self.devices[instrument]["state"] = "absent"
        self.tell({"type": "device", "device": self.devices[instrument]})
        capture = self.running()
        if capture and capture["device"] == self.devices[instrument]["id"]:
            capture.update(state="failed", problem="device_lost")
            self.tell({"type": "capture", "capture": capture})

    def plug(self, instrument: str) -> None:
        self.devices[instrument]["state"] = "ready"
        self.tell({"type": "device", "device": self.devices[instrument]})

    def add_meter(self, instrument: str, driver: str) -> None:
        """A cuff or a scale comes into reach: it waits until somebody measures."""
        self.devices[instrument] = self._device(instrument) | {
            "driver": driver,
            "state": "waiting",
            "origin": "found",
            "battery_pct": 15,
            "rates": {},
        }
        self.tell({"type": "device", "device": self.devices[instrument]})

    def measure(
        self, instrument: str, *readings: tuple[str, float, str], reasons: tuple[str, ...] = ()
    ) -> None:
        """Somebody measures: the numbers arrive."""
        shapes = [
            {"kind": kind, "value": value, "unit": unit, "status": []} for kind, value, unit in readings
        ]
        device = self.devices[instrument]["id"]
        quality = {"score": 0.2 if reasons else 1.0, "usable": not reasons, "reasons": list(reasons)}
        self.measured[device] = {
            "device": device,
            "instrument": instrument,
            "at_ms": now_ms(),
            "readings": shapes,
            "quality": quality,
        }
        self.tell({"type": "reading", "device": device, "readings": shapes})

    def come_into_reach(self, instrument: str, *drivers: str, name: str, state: str = "offered") -> None:
        """Something is found on a bus; with several drivers the worker must choose."""
        self.found[name] = {
            "id": name,
            "bus": "serial",
            "name": name,
            "maker": "",
            "serial": "",
            "place": "ttyUSB0",
            "rssi": None,
            "state": state,
            "driver": drivers[0] if len(drivers) == 1 else "",
            "instrument": instrument,
            "drivers": list(drivers),
            "certainty": "certain",
            "reason": "frames:12",
            "doubt": "",
            "device": "",
            "problem": "",
            "seen_ms": now_ms(),
        }
        self.tell({"type": "found", "found": self.found[name]})

    def judge(self, instrument: str, *reasons: str, usable: bool = False) -> None:
        """From now on this instrument's signal has this quality; no reasons: good."""
        self.verdict[instrument] = (
            {"score": 0.3, "usable": usable, "reasons": list(reasons)} if reasons else GOOD
        )

    def health(self) -> dict[str, Any]:
        status = self.status()
        kept = {key: status[key] for key in ("disk", "power", "uplink", "queue", "version")}
        return kept | {
            "heat": {"celsius": self.celsius, "level": "hot" if self.celsius >= 80 else "ok"},
            "memory_bytes": 900_000_000,
            "clock": status["clock"] | {"up_s": 90_000},
            "devices": {"ready": 4, "known": len(self.devices), "weak": []},
            "visit_open": self.visit is not None,
            "support_code": "0200-4JS8-10C5K",
        }

    def trends(self) -> dict[str, Any]:
        """What earlier visits of the patient said, with this visit's numbers at the end."""
        assert self.visit is not None
        rows = {kind: list(points) for kind, points in self.earlier.items()}
        for vital in self.visit["vitals"]:
            rows.setdefault(vital["kind"], []).append(
                {"visit": self.visit["id"], **{key: vital[key] for key in ("at_ms", "value", "unit")}}
            )
        found = [one for one in self.prompts if one["kind"] in {v["kind"] for v in self.visit["vitals"]}]
        visits = 1 + max((len(points) for points in self.earlier.values()), default=0)
        return {"programmes": [], "visits": visits, "trends": rows, "symptoms": [], "prompts": found}

    def end_sessions(self) -> None:
        self.tokens.clear()

    # --- state shared with the routes ------------------------------------------------------------

    def new_id(self) -> str:
        self.ids += 1
        return f"018f0000-0000-7000-8000-{self.ids:012d}"

    def running(self) -> dict[str, Any] | None:
        capture = self.visit and self.visit["capture"]
        return capture if capture and capture["state"] == "recording" else None

    def status(self) -> dict[str, Any]:
        waiting = sum(case["state"] in ("on_box", "travelling") for case in self.far.cases.values())
        unread = sum(bool(case["unread"]) for case in self.far.cases.values())
        return {
            "site": {"code": "anfgou", "name": "Anfgou", "phone": "+212 535 00 00 00"},
            "label": self.label,
            "version": "0.1.0",
            "languages": ["fr", "ar", "zgh", "en"],
            "uplink": {"state": self.uplink, "route": self.route, "last_contact_ms": now_ms() - 4000},
            "queue": {"waiting": waiting, "travelling": 0, "refused": 0, "unread": unread},
            "power": self.power,
            "disk": {"free_bytes": 21_400_000_000, "level": self.disk},
            "clock": {"now_ms": now_ms(), "quality": "synchronised"},
            "workers": self.workers,
            "specialties": list(SPECIALTIES),
            "electrodes": self.electrodes,
            "training": self.training,
        }

    def tell(self, message: dict[str, Any]) -> None:
        """Send a text to every screen, from any thread."""
        text = json.dumps(message)
        for socket in list(self.sockets):
            asyncio.run_coroutine_threadsafe(_quietly(socket.send_text(text)), self.loop)

    def tell_case(self, case_id: str) -> None:
        self.tell({"type": "case", "case": self.far.cases[case_id]})

    # --- serving ---------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        settings = uvicorn.Config(
            self._app(),
            host="127.0.0.1",
            port=0,
            log_level="error",
            ws="websockets-sansio",
            timeout_keep_alive=60,
        )
        self.server = uvicorn.Server(settings)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
        return self

    def _serve(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.server.serve())
        self.loop.close()

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.server.force_exit = True
        self.thread.join(30)

    def _app(self) -> FastAPI:
        @contextlib.asynccontextmanager
        async def life(_: FastAPI) -> AsyncIterator[None]:
            play = asyncio.create_task(self._play())
            yield
            play.cancel()

        app = FastAPI(lifespan=life)

        @app.middleware("http")
        async def policy(request: Request, call_next: Any) -> Response:
            answer: Response = await call_next(request)
            answer.headers["Content-Security-Policy"] = POLICY
            kept = self.keep_files and not request.url.path.startswith("/api")
            answer.headers["Cache-Control"] = "max-age=3600" if kept else "no-store"
            return answer

        app.include_router(routes_of(self))
        app.add_api_websocket_route("/api/live", self._live)
        app.mount("/shared", StaticFiles(directory=SHARED))
        app.mount("/kiosk", StaticFiles(directory=KIOSK))
        app.add_api_route("/", lambda: FileResponse(INDEX))
        return app

    async def _live(self, socket: WebSocket) -> None:
        await socket.accept()
        self.sockets[socket] = set()
        try:
            while True:
                self.sockets[socket] = set((await socket.receive_json())["watch"])
        except WebSocketDisconnect:
            self.sockets.pop(socket, None)

    async def _play(self) -> None:
        sent = dict.fromkeys(RATES, 0)
        turn = 0
        while True:
            await asyncio.sleep(TICK_S)
            turn += 1
            for instrument, rate in RATES.items():
                until = int((time.monotonic() - self.started) * rate)
                await self._stream(instrument, sent[instrument], until)
                sent[instrument] = until
            if turn % 3 == 0:
                await self._show(turn)
            if turn % 10 == 0:
                await self._say()
            self._advance()

    async def _watchers(self, instrument: str, message: bytes | str) -> None:
        device = self.devices[instrument]
        for socket, watched in list(self.sockets.items()):
            if device["id"] in watched and device["state"] == "ready":
                send = socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message)
                await _quietly(send)

    async def _stream(self, instrument: str, first: int, until: int) -> None:
        frame = wave_frame(self.devices[instrument]["id"], instrument, first, until - first, at_ms=now_ms())
        await self._watchers(instrument, frame)

    async def _show(self, turn: int) -> None:
        await self._watchers("otoscope", picture_frame("otoscope-1", eardrum(turn), now_ms()))

    async def _say(self) -> None:
        for name, device in self.devices.items():
            quality = {
                "type": "quality",
                "device": device["id"],
                "quality": self.verdict.get(name, GOOD),
                "heart_rate": 72,
            }
            await self._watchers(name, json.dumps(quality))
        await self._watchers(
            "oximeter", json.dumps({"type": "reading", "device": "oximeter-1", "readings": READINGS})
        )

    def _advance(self) -> None:
        capture = self.running()
        if not capture:
            return
        capture["elapsed_s"] = min(capture["seconds"], (time.monotonic() - capture["began"]) * self.speed)
        if capture["elapsed_s"] >= capture["seconds"]:
            self.finish(capture)
        self.tell({"type": "capture", "capture": capture})

    def cart_brings(self, patient: str, taken: str = "2026-03-14T10:32:05") -> str:
        """Let the cart drop an ECG that names "same", "other" or "not_named"; return its id."""
        leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
        one = {"id": self.new_id(), "driver": "scp-ecg", "arrived_ms": now_ms(), "taken": taken}
        one |= {"seconds": 10.0, "rate_hz": 500.0, "leads": leads, "patient": patient, "simulated": True}
        self.imports.insert(0, one)
        return str(one["id"])

    def imported(self, one: dict[str, Any]) -> dict[str, Any]:
        """Make a capture of the cart's file."""
        assert self.visit is not None
        capture = {
            "id": self.new_id(), "visit": self.visit["id"], "step": "ecg", "site": "", "side": "",
            "device": "cart", "state": "recording", "problem": "", "elapsed_s": one["seconds"],
            "seconds": one["seconds"], "recording": None, "began": time.monotonic(),
        }  # fmt: skip
        self.captures[str(capture["id"])] = capture
        self.finish(capture)
        capture["recording"]["driver"] = one["driver"]
        self.visit["capture"] = capture
        return capture

    def finish(self, capture: dict[str, Any]) -> None:
        """End a capture and judge it."""
        instrument = KINDS[capture["step"]]
        capture["state"] = "done"
        capture["recording"] = recording(
            self.new_id(), capture, instrument, self.verdict.get(instrument, GOOD)
        )


READINGS = [
    {"kind": "spo2", "value": 97, "unit": "%", "status": []},
    {"kind": "pulse_rate", "value": 72, "unit": "/min", "status": []},
]


def recording(
    new_id: str, capture: dict[str, Any], instrument: str, quality: dict[str, Any]
) -> dict[str, Any]:
    """Return the summary of what a capture recorded."""
    measured = (
        [{"kind": "heart_rate", "value": 72.3, "unit": "/min", "method": "60 / mean RR"}]
        if instrument == "ecg"
        else []
    )
    stills = [{"media_type": "image/jpeg", "at_s": n / 2, "best": n == 2, "bytes": 30_000} for n in range(5)]
    return {
        "id": new_id,
        "step": capture["step"],
        "site": capture["site"],
        "side": capture["side"],
        "driver": f"kit-{instrument}",
        "link": "serial",
        "device": {"model": "Kit", "serial": "1", "firmware": "1"},
        "started_ms": now_ms(),
        "duration_s": capture["elapsed_s"],
        "samples": 5000,
        "lost_samples": 0,
        "gaps": [],
        "quality": quality,
        "measurements": measured,
        "readings": READINGS if instrument == "oximeter" else [],
        "accepted_poor": False,
        "simulated": True,
        "channels": [],
        "pictures": stills if instrument == "otoscope" else [],
    }


async def _quietly(sending: Any) -> None:
    with contextlib.suppress(Exception):  # the screen went away
        await sending
