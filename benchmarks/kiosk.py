"""The kiosk's own times on this machine: link byte to pixels, frames under throttling, calls, memory.

.venv/bin/python benchmarks/kiosk.py                        about four minutes
.venv/bin/python benchmarks/kiosk.py --seconds 60 --cycles 200 --json artefacts/kiosk.json

The demo's real processes run on simulated instruments; Chromium is this machine's, without a graphics card.
What is measured:
  link to pixels    from the moment the last sample of a piece reached the host (by the device's clock, as the
                    box tells it) to the first frame after it was handed to the page's drawing
  frames            times between two frames of a page with three live instruments, the processor of Chromium
                    slowed four times
  calls             GET /api/status, /api/devices and /api/cases while a screen watches all instruments
  memory            the page's heap and the agent's resident memory while coaches are opened and left over and
                    over: an accelerated soak, a cycle for what a visit does with four instruments
"""

import argparse
import contextlib
import json
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT / "tests")  # in the place of this folder: the tests' room is called like this file

import httpx  # noqa: E402
from kiosk.kiosk_browser import CHROMIUM, FLAGS  # noqa: E402 - found in the tests' folder
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright  # noqa: E402
from running_kit import RunningDemo, running  # noqa: E402

from chevet.sim import demo  # noqa: E402

