"""The report of benchmarks/chaos.py: figures for a program, and words for a person."""

import bisect
import statistics
from typing import Any

from chaos_ends import Ends
from chaos_stage import Stage

KINDS = (
    "kill box", "kill relay", "kill broker", "link reset", "link silent",
    "box power", "relay power", "box disk full", "relay disk full",
)  # fmt: skip


def figures(
    asked: dict[str, Any],
    faults: list[dict[str, Any]],
    settled: list[float],
    ends: Ends,
    stuck: str,
    stage: Stage,
) -> dict[str, Any]:
    """Return everything that was found."""
    match = ends.match
    fell = {one.name: one.fell for one in (stage.box, stage.relay, stage.broker)}
    whole = match.equal and not ends.pending and not ends.refused and ends.integrity == "ok"
    return {
        "passed": whole and not stuck and not any(fell.values()),
        "stuck": stuck,
        "asked": asked,
        "no_power": stage.no_power,
        "studies": {
            "acknowledged": match.acknowledged,
            "delivered": match.delivered,
            "unacknowledged": match.unacknowledged,
            "compared_by_samples": ends.samples,
            "sealed_bytes": ends.bytes,
            "pending": ends.pending,
        },
        "differences": {name: list(found) for name, found in match.differences().items()},
        "refused": ends.refused,
        "dead_letters": ends.dead_letters,
        "integrity": ends.integrity,
        "starts": {one.name: one.starts for one in (stage.box, stage.relay, stage.broker)},
        "ended_by_themselves": fell,
        "link_bytes": stage.link.carried,
        "match": match.told(),
        "kinds": _kinds(faults, settled),
        "faults": faults,
    }


def _kinds(faults: list[dict[str, Any]], settled: list[float]) -> dict[str, dict[str, Any]]:
    """Return, by kind, how many there were, until all served again, and until the next study arrived."""
    found = {}
    for kind in KINDS:
        rows = [one for one in faults if one["kind"] == kind]
        if rows:
            after = [settled[at] - one["wall"] for one in rows if (at := _next(settled, one)) < len(settled)]
            found[kind] = {
                "count": len(rows),
                "restart_s": _spread([one["restart_s"] for one in rows]),
                "next_study_s": _spread(after),
            }
    return found


def _next(settled: list[float], fault: dict[str, Any]) -> int:
    return bisect.bisect_right(settled, fault["wall"])


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(p95, 2),
        "most": round(ordered[-1], 2),
    }


def told(found: dict[str, Any]) -> str:
    """Return the report as text."""
    differ, studies = found["differences"], found["studies"]
    lines = [
        "",
        f"{'fault':<18}{'times':>6}   all serve again s              next study at the relay s",
        f"{'':<18}{'':>6}   {'median':>8}{'p95':>8}{'most':>8}       {'median':>8}{'p95':>8}{'most':>8}",
    ]
    for kind, row in found["kinds"].items():
        lines.append(
            f"{kind:<18}{row['count']:>6}   {_row(row['restart_s'])}       {_row(row['next_study_s'])}"
        )
    starts = ", ".join(f"{name} {count}" for name, count in found["starts"].items())
    lines += [
        "",
        f"Starts: {starts}. Ended by themselves: {found['ended_by_themselves']}.",
        f"Studies: {found['match']}.",
        f"Compared sample by sample: {studies['compared_by_samples']}.",
        f"Bytes: {studies['sealed_bytes']} sealed in the archive, {found['link_bytes']} over the link.",
        f"Waiting at the box: {studies['pending']}. Refused: {found['refused'] or 'none'}.",
        f"Dead letters: {found['dead_letters'] or 'none'}. The archive's database: {found['integrity']}.",
        ", ".join(f"{name} {len(differ[name])}" for name in ("lost", "wrong", "twice", "lied")) + ".",
    ]
    if found["no_power"]:
        lines.append(f"No power cuts and no full disks: {found['no_power']}")
    if found["stuck"]:
        lines.append(f"GIVEN UP: {found['stuck']}")
    minutes = found["faults_s"] / 60
    lines.append(f"{'PASSED' if found['passed'] else 'FAILED'}: faults in {minutes:.1f} min.")
    return "\n".join(lines)


def _row(spread: dict[str, float]) -> str:
    return "".join(f"{spread[name]:>8.2f}" if spread else f"{'-':>8}" for name in ("median", "p95", "most"))
