"""The preset dictionaries that deflate summaries: what is likely, the likeliest last.

Part of the format: a change needs a new summary version, and the old dictionary stays for reading.
"""

from chevet.study.cbor import Value, encode

_WORDS = (
    "berrymed viatom-o2ring pc60fw healthypi-v5 ads1298 chords movesense er1 sound-card thermometer "
    "glucose weight-scale battery contec-cms50-v2 masimo-ascii nonin-ble polar-h10 blood-pressure "
    "nonin-df13 nonin-ascii dermatology gynaecology-obstetrics internal-medicine nephrology paediatrics "
    "pneumology general ent teaching research recording emergency urgent synchronised free-running "
    "unknown diabetes hypertension no_eardrum_in_view overexposed out_of_focus low_perfusion motion "
    "room_noise friction mains_hum lead_off baseline_wander clipped flat too_short artifact rr_interval "
    "respiration_rate perfusion_index systolic diastolic mean_pressure temperature weight mm[Hg] mg/dL "
    "Cel kg breathlessness chest_pain fever cough ear_pain palpitations left right lung_sound picamera "
    "v4l2 ble socket alsa application/json image/png Bazett Fridericia median beat Pan-Tompkins qt qtc "
    "pr_interval qrs_duration axis_qrs pulse_rate spo2 heart_rate /min ms % deg cardiology routine care "
    "manual HTEST fr model serial firmware simulated plx nonin-df2 camera kit-oximeter kit-stethoscope "
    "kit-ecg serial mjpeg image/jpeg oximetry otoscopy heart_sound ecg pleth red infrared heart sound mV "
)
_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_LEAD_TAIL = bytes.fromhex("626d56 f95fd0 fb3f50624dd2f1a9fc f90000")
_LEAD_ROWS = b"".join(b"\x85" + bytes([0x60 + len(lead)]) + lead.encode() + _LEAD_TAIL for lead in _LEADS)
"""Twelve channels at 500 Hz and 0.001 mV as the summary writes them."""

DICTIONARY_1 = _WORDS.encode() + _LEAD_ROWS

_REASONS = (
    "wax underexposed glare saturated gaps tremor lead_swap no_heart_sound no_pulse sensor_off searching "
    "clipping too_faint not_judged no_signal cut_short poor_signal from_storage no_device not_needed too_ill "
    "refused lung_sound"
)

_DRAFTS = (
    ("heart_rate", "/min", "60 / mean RR, outer fifths left out"),
    ("rr_irregularity", "1", "median change of RR over median RR"),
    *((kind, "ms", "median over beats, delineation over all leads") for kind in ("pr", "qrs", "qt")),
    ("qtc_bazett", "ms", "Bazett, median QT and RR"),
    ("qtc_fridericia", "ms", "Fridericia, median QT and RR"),
    ("qtc_framingham", "ms", "Framingham, median QT and RR"),
    ("qtc_hodges", "ms", "Hodges, median QT and RR"),
    *(
        (kind, "deg", "net areas in I and aVF, median over beats")
        for kind in ("p_axis", "qrs_axis", "t_axis")
    ),
    *((f"st_{lead}", "mV", "J + 60 ms against PQ level, median over beats") for lead in _LEADS),
)
"""The drafts of a twelve-lead ECG, in their order when version 2 was made."""


def _pieces() -> tuple[Value, ...]:
    """Return what summaries are likely to hold, as they hold it, the likeliest last.

    Numbers are decimals of version 2: 7 is 0.001, 2000 is 500, 40 is 10, 4 is 1.
    """
    stethoscope: Value = ["heart_sound", "kit-stethoscope", "serial:stethoscope", "M", ""]
    device: Value = {"model": "", "serial": "", "firmware": ""}
    red_flags: Value = {"skipped:otoscopy::left": "refused", "red_flags": "none"}
    vitals: Value = [
        ["temperature", "systolic", "diastolic", "glucose", "weight", "spo2", "pulse_rate"],
        ["Cel", "mm[Hg]", "mm[Hg]", "mg/dL", "kg", "%", "/min"],
        ["manual", "manual", "manual", "thermometer", "nonin-df2", "nonin-df2", "kit-oximeter"],
    ]
    return (
        red_flags,
        [[4, True]] * 7,
        [["I"], "mV", 2000, 7, 0],
        [["pleth"], "1", 300, 4, 0, 750, []],
        [["red", "infrared"], "1", 500, 4, 0],
        [["spo2", "pulse_rate"], "oximetry", "pulse_rate", "/min", "pleth"],
        vitals,
        device,
        [["care"], 1, ""],
        ["cardiology", "urgent", "fr", "HTEST"],
        ["cardiology", "routine", "fr", ""],
        ["heart_sound", "camera", "mjpeg:otoscope", "", "right"],
        ["otoscopy", "camera", "v4l2:otoscope", "", "left"],
        [[kind for kind, _, _ in _DRAFTS], [unit for _, unit, _ in _DRAFTS], [how for _, _, how in _DRAFTS]],
        stethoscope,
        [[["sound"], "1", 16000, 4, 0, 60000, []], [], [], [["heart_rate"], "/min", "heart sound"]],
        [[list(_LEADS), "mV", 2000, 7, 0, 5000, []]],
        ["ecg", "kit-ecg", "serial:ecg", "", "", [40, 0]],
    )


DICTIONARY_2 = (_REASONS + _WORDS).encode() + b"".join(map(encode, _pieces()))
