"""The preset dictionary that deflates summaries: words that are likely, the likeliest last.

Part of the format: a change needs a new summary version, and the old dictionary stays for reading.
"""

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

DICTIONARY = _WORDS.encode() + _LEAD_ROWS
