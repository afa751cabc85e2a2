"""A heart sound that came with an ECG is read with the ECG's beats, on one clock."""

from pathlib import Path

import numpy as np
import pytest
from edge_fakes import SOUND

from chevet.devices.samples import Channel, Event, SampleBlock
from chevet.edge.beats_beside import beats_beside
from chevet.edge.journal import Journal, JournalWriter, Opening, read_journal
from chevet.edge.judge import judge
from chevet.edge.recorded import waveforms
from chevet.sim.patient import Patient

LEAD = (Channel("II", "mV", 250.0, 0.002),)
PATIENT = Patient(4, "atrial-fibrillation")
SECONDS = 12.0
BEGAN = 1000.0


def blocks(
    channels: tuple[Channel, ...], values: np.ndarray, began_s: float, *, base: int, jitter: float = 0.0
) -> list[Event]:
    """Cut a signal into blocks of 0.1 s, each of which comes up to `jitter` seconds late."""
    rng = np.random.default_rng(3)
    rate_hz = channels[0].rate_hz
    step = int(rate_hz / 10)
    whole = np.round(values / channels[0].gain).astype(np.int32)[np.newaxis]
    return [
        SampleBlock(
            channels, whole[:, s : s + step], base + s,
            BEGAN + began_s + (s + whole[:, s : s + step].shape[1]) / rate_hz + rng.uniform(0, jitter),
        )
        for s in range(0, whole.shape[1], step)
    ]  # fmt: skip


def journal_of(folder: Path, events: list[Event], step: str = "heart_sound") -> Journal:
    opening = Opening("c1", "v1", step, "M", "", "dev", "a-driver", "serial:dev", SECONDS, 1, BEGAN, True)
    writer = JournalWriter.create(folder / "c1.journal", opening)
    for event in sorted(events, key=lambda event: getattr(event, "at", 0.0)):
        writer.append(event)
    writer.close("done")
    return read_journal(folder / "c1.journal")


def sound_and_lead(ecg_later_s: float, *, quiet_lead: bool = False) -> list[Event]:
    sound = PATIENT.heart_sound(20.0, SECONDS, "M", 4000.0)
    lead = PATIENT.ecg(20.0 + ecg_later_s, SECONDS - ecg_later_s, 250.0)[1]
    return [
        *blocks(SOUND, sound, 0.0, base=700, jitter=0.03),
        *blocks(LEAD, 0 * lead if quiet_lead else lead, ecg_later_s, base=90, jitter=0.03),
    ]


@pytest.mark.parametrize("later_s", [0.0, 0.7])
def test_the_beats_lie_on_the_sound_s_clock_whenever_the_ecg_began(tmp_path: Path, later_s: float) -> None:
    journal = journal_of(tmp_path, sound_and_lead(later_s))
    beats = beats_beside(waveforms(journal))
    assert beats is not None
    truth = PATIENT.truth(20.0 + later_s + 0.3, SECONDS - later_s - 0.6).beats - 20.0
    away = np.abs(beats[np.newaxis] / 4000.0 - truth[:, np.newaxis]).min(axis=1)
    assert away.max() < 0.04


def test_what_travels_says_how_much_later_the_ecg_began(tmp_path: Path) -> None:
    sound, lead = waveforms(journal_of(tmp_path, sound_and_lead(0.7)))
    assert (sound.channels, lead.channels) == (SOUND, LEAD)
    assert sound.later_s == 0.0
    assert lead.later_s == pytest.approx(0.7, abs=0.01)


def test_fibrillation_gets_a_rate_from_sound_with_an_ecg_and_none_without(tmp_path: Path) -> None:
    with_ecg = judge(journal_of(tmp_path, sound_and_lead(0.4))).measurements
    (tmp_path / "c1.journal").unlink()
    alone = [event for event in sound_and_lead(0.4) if getattr(event, "channels", None) == SOUND]
    without = judge(journal_of(tmp_path, alone)).measurements
    truth = PATIENT.truth(20.0, SECONDS).heart_rate_per_min
    assert [(m.kind, m.method) for m in with_ecg] == [("heart_rate", "heart sound and ECG")]
    assert with_ecg[0].value == pytest.approx(truth, abs=3)
    assert [(m.kind, m.value, m.method) for m in without] == [("heart_rate", None, "heart sound")]


def test_an_ecg_without_contact_or_too_short_is_left_out(tmp_path: Path) -> None:
    journal = journal_of(tmp_path, sound_and_lead(0.0, quiet_lead=True))
    assert beats_beside(waveforms(journal)) is None
    (tmp_path / "c1.journal").unlink()
    late = journal_of(tmp_path, sound_and_lead(SECONDS - 0.4))
    assert beats_beside(waveforms(late)) is None
    (tmp_path / "c1.journal").unlink()
    alone = [event for event in sound_and_lead(0.0) if getattr(event, "channels", None) == SOUND]
    only = journal_of(tmp_path, alone)
    assert beats_beside(waveforms(only)) is None
