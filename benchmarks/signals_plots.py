"""The plots of benchmarks/signals.py, drawn from what its parts kept: ROC, errors, the worst cases.

Ours is always the dark line; a mark of the reference is a green line, one of ours an orange triangle.
"""

from pathlib import Path

import numpy as np

COLOURS = ("#16324f", "#d1495b", "#2e8b57", "#e0a030", "#7a5ba6", "#5b8ba6")
TRUE, FOUND = "#2e8b57", "#d9730d"
# Name of the kept errors: half of the width shown, and of a bar its width: whole samples, or some stay empty.
ERRORS = {
    "R against the mark, ms": (60, 1000 / 360),
    "P on against lead II's mark, ms": (60, 4),
    "QRS on against lead II's mark, ms": (40, 2),
    "QRS off against lead II's mark, ms": (60, 2),
    "T off against lead II's mark, ms": (120, 6),
    "heart rate from sound, bpm off": (20, 1),
    "pulse rate against the monitor, bpm": (6, 0.25),
    "breathing against two readers, /min": (12, 0.5),
    "SpO2 after the line, %": (10, 1),
}


def drawn(kept, folder):
    """Draw every plot whose material is there; returns the paths written."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    makers = {"roc": roc, "errors": errors, "worst-ecg": worst_beats("worst ecg"), "worst-waves": worst_waves,
              "worst-sound": worst_sound, "worst-pleth": worst_beats("worst pleth")}  # fmt: skip
    paths = []
    for name, make in makers.items():
        figure = make(plt, kept)
        if figure is not None:
            paths.append(str(Path(folder) / f"{name}.png"))
            figure.savefig(paths[-1], dpi=110, bbox_inches="tight")
            plt.close(figure)
    return paths


def roc(plt, kept):
    """How many noisy windows are named for how many clean ones wrongly."""
    if "roc" not in kept:
        return None
    figure, axes = plt.subplots(1, len(kept["roc"]), figsize=(5.2 * len(kept["roc"]), 4.6), squeeze=False)
    for axis, (tool, curves) in zip(axes[0], kept["roc"].items(), strict=True):
        for (name, (clean, noisy)), colour in zip(curves.items(), COLOURS, strict=False):
            if not len(clean) or not len(noisy):
                continue
            limits = np.quantile(np.concatenate([clean, noisy]), np.linspace(0, 1, 400))
            wrong = [0.0, *(np.mean(np.asarray(clean) <= v) for v in limits), 1.0]
            right = [0.0, *(np.mean(np.asarray(noisy) <= v) for v in limits), 1.0]
            area = np.trapezoid(right, wrong)
            axis.plot(100 * np.array(wrong), 100 * np.array(right), color=colour, label=f"{name}: {area:.3f}")
        axis.plot([0, 100], [0, 100], color="0.8", zorder=0)
        axis.set(title=f"{tool}: noisy windows of 10 s", xlabel="clean windows named wrongly, %",
                 ylabel="noisy windows named, %", xlim=(-1, 101), ylim=(-1, 101))  # fmt: skip
        axis.legend(title="noise at: area", loc="lower right", frameon=False)
    return figure


def errors(plt, kept):
    """Histograms of errors, every tool as a share of its own; what lies outside is counted at the edge."""
    shown = [name for name in ERRORS if kept.get(name)]
    if not shown:
        return None
    rows = -(-len(shown) // 3)
    figure, axes = plt.subplots(rows, 3, figsize=(15, 3.6 * rows), squeeze=False)
    for axis, name in zip(axes.flat, shown, strict=False):
        half, bar = ERRORS[name]
        count = round(half / bar)
        edges = bar * (np.arange(-count, count + 2) - 0.5)  # each bar stands around whole samples
        for (tool, values), colour in zip(kept[name].items(), COLOURS, strict=False):
            if not len(values):
                continue
            shares = 100 * np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / len(values)
            label = f"{tool}: median {np.median(values):+.1f}, SD {np.std(values):.1f}"
            width = 2.0 if tool == "chevet" else 1.0
            axis.stairs(shares, edges, color=colour, label=label, linewidth=width)
        axis.set(title=name, ylabel="share, %", xlim=(edges[0], edges[-1]))
        axis.set_ylim(0, 1.55 * axis.get_ylim()[1])  # room for the legend above the curves
        axis.legend(frameon=False, fontsize=7, loc="upper left")
    for axis in axes.flat[len(shown) :]:
        axis.axis("off")
    figure.suptitle("Errors; at the edges of each plot stands what lies beyond", y=1.0)
    figure.tight_layout()
    return figure


def worst_beats(which):
    """Stretches with most beats missed or too much."""

    def make(plt, kept):
        pieces = kept.get(which) or []
        if not len(pieces):
            return None
        figure, axes = plt.subplots(len(pieces), 1, figsize=(15, 2.4 * len(pieces)), squeeze=False)
        for axis, one in zip(axes[:, 0], pieces, strict=True):
            t = np.arange(len(one["x"])) / one["rate"] + one["start_s"]
            axis.plot(t, one["x"], color=COLOURS[0], linewidth=0.8)
            low, high = np.nanmin(one["x"]), np.nanmax(one["x"])
            beats, found = one["beats"] / one["rate"], one["found"] / one["rate"]
            axis.vlines(
                beats + one["start_s"], low, high, color=TRUE, alpha=0.6, linewidth=1, label="reference"
            )
            axis.plot(found + one["start_s"], np.full(len(found), high + 0.08 * (high - low)), "v",
                      color=FOUND, label="found")  # fmt: skip
            axis.set(
                title=f"{one['record']}: {one['count']} errors in the whole; the worst stretch", xlabel="s"
            )
            axis.margins(x=0)
        axes[0, 0].legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
        figure.tight_layout()
        return figure

    return make


def worst_waves(plt, kept):
    """Lead II of the records with the mark that lies farthest off; ours in rows: P, QRS, T from below."""
    cases = kept.get("worst waves") or []
    if not len(cases):
        return None
    figure, axes = plt.subplots(len(cases), 1, figsize=(15, 2.6 * len(cases)), squeeze=False)
    for axis, (away, record, x, rate, marks, found) in zip(axes[:, 0], cases, strict=True):
        t = np.arange(len(x)) / rate
        axis.plot(t, x, color=COLOURS[0], linewidth=0.8)
        low, high = float(np.min(x)), float(np.max(x))
        for (lead, name), values in marks.items():
            if lead == "ii":
                style = "-" if name.endswith("peak") else ":"
                axis.vlines(
                    np.array(values) / rate, low, high, color=TRUE, alpha=0.6, linestyles=style, linewidth=1
                )
        for name, values in found.items():
            shape = {"on": ">", "peak": "v", "off": "<"}[name.split("_")[1]]
            level = high + {"P": 0.08, "QRS": 0.2, "T": 0.32}[name.split("_")[0]] * (high - low)
            axis.plot(np.array(values) / rate, np.full(len(values), level), shape, color=FOUND, markersize=4)
        known = [m for (lead, _), values in marks.items() if lead == "ii" for m in values]
        title = f"LUDB {record}, lead II: a mark {away:.0f} ms off. Green: marked (peaks solid, ends dotted)"
        axis.set(title=title,
                 xlabel="s", xlim=(min(known) / rate - 0.2, max(known) / rate + 0.2))  # fmt: skip
    figure.tight_layout()
    return figure


def worst_sound(plt, kept):
    """The recordings with most onsets missed or too much: marks below, ours above."""
    cases = kept.get("worst sound") or []
    if not len(cases):
        return None
    figure, axes = plt.subplots(len(cases), 1, figsize=(15, 2.8 * len(cases)), squeeze=False)
    for axis, one in zip(axes[:, 0], cases, strict=True):
        states, rate = one["states"], one["rate"]
        begin, end = states[0, 0], min(states[-1, 1], states[0, 0] + 8)
        t = np.arange(len(one["x"])) / rate
        seen = (t >= begin) & (t <= end)
        size = float(np.quantile(np.abs(one["x"][seen]), 0.999))  # or a click would dwarf the rest
        axis.plot(t[seen], np.clip(one["x"][seen] / size, -1, 1), color=COLOURS[0], linewidth=0.4)
        for start, stop, state in states:
            if state in (1, 3):
                axis.axvspan(
                    start, stop, ymax=0.5, color=TRUE, alpha=0.35 if state == 1 else 0.15, linewidth=0
                )
        for at, shape in zip(one["onsets"], ("v", "^"), strict=True):
            axis.plot(np.asarray(at) / rate, np.full(len(at), 1.1), shape, color=FOUND)
        axis.set(title=f"{one['record']}: {one['count']} onsets wrong in the whole. Marked: S1 dark green,"
                 " S2 light; found: S1 ▼, S2 ▲", xlabel="s", xlim=(begin, end), yticks=[])  # fmt: skip
    figure.tight_layout()
    return figure