SLOW_MS = 120_000
THROTTLE = 4
LONG_FRAME_MS = 50.0
INSTRUMENTS = ("ecg", "stethoscope", "oximeter")
CALLS = ("/api/status", "/api/devices", "/api/cases")
COACHES = ("oximeter", "ecg", "stethoscope", "otoscope/right")
# Each piece's own time against the first frame after it was drawn; page and box have one clock.
WATCH = """async ({ devices, instruments }) => {
  await import('/shared/instruments/live-wave.js');
  const { Live } = await import('/shared/live.js');
  document.body.replaceChildren();
  const css = 'display:grid;grid-template-rows:repeat(3,1fr);height:100vh;margin:0;background:#0f1720';
  document.body.style.cssText = css;
  const waves = devices.map((device, n) => {
    const wave = document.createElement('live-wave');
    const looks = {
      ecg: ['ecg', 2, 5, 0.5], stethoscope: ['sound', 1, 4, 20], oximeter: ['pleth', 1, 8, 0.3],
    };
    const [colour, columns, seconds, highpass] = looks[instruments[n]];
    for (const [name, value] of Object.entries({ colour, columns, seconds, highpass, floor: 0.05 })) {
      wave.setAttribute(name, String(value));
    }
    wave.style.cssText = 'display:block;position:relative;min-height:0';
    document.body.append(wave);
    return wave;
  });
  window.ages = Object.fromEntries(instruments.map((name) => [name, []]));
  window.frames_ms = [];
  const live = new Live();
  live.frames.add((frame) => {
    const n = devices.indexOf(frame.header.device);
    if (n < 0 || frame.kind !== 'samples') return;
    waves[n].push(frame);
    if (frame.header.main === false) return;
    const seen = () => window.ages[instruments[n]].push(Date.now() - frame.header.at_ms);
    requestAnimationFrame(() => setTimeout(seen));
  });
  live.open();
  live.watch(devices);
  let last = performance.now();
  const tick = (now) => { window.frames_ms.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}"""


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="of each live measurement (default 30)")
    parser.add_argument("--cycles", type=int, default=60, help="of the soak (default 60)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if CHROMIUM is None:
        print("There is no Chromium here: sudo apt install chromium", file=sys.stderr)
        return 2
    expect.set_options(timeout=SLOW_MS)
    for box in running("iotcore"):
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            found = measure(box, browser, options.seconds, options.cycles)
            browser.close()
    report(found)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def measure(box: RunningDemo, browser: Browser, seconds: float, cycles: int) -> dict[str, Any]:
    """Return all figures."""
    with signed_in(box) as client:
        known = client.get("/api/devices").raise_for_status().json()["devices"]
        by_kind = {one["instrument"]: one["id"] for one in known if one["state"] == "ready" and one["rates"]}
        devices = [by_kind[kind] for kind in INSTRUMENTS]
        found: dict[str, Any] = {"machine": machine(), "seconds": seconds}
        with opened(box, browser) as page:
            page.evaluate(WATCH, {"devices": devices, "instruments": list(INSTRUMENTS)})
            say("link to pixels ...")
            busy = renderer_s(browser)
            found["link_to_pixels_ms"] = {name: spread(ages) for name, ages in drawn(page, seconds).items()}
            found["page_processor"] = used(renderer_s(browser) - busy, page)
            say("calls while everything streams ...")
            found["calls_ms"] = calls(client, seconds / 2)
            say("frames, the processor slowed four times ...")
            found["frames_throttled_ms"] = frames(page, seconds)
        say(f"soak, {cycles} cycles ...")
        with opened(box, browser) as page:
            found["soak"] = soak(box, client, page, cycles)
    found["load_average"] = os.getloadavg()[0]
    return found


def say(what: str) -> None:
    """Show progress."""
    print(what, file=sys.stderr, flush=True)


@contextlib.contextmanager
def signed_in(box: RunningDemo) -> Iterator[httpx.Client]:
    """A client of the kiosk's API."""
    url = box.ports.kiosk_url
    with httpx.Client(base_url=url, headers={"X-Chevet": "1"}, trust_env=False, timeout=60) as client:
        client.post("/api/session", json={"worker": demo.WORKER, "pin": demo.PIN}).raise_for_status()
        deadline = time.monotonic() + SLOW_MS / 1000
        while not ready(client) and time.monotonic() < deadline:
            time.sleep(0.5)
        yield client


def ready(client: httpx.Client) -> bool:
    """Tell whether all four instruments stream."""
    known = client.get("/api/devices").raise_for_status().json()["devices"]
    return {*INSTRUMENTS, "otoscope"} <= {one["instrument"] for one in known if one["state"] == "ready"}


@contextlib.contextmanager
def opened(box: RunningDemo, browser: Browser) -> Iterator[Page]:
    """A page of the kiosk, signed in."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(SLOW_MS)
    body = {"worker": demo.WORKER, "pin": demo.PIN}
    page.request.post(f"{box.ports.kiosk_url}/api/session", data=body, headers={"X-Chevet": "1"})
    page.goto(box.ports.kiosk_url)
    expect(page.locator(".start-new").first).to_be_visible()
    yield page
    context.close()


def drawn(page: Page, seconds: float) -> dict[str, list[float]]:
    """Return how old each piece was when it was on the screen, ms."""
    page.wait_for_timeout(3000)
    page.evaluate("for (const one of Object.values(window.ages)) one.length = 0")
    page.wait_for_timeout(seconds * 1000)
    found: dict[str, list[float]] = page.evaluate("window.ages")
    return found


def renderer_s(browser: Browser) -> float:
    """Return the processor time that the pages took so far; other work of the machine does not count."""
    known = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return float(sum(one["cpuTime"] for one in known if one["type"] == "renderer"))


def used(busy_s: float, page: Page) -> dict[str, float]:
    """Return what three live instruments cost, by the second and by the frame drawn."""
    times: list[float] = page.evaluate("window.frames_ms")
    seconds = sum(times) / 1000
    return {
        "percent_of_a_core": round(100 * busy_s / seconds, 1),
        "ms_a_frame": round(1000 * busy_s / max(1, len(times)), 2),
    }


def frames(page: Page, seconds: float) -> dict[str, float]:
    """Return the times between frames with the processor slowed."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    page.wait_for_timeout(3000)
    page.evaluate("window.frames_ms.length = 0")
    page.wait_for_timeout(seconds * 1000)
    times: list[float] = page.evaluate("window.frames_ms")
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return spread(times) | {"over_50_ms": sum(one > LONG_FRAME_MS for one in times)}


def calls(client: httpx.Client, seconds: float) -> dict[str, dict[str, float]]:
    """Return how long each call takes while the page watches the instruments."""
    times: dict[str, list[float]] = {path: [] for path in CALLS}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in CALLS:
            began = time.perf_counter()
            client.get(path).raise_for_status()
            times[path].append((time.perf_counter() - began) * 1000)
            time.sleep(0.02)
    return {path: spread(found) for path, found in times.items()}


def soak(box: RunningDemo, client: httpx.Client, page: Page, cycles: int) -> dict[str, Any]:
    """Open and leave every coach over and over; return what memory did."""
    visit = open_visit(client)
    page.reload()
    session = page.context.new_cdp_session(page)
    agent = next(actor.process.pid for actor in box.stage.actors if actor.name == "agent")
    rows = []
    for cycle in range(cycles + 1):
        if cycle % max(1, cycles // 6) == 0:
            rows.append({"cycle": cycle, "heap_mb": heap_mb(session), "agent_mb": resident_mb(agent)})
        for coach in COACHES:
            page.evaluate("(place) => { location.hash = place; }", f"#/visit/{coach}")
            expect(page.locator(".coach, .ear-name").first).to_be_visible()
            page.wait_for_timeout(250)
            page.evaluate("location.hash = '#/visit/tiles'")
            expect(page.locator(".tiles")).to_be_visible()
    client.post(f"/api/visits/{visit}/abandon", json={"reason": "benchmark"}).raise_for_status()
    return {"cycles": cycles, "rows": rows}


def open_visit(client: httpx.Client) -> str:
    """Open a visit that every coach works in; return its id."""
    person = {"name": "Bench Person", "birth_year": 1970, "sex": "F", "local_number": ""}
    patient = client.post("/api/patients", json=person).raise_for_status().json()["id"]
    visit = client.post("/api/visits", json={"patient": patient}).raise_for_status().json()["id"]
    client.put(f"/api/visits/{visit}/consent", json={"purposes": ["care"]}).raise_for_status()
    client.patch(f"/api/visits/{visit}", json={"reason": "cough", "screen": "tiles"}).raise_for_status()
    return str(visit)


def heap_mb(session: CDPSession) -> float:
    """Return the page's heap after collecting what is free."""
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    return round(used / 1e6, 2)


def resident_mb(pid: int) -> float:
    """Return a process's resident memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"))
    return round(int(found[1]) / 1000, 1) if found else float("nan")


def spread(values: list[float]) -> dict[str, float]:
    """Return count, median, 99th percentile and the worst."""
    if len(values) < 2:
        return {"n": len(values)}
    centiles = statistics.quantiles(values, n=100, method="inclusive")
    found = {"p50": centiles[49], "p99": centiles[98], "worst": max(values)}
    return {"n": len(values)} | {name: round(value, 1) for name, value in found.items()}


def machine() -> str:
    """Say what this ran on."""
    return f"{platform.machine()}, {os.cpu_count()} cores"


def report(found: dict[str, Any]) -> None:
    """Print the tables."""
    print(f"\n{found['machine']}, load average {found['load_average']:.1f}, {found['seconds']:g} s each")
    print(f"\n{'':24}{'n':>7}{'p50':>9}{'p99':>9}{'worst':>9}  ms")
    for name, row in found["link_to_pixels_ms"].items():
        line(f"pixels: {name}", row)
    for path, row in found["calls_ms"].items():
        line(f"GET {path}", row)
    line(f"frames at 1/{THROTTLE} processor", found["frames_throttled_ms"])
    cost = found["page_processor"]
    print(f"page: {cost['percent_of_a_core']} % of a core, {cost['ms_a_frame']} ms of processor a frame")
    print(f"frames over {LONG_FRAME_MS:g} ms: {found['frames_throttled_ms'].get('over_50_ms', '-')}")
    print(f"\n{'cycle':>6}{'page heap':>12}{'agent resident':>16}  MB")
    for row in found["soak"]["rows"]:
        print(f"{row['cycle']:>6}{row['heap_mb']:>12}{row['agent_mb']:>16}")


def line(name: str, row: dict[str, float]) -> None:
    """Print one row."""
    cells = "".join(f"{row.get(key, float('nan')):>9}" for key in ("p50", "p99", "worst"))
    print(f"{name:24}{row['n']:>7}{cells}")


if __name__ == "__main__":
    sys.exit(main())
