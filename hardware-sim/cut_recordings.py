"""Cut the few seconds of real signals that the virtual instruments play.

    python hardware-sim/cut_recordings.py FOLDER

FOLDER holds PhysioNet recordings as `ecg/ludb`, `pcg/circor` and `ppg/bidmc` (see recordings/README.md for
where they come from). Written to `hardware-sim/chevet/sim/recordings/`: nothing is filtered, scaled or
resampled here, samples are the integers of the source.
"""

import argparse
import wave
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent / "chevet" / "sim" / "recordings"
LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ECG_LOOP = (976, 4128)  # 25 samples before the P onsets that LUDB marks in lead II at 1001 and 4153
SOUND_SPANS_S = {"85343_MV": (8.64025, 16.78025), "85343_TV": (0.86, 10.598), "85345_AV": (3.14025, 8.80292)}


def cut_ecg(source: Path, record: str, loop: tuple[int, int]) -> None:
    """Keep all 10 s of a LUDB record; `loop` runs from before one P wave to before a later one."""
    values = np.fromfile(source / "ecg" / "ludb" / f"{record}.dat", "<i2").reshape(-1, 12).T
    np.savez_compressed(
        TARGET / f"ecg-ludb-{record}.npz",
        values=values,
        rate_hz=500,
        names=np.array(LEADS),
        loop=np.array(loop),
    )


def cut_sound(source: Path, record: str, span_s: tuple[float, float]) -> None:
    """Keep whole heart cycles of a CirCor recording, from one S1 onset of its annotation to another."""
    with wave.open(str(source / "pcg" / "circor" / f"{record}.wav")) as wav:
        rate_hz = wav.getframerate()
        sound = np.frombuffer(wav.readframes(wav.getnframes()), "<i2")
    lead_in = int(0.02 * rate_hz)
    first, stop = (round(at_s * rate_hz) - lead_in for at_s in span_s)
    kept = sound[first - lead_in : stop + lead_in]
    np.savez_compressed(
        TARGET / f"heart-circor-{record.lower().replace('_', '-')}.npz",
        values=kept[np.newaxis],
        rate_hz=rate_hz,
        names=np.array(["sound"]),
        loop=np.array((lead_in, lead_in + stop - first)),
    )


def cut_pleth(source: Path, record: str, second: int, seconds: int) -> None:
    """Keep some seconds of a BIDMC pleth, looping from pulse foot to pulse foot, with the monitor numbers."""
    with np.load(source / "ppg" / "bidmc" / f"bidmc_{record}.npz") as bidmc:
        rate_hz = int(bidmc["fs"])
        values = bidmc["ppg"][second * rate_hz : (second + seconds) * rate_hz]
        spo2 = bidmc["num_spo2"][second : second + seconds]
        pulse = bidmc["num_pulse"][second : second + seconds]
    beat = rate_hz * 60 // 76
    first = int(np.argmin(values[:beat]))
    stop = len(values) - beat + int(np.argmin(values[-beat:]))
    np.savez_compressed(
        TARGET / f"pleth-bidmc-{record}.npz",
        values=values[np.newaxis].astype(np.int16),
        rate_hz=rate_hz,
        names=np.array(["pleth"]),
        loop=np.array((first, stop)),
        spo2=spo2.astype(np.int16),
        pulse=pulse.astype(np.int16),
    )


def main() -> None:
    """Cut everything that is shipped."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="holds ecg/ludb, pcg/circor and ppg/bidmc")
    folder = parser.parse_args().folder
    cut_ecg(folder, "152", loop=ECG_LOOP)
    for record, span_s in SOUND_SPANS_S.items():
        cut_sound(folder, record, span_s)
    cut_pleth(folder, "03", second=65, seconds=55)


if __name__ == "__main__":
    main()
