"""One consultation without a person, through the interfaces that the screens use and no others."""

import asyncio
import hashlib
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chevet.sim.control import set_fault
from chevet.sim.desk_reading import Made, read_case
from chevet.sim.errors import SimError, StepError
from chevet.sim.report import Report, table, write
from chevet.sim.screens import Live, Screen, read_wave

POLL_S = 0.2
READY_WITHIN_S = 30.0
GRACE_S = 25.0
"""A capture may take this much longer than asked: the device connects, the quality is judged."""
RECEIPT_WITHIN_S = 60.0
OPINION_WITHIN_S = 45.0
SHORT_S = 30.0
"""Limits are there to end a consultation that hangs, not to judge a busy machine; times are in the report."""
AT_RELAY = ("at_relay", "opened", "answered")
CAMERA_TURNS_S = 0.3
"""A few frames, so that no picture of the other ear is still on its way."""

QUESTION = "Palpitations for two days, no chest pain. Does this ECG need treatment or a transfer?"
OPINION = {
    "impression": "Sinus rhythm. Soft systolic sound at the apex, likely innocent. Both eardrums seen.",
    "certainty": "probable",
    "advice": "No treatment now. Repeat the ECG if palpitations return.",
    "urgency": "routine",
    "transfer": False,
    "follow_up_date": None,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One recording to make: what, where, how long, and with which driver if several could."""

    step: str
    instrument: str
    seconds: float
    site: str = ""
    side: str = ""
    driver: str = ""
    condition: str = ""

    @property
    def name(self) -> str:
        """How it is called in progress lines and errors."""
        return " ".join(word for word in (self.step.replace("_", " "), self.site or self.side) if word)


STEPS = (
    Step("oximetry", "oximeter", 10.0, driver="nonin-df2"),
    Step("ecg", "ecg", 10.0),
    Step("heart_sound", "stethoscope", 8.0, site="A"),
    Step("heart_sound", "stethoscope", 8.0, site="M"),
    Step("otoscopy", "otoscope", 3.0, side="right", condition="normal"),
    Step("otoscopy", "otoscope", 3.0, side="left", condition="fluid"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where to hold the consultation and as whom; `control` moves the virtual instruments about."""

    kiosk: str
    desk: str
    worker: str
    pin: str
    specialist: str
    password: str
    control: Path | None = None
    steps: tuple[Step, ...] = STEPS


async def run(plan: Plan, report_file: Path | None = None) -> int:
    """Conduct it, print the table, write the report; return the exit code."""
    conductor = Conductor(plan)
    try:
        await conductor.conduct()
    except SimError as error:
        conductor.report.failed(error)
        print(f"\nThe consultation failed at {error}", file=sys.stderr, flush=True)
    finally:
        await conductor.aclose()
    if report_file is not None:
        write(conductor.report, report_file)
    if conductor.report.error is None:
        print(table(conductor.report), flush=True)
    return 0 if conductor.report.error is None else 1


class Conductor:
    """Does what the worker and the specialist would do."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.report = Report(kiosk=plan.kiosk, desk=plan.desk)
        self._kiosk = Screen("kiosk", plan.kiosk)
        self._desk = Screen("desk", plan.desk)
        self._live = Live(self._kiosk)
        self._began = time.monotonic()
        self._made: list[Made] = []

    async def aclose(self) -> None:
        """Close both screens."""
        await self._kiosk.aclose()
        await self._desk.aclose()

    async def conduct(self) -> None:
        """Go through the whole consultation.

        Raises:
            SimError: a step failed.
        """
        async with self._step("sign in", SHORT_S):
            await self._sign_in()
        async with self._step("devices", READY_WITHIN_S):
            devices = await self._devices()
        async with self._step("patient and consent", SHORT_S):
            visit = await self._open_visit()
        async with self._watching(list(devices.values())), self._preparing_ears():
            for step in self.plan.steps:
                async with self._step(step.name, step.seconds + GRACE_S):
                    await self._record(visit, step, devices[step.driver or step.instrument])
        async with self._step("question and send", SHORT_S):
            case = await self._send(visit)
        async with self._step("receipt", RECEIPT_WITHIN_S):
            await self._receipt(case)
        async with self._step("reading at the desk", SHORT_S):
            await self._read(case)
        async with self._step("opinion", OPINION_WITHIN_S):
            await self._opinion(case)

    @asynccontextmanager
    async def _step(self, name: str, limit_s: float) -> AsyncIterator[None]:
        began = time.monotonic()
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError:
            raise StepError(name, f"not done within {limit_s:.0f} s") from None
        took_s = time.monotonic() - began
        self.report.steps.append({"name": name, "seconds": round(took_s, 3)})
        self._say(f"{name} done in {took_s:.1f} s")

    def _say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    async def _sign_in(self) -> None:
        plan = self.plan
        await self._kiosk.post("sign in", "/api/session", {"worker": plan.worker, "pin": plan.pin})
        who = {"user": plan.specialist, "password": plan.password}
        await self._desk.post("sign in", "/api/session", who)

    async def _devices(self) -> dict[str, str]:
        """Wait until every instrument of the plan is ready; return device ids by driver and by instrument."""
        wanted = {step.driver or step.instrument for step in self.plan.steps}
        while True:
            ready: dict[str, str] = {}
            for device in (await self._kiosk.get("devices", "/api/devices"))["devices"]:
                if device["state"] == "ready":
                    ready.setdefault(device["driver"], device["id"])
                    ready.setdefault(device["instrument"], device["id"])
            if wanted <= ready.keys():
                return ready
            await asyncio.sleep(POLL_S)

    async def _open_visit(self) -> str:
        step, kiosk = "patient and consent", self._kiosk
        left = (await kiosk.get(step, "/api/visits/current"))["visit"]
        if left is not None:
            await kiosk.post(step, f"/api/visits/{left['id']}/abandon", {"reason": "conducted consultation"})
        person = {"name": "Simulated Patient", "birth_year": 1974, "sex": "F", "local_number": "SIM-0001"}
        patient = await kiosk.post(step, "/api/patients", person)
        visit = (await kiosk.post(step, "/api/visits", {"patient": patient["id"]}))["id"]
        consent = {"purposes": ["care"], "witness": ""}
        await kiosk.call(step, "PUT", f"/api/visits/{visit}/consent", consent)
        return str(visit)

    @asynccontextmanager
    async def _watching(self, devices: list[str]) -> AsyncIterator[None]:
        """Watch the live waves while recording, as the kiosk's screen does."""
        started = asyncio.Event()
        task = asyncio.create_task(self._live.run(sorted(set(devices)), started))
        try:
            yield
            if task.done():
                task.result()
            if not self._live.frames:
                raise StepError("live", "no wave frame came over the kiosk's WebSocket while recording")
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.report.live = {
                device: {
                    "frames": self._live.frames[device],
                    "samples": self._live.samples[device],
                    "readings": self._live.readings.get(device, {}),
                }
                for device in sorted({*self._live.frames, *self._live.readings})
            }

    @asynccontextmanager
    async def _preparing_ears(self) -> AsyncIterator[None]:
        """Let the camera draw the ears of the plan while other instruments record."""

        async def prepare(control: Path) -> None:
            for step in self.plan.steps:
                if step.side:
                    await set_fault(control, "otoscope", "ear", value=f"{step.side}:{step.condition}")

        if self.plan.control is None:
            yield
            return
        task = asyncio.create_task(prepare(self.plan.control))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _record(self, visit: str, step: Step, device: str) -> None:
        await self._arrange(step)
        asked = {
            "step": step.step,
            "site": step.site,
            "side": step.side,
            "seconds": step.seconds,
            "device": device,
        }
        capture = await self._kiosk.post(step.name, f"/api/visits/{visit}/captures", asked)
        while capture["state"] == "recording":
            await asyncio.sleep(POLL_S)
            capture = await self._kiosk.get(step.name, f"/api/captures/{capture['id']}")
        if capture["state"] != "done" or capture["recording"] is None:
            raise StepError(step.name, f"the recording failed ({capture['problem'] or 'without a reason'})")
        recording = capture["recording"]
        self._made.append(await self._keep(step, capture))
        quality = recording["quality"]
        accept = {"poor": not quality["usable"], "best": None}
        await self._kiosk.post(step.name, f"/api/captures/{capture['id']}/accept", accept)
        reasons = ", ".join(quality["reasons"]) or "no remarks"
        self._say(
            f"{step.name}: quality {quality['score']:.2f} ({reasons}), {recording['lost_samples']} lost"
        )

    async def _arrange(self, step: Step) -> None:
        """Put the virtual instrument where the step wants it."""
        if self.plan.control is None:
            return
        if step.site:
            await set_fault(self.plan.control, "stethoscope", "site", value=step.site)
        if step.side:
            await set_fault(self.plan.control, "otoscope", "ear", value=f"{step.side}:{step.condition}")
            await asyncio.sleep(CAMERA_TURNS_S)

    async def _keep(self, step: Step, capture: dict[str, Any]) -> Made:
        """Note what the kiosk has, to compare it with what the desk gets."""
        at = f"/api/captures/{capture['id']}"
        recording = capture["recording"]
        if not recording["samples"]:
            stills = range(len(recording["pictures"]))
            images = [await self._kiosk.fetch(step.name, f"{at}/picture/{number}") for number in stills]
            return Made("", [hashlib.sha256(image).hexdigest() for image in images])
        wave = read_wave(await self._kiosk.fetch(step.name, f"{at}/waveform"))
        return Made(hashlib.sha256(wave.payload).hexdigest())

    async def _send(self, visit: str) -> str:
        step, kiosk = "question and send", self._kiosk
        words = {
            "reason": "palpitations",
            "question": QUESTION,
            "specialty": "cardiology",
            "urgency": "routine",
        }
        await kiosk.call(step, "PATCH", f"/api/visits/{visit}", words)
        temperature = {"kind": "temperature", "value": 36.8, "unit": "Cel"}
        await kiosk.call(step, "PUT", f"/api/visits/{visit}/vitals", temperature)
        sent = await kiosk.post(step, f"/api/visits/{visit}/send")
        return str(sent["case"])

    async def _receipt(self, case: str) -> None:
        """Wait until the kiosk says "at the relay", which it only says on a verified receipt."""
        await self._until("receipt", self._kiosk, case, lambda seen: seen["state"] in AT_RELAY)
        ours = await self._kiosk.get("receipt", f"/api/cases/{case}/delivery")
        theirs = await self._desk.get("receipt", f"/api/cases/{case}/delivery")
        self.report.delivered(case, ours, theirs)
        if not self.report.study["hashes_equal"]:
            raise StepError("receipt", "the study at the relay has another hash than the one that was sent")

    async def _until(
        self, step: str, screen: Screen, case: str, good: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        while True:
            seen: dict[str, Any] = await screen.get(step, f"/api/cases/{case}")
            if seen.get("refused"):
                raise StepError(step, f"the relay refused the study ({seen['refused']})")
            if good(seen):
                return seen
            await asyncio.sleep(POLL_S)

    async def _read(self, case: str) -> None:
        """Open the case as a specialist and fetch every layer of every recording."""
        for recording in await read_case("reading at the desk", self._desk, case, self._made):
            self.report.fetched(recording, exact=True)

    async def _opinion(self, case: str) -> None:
        """Claim the case, sign, and wait until the kiosk shows the verified opinion."""
        step = "opinion"
        await self._desk.post(step, f"/api/cases/{case}/claim")
        signed_at = time.monotonic()
        signed = await self._desk.post(
            step, f"/api/cases/{case}/opinions", {**OPINION, "password": self.plan.password}
        )
        seen = await self._until(step, self._kiosk, case, lambda one: one["state"] == "answered")
        arrived = [one for one in seen["opinions"] if one["id"] == signed["id"]]
        if not arrived or not arrived[0]["verified"]:
            raise StepError(
                step, "the opinion at the kiosk does not carry the specialist's verified signature"
            )
        self.report.opinion = {"back_s": round(time.monotonic() - signed_at, 3), "verified": True}
        await self._kiosk.post(step, f"/api/cases/{case}/read")
