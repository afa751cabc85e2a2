"""What a conducted consultation measured: as JSON, and as a table for the terminal."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chevet.sim.errors import SimError, StepError

LAYERS = {"0": "summary", "1": "preview", "2": "diagnostic", "3": "lossless"}


@dataclass(slots=True)
class Report:
    """Numbers of one consultation.

    Attributes:
        recordings: one each: driver, link, seconds, samples, lost, quality, bytes, exact at the desk.
        study: seconds from sending until each layer was whole at the relay, bytes on the wire, hashes equal.
        opinion: seconds from signing until it was verified at the kiosk.
        live: what came over the kiosk's WebSocket, by device.
        steps: seconds of each step.
        error: the sentence that ended it, or None.
    """

    kiosk: str
    desk: str
    recordings: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    study: dict[str, Any] = field(default_factory=dict[str, Any])
    opinion: dict[str, Any] = field(default_factory=dict[str, Any])
    live: dict[str, Any] = field(default_factory=dict[str, Any])
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    error: dict[str, str] | None = None

    def failed(self, error: SimError) -> None:
        """Note what ended the consultation."""
        step = error.step if isinstance(error, StepError) else ""
        self.error = {"step": step, "sentence": str(error)}

    def delivered(self, case: str, kiosk: dict[str, Any], desk: dict[str, Any]) -> None:
        """Take both ends' accounts of the delivery (docs/api.md, `delivery`)."""
        closed_ms = kiosk["closed_ms"]

        def since_closed(at_ms: int | None) -> float | None:
            return None if at_ms is None else round((at_ms - closed_ms) / 1000, 3)

        self.study = {
            "case": case,
            **{f"{name}_s": since_closed(desk["layers_ms"].get(layer)) for layer, name in LAYERS.items()},
            "complete_s": since_closed(desk["complete_ms"]),
            "receipt_s": since_closed(kiosk["complete_ms"]),
            "summary_bytes": kiosk.get("summary_bytes"),
            "bytes_up": kiosk["bytes_up"],
            "bytes_down": kiosk["bytes_down"],
            "sha256": kiosk["sha256"],
            "hashes_equal": bool(kiosk["sha256"]) and kiosk["sha256"] == desk["sha256"],
        }
        self.recordings = [{**recording, "exact": None} for recording in kiosk["recordings"]]

    def fetched(self, recording: str, *, exact: bool) -> None:
        """Note whether what the desk serves equals what was recorded, to the last bit."""
        for known in self.recordings:
            if known["id"] == recording:
                known["exact"] = exact

    @property
    def seconds(self) -> float:
        """Seconds of all steps together."""
        return float(sum(step["seconds"] for step in self.steps))


def write(report: Report, path: Path) -> None:
    """Write the report as JSON.

    Raises:
        SimError: the file cannot be written.
    """
    whole = {**asdict(report), "ok": report.error is None, "seconds": round(report.seconds, 3)}
    try:
        path.write_text(json.dumps(whole, indent=2) + "\n")
    except OSError as error:
        raise SimError(f"cannot write the report to {path}: {error.strerror}") from error


HEAD = (
    "recording",
    "driver",
    "s",
    "samples",
    "lost",
    "quality",
    "equal",
    "raw B",
    "preview B",
    "listen B",
    "exact B",
    "link",
)


def table(report: Report) -> str:
    """Return the report for a terminal."""
    rows = [HEAD, *(_row(recording) for recording in report.recordings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(["", *lines, "", *_summary(report)])


def _row(recording: dict[str, Any]) -> tuple[str, ...]:
    quality = recording["quality"]
    marks = f"{quality['score']:.2f}" + ("" if quality["usable"] else " poor")
    if quality["reasons"]:
        marks += " " + ",".join(quality["reasons"])
    # Layer 0 speaks of the whole study, not of one recording.
    layers = (str(recording["layer_bytes"].get(layer, 0)) for layer in LAYERS if layer != "0")
    place = recording["site"] or recording["side"]
    return (
        f"{recording['step']} {place}".strip(),
        recording["driver"],
        f"{recording['seconds']:.1f}",
        str(recording["samples"]),
        str(recording["lost_samples"]),
        marks,
        {True: "yes", False: "NO", None: "-"}[recording["exact"]],
        str(recording["raw_bytes"]),
        *layers,
        recording["link"],
    )


def _summary(report: Report) -> list[str]:
    study = report.study
    times = ", ".join(f"{name} {_seconds(study.get(f'{name}_s'))}" for name in LAYERS.values())
    equal = "yes" if study.get("hashes_equal") else "NO"
    summary = study.get("summary_bytes")
    wire = f"{study.get('bytes_up')} bytes up (summary {summary}), {study.get('bytes_down')} down"
    back = _seconds(report.opinion.get("back_s"))
    frames = sum(heard["frames"] for heard in report.live.values())
    return [
        f"Live while recording: {frames} wave frames by WebSocket{_numbers(report)}.",
        f"At the relay after sending: {times}; receipt {_seconds(study.get('receipt_s'))}.",
        f"On the wire: {wire}. Hashes equal at both ends: {equal}.",
        f"Opinion at the kiosk, signature verified, {back} after signing.",
        f"The whole consultation took {report.seconds:.1f} s.",
    ]


def _numbers(report: Report) -> str:
    """Return the last numbers of each instrument that sent some, such as the Bluetooth oximeter's."""
    return "".join(
        f"; {device} {', '.join(f'{kind} {value}' for kind, value in sorted(heard['readings'].items()))}"
        for device, heard in report.live.items()
        if heard["readings"]
    )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"
