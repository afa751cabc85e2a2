"""Pictures: the choice among spoilt ones, what each fault is called, time, and the odds of wax.

    PYTHONPATH=edge python benchmarks/signals_pictures.py              # figures
    PYTHONPATH=edge python benchmarks/signals_pictures.py wax          # fit the odds of wax, cross-validated
    PYTHONPATH=edge python benchmarks/signals_pictures.py --sheet ears.png  # beside: as seen, and enhanced

The developer's ear pictures (../shared/data/otoscopy, 80 in four classes) are spoilt by computation.
Needs Pillow.
"""

import argparse
import sys
import time
from collections import Counter

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, uniform_filter1d
from signals_data import DATA, taken
from signals_logistic import logistic

from chevet.signals.picture import best_frame, look
from chevet.signals.picture_display import enhanced
from chevet.signals.quality_picture import picture_quality

FOLDS = 5


def pictures():
    """Yield (class, RGB) of every picture."""
    for path in taken(sorted((DATA / "otoscopy").glob("*/*.jpg")), "picture"):
        yield path.parent.name, np.asarray(Image.open(path).convert("RGB"))


def spoilt(image, rng):
    """Return the picture under each fault, by name; the first is as it was."""
    f = image.astype(float)
    h, w = f.shape[:2]
    y, x = np.mgrid[:h, :w]
    shiny = f.copy()
    for _ in range(3):
        at, across, radius = rng.integers(h), rng.integers(w), rng.uniform(15, 45)
        spot = 400 * np.exp(-((y - at) ** 2 + (x - across) ** 2) / (2 * radius**2))
        shiny += spot[..., None]
    veil = rng.uniform(0.55, 0.8) * gaussian_filter((f.mean(2) > 20).astype(float), 8)[..., None]
    faults = {
        "as it was": f,
        "defocus": gaussian_filter(f, (*(rng.uniform(1.2, 3),) * 2, 0)),
        "motion": uniform_filter1d(f, int(rng.integers(7, 15)), axis=int(rng.integers(2))),
        "overexposed": f * rng.uniform(1.6, 2.2),
        "underexposed": f * rng.uniform(0.25, 0.5) + rng.normal(0, 6, f.shape),
        "glare and grain": shiny + rng.normal(0, 10, f.shape),
        "blur and grain": gaussian_filter(f, (1.5, 1.5, 0)) + rng.normal(0, 14, f.shape),
        "fog": gaussian_filter(f, (2.5, 2.5, 0)) * (1 - veil) + veil * np.array([200, 195, 195]),
    }
    return {name: np.clip(v, 0, 255).astype(np.uint8) for name, v in faults.items()}


def figures(run=None):
    """The part of benchmarks/signals.py; with a run, its peers choose among the same seven."""
    rng = np.random.default_rng(5)
    names = run.tools("pictures") if run else ["chevet"]
    right, count, spent = dict.fromkeys(names, 0), 0, []
    table, usable, wax = {}, Counter(), Counter()
    for kind, image in pictures():
        frames = spoilt(image, rng)
        seven = list(frames.values())[:7]
        order = rng.permutation(7)
        mixed = [seven[i] for i in order]
        for name in names:
            choice = best_frame(mixed) if name == "chevet" else run.peers.ask("pictures", name, mixed)[0]
            right[name] += choice is not None and order[choice] == 0
        count += 1
        big = np.asarray(Image.fromarray(image).resize((640, 480)))
        start = time.process_time()
        picture_quality(big)
        spent.append(time.process_time() - start)
        for name, frame in frames.items():
            verdict = picture_quality(frame)
            table.setdefault(name, Counter()).update(r.code for r in verdict.reasons)
            usable[name] += verdict.usable
        wax[kind] += "wax" in [r.code for r in picture_quality(image).reasons]
    best = {name: 100 * n / count for name, n in right.items()}
    found = {
        "best of 7 %": best if run else best["chevet"],
        "640x480 ms (median)": 1000 * float(np.median(spent)),
    }
    found |= {
        f"{name}: usable %, reasons of {count}": f"{100 * usable[name] / count:.0f}, {dict(table[name])}"
        for name in table
    }
    return found | {f"wax said of 20, {kind}": float(n) for kind, n in wax.items()}


def fit_wax():
    rows, truth = [], []
    for kind, image in pictures():
        seen = look(image)
        rows.append([1.0, np.log(max(seen.rough, 0.1)), seen.yellow])
        truth.append(kind == "earwax_plug")
    rows, truth = np.array(rows), np.array(truth)
    fold = np.arange(len(rows)) % 20 * FOLDS // 20  # neighbours in the list may be one person
    said = np.zeros(len(rows), dtype=bool)
    for k in range(FOLDS):
        w = logistic(rows[fold != k], truth[fold != k], np.ones((fold != k).sum()), ridge=0.05)
        said[fold == k] = rows[fold == k] @ w > 0
    print(f"cross-validated: wax found {said[truth].mean():.2f}, false alarms {said[~truth].mean():.3f}")
    print(np.round(logistic(rows, truth, np.ones(len(rows)), ridge=0.05), 2))


def sheet(path):
    some = [image for i, (_, image) in enumerate(pictures()) if i % 10 == 0]
    strips = [np.hstack([image, enhanced(image)]) for image in some]
    columns = [np.vstack(strips[i::2]) for i in (0, 1)]
    Image.fromarray(np.hstack(columns)).save(path)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=["figures", "wax"], default="figures")
    parser.add_argument("--sheet", help="write pictures beside their enhanced forms here")
    args = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is not there")
    if args.sheet:
        sheet(args.sheet)
    elif args.what == "wax":
        fit_wax()
    else:
        for label, value in figures().items():
            print(f"{label:42s} {value if isinstance(value, str) else f'{value:.1f}'}")


if __name__ == "__main__":
    main()
