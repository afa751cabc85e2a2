"""What is claimed about every instrument under every fault, and what cannot be claimed, with the reason."""

from dataclasses import dataclass

# What a claim asks of a cell, beside what is asked of all of them.
UNTOUCHED = "every sample, and nothing counted"
GAPS = "samples missing are counted, all others stand where they were taken"
AWAY = "nothing arrives, then the gap is as long as it was"
REOPENED = "the link ends and is opened again; the gap is as long as the host's clock says"
RESTARTED = "the device begins anew; the gap is as long as the host's clock says"
TOLD = "untouched, and the device says so"
EXACTLY = "as many samples are missing as the device counted"


@dataclass(frozen=True)
class Row:
    """One fault: its value, what is claimed, and what the link ends with."""

    claim: str
    value: str = ""
    ends: frozenset = frozenset()


SOME, OFTEN, ALWAYS = "0.08", "0.5", "1"
"""Probability: some frames are hit, and between them enough are not; more of those that send few."""
PULLED, GONE = frozenset({"unplugged"}), frozenset({"disconnected"})
FAULTS = {
    # the wire
    "silence": Row(AWAY),
    "wrong_baud": Row(AWAY),
    "garbage": Row(GAPS, SOME),
    "lost_bytes": Row(GAPS, SOME),
    "checksum": Row(GAPS, SOME),
    "lost_frames": Row(GAPS, SOME),
    "duplicate": Row(GAPS, SOME),
    "mid_frame": Row(GAPS),
    "banner": Row(GAPS),
    "deaf": Row(UNTOUCHED),
    "stall": Row(UNTOUCHED, "0.25"),
    "reboot": Row(RESTARTED),
    "unplug": Row(REOPENED, ends=PULLED),
    "replug": Row(REOPENED, "0", PULLED),
    "renamed": Row(REOPENED, ends=PULLED),
    # the air
    "ble_drop": Row(REOPENED, ends=GONE),
    "slow_reconnect": Row(REOPENED, "0.1", GONE),
    "hang_up": Row(REOPENED, ends=GONE),
    "hangs_up": Row(REOPENED, "0.5", GONE),
    "lost": Row(GAPS, SOME),
    "odd_sizes": Row(GAPS, SOME),
    "truncated": Row(GAPS, SOME),
    # the device
    "clock_drift": Row(UNTOUCHED),
    "lying_rate": Row(UNTOUCHED),
    "overflow": Row(EXACTLY, "120"),
    "counter_jump": Row(EXACTLY, "700"),
    "battery_low": Row(TOLD),
    "measure": Row(UNTOUCHED),
    # hands
    "sensor_off": Row(TOLD),
    "lead_off": Row(TOLD),
    **dict.fromkeys(
        ("electrode_off", "stuck", "swapped", "loose", "mains_hum", "tremor", "wander", "motion"),
        Row(UNTOUCHED),
    ),
    **dict.fromkeys(("cold_finger", "room_light"), Row(UNTOUCHED)),
    **dict.fromkeys(
        ("site", "friction", "speech", "room_noise", "knocks", "light_contact", "overdriven"), Row(UNTOUCHED)
    ),
}
WANTED = {
    *("silence", "banner", "wrong_baud", "mid_frame", "lost_bytes", "checksum", "garbage", "duplicate"),
    *("deaf", "unplug", "replug", "ble_drop", "slow_reconnect", "odd_sizes"),
    *("clock_drift", "counter_jump", "overflow", "sensor_off"),
}
"""The faults that every driver is held to; `deaf` loses keep-alives and polls, so that they expire."""

KIT = ("ecg", "stethoscope", "kit-oximeter")
NUMBERED = {*KIT, "polar-h10", "movesense"}
"""Every sample stands where it was taken, whatever was lost."""
ROUNDS = {"ganglion": 200, "cyton": 256, "chords": 256, "bitalino": 16}
"""As those, but a count so short that damage and repeats may be taken for whole rounds of it."""
NUMBERED_IN_PACKETS = {"oximeter", "nonin-df7", "nonin-ble"}
"""Only places within a packet are numbered: frames that vanish whole move others by a few places."""
RAW = {"ads1292r", "ads1298", "contec-cms50-v1", "contec-cms50-v2", "berrymed", "ad8232", "masimo-ascii"}
UNCHECKED = {
    **dict.fromkeys(RAW, "no checksum: damaged bytes may look like a sample or a number"),
    "nonin-df8": "no checksum but two bytes that repeat",
    "nonin-ascii": "text without a checksum",
    "polar-h10": "no checksum of its own: the radio's is relied on",
    "movesense": "no checksum of its own: the radio's is relied on",
    "ganglion": "no checksum of its own: the radio's is relied on",
    "nonin-ble": "no checksum of its own: the radio's is relied on",
    "heart-rate": "a service of the Bluetooth SIG has no checksum",
    "oximeter-ble": "a service of the Bluetooth SIG has no checksum",
    "plx-stored": "a service of the Bluetooth SIG has no checksum",
    "blood-pressure": "a service of the Bluetooth SIG has no checksum",
    "thermometer": "a service of the Bluetooth SIG has no checksum",
    "weight-scale": "a service of the Bluetooth SIG has no checksum",
    "glucose": "a service of the Bluetooth SIG has no checksum",
    "battery": "a service of the Bluetooth SIG has no checksum",
}
"""What arrives damaged may be believed: nothing is claimed about the values of damaged frames."""
DAMAGING = {
    "checksum",
    "lost_bytes",
    "garbage",
    "truncated",
    "odd_sizes",
    "wrong_baud",
    "banner",
    "mid_frame",
}
OWN_LINE = {
    "contec-cms50-v2": "draws a line of its own without a finger",
    **dict.fromkeys(
        ("healthypi-v3", "healthypi-v4", "ads1292r-breakout"), "sends 0 while an electrode is off"
    ),
    **dict.fromkeys(
        ("ads1292r", "ads1298", "cyton", "bitalino", "chords"), "an open input stands at the end of its range"
    ),
    "ad8232": "prints ! instead of a value",
}
"""What is sent without contact is not what the sensor gave."""
NOT_TOLD = {
    ("ads1292r-breakout", "lead_off"): "its short frames have no status",
    ("bitalino", "lead_off"): "its frames hold nothing but samples",
    ("chords", "lead_off"): "its frames hold nothing but samples",
    ("movesense", "lead_off"): "it measures no contact",
    ("healthypi-v5", "lead_off"): "its frames hold no contact",
    ("healthypi-v5-ov3", "lead_off"): "its frames hold no contact",
    ("ganglion", "lead_off"): "contact is seen in the impedance only, when it is asked to measure that",
    ("nonin-df13", "sensor_off"): "it has measured before it sends: a spot check",
}
"""The device itself says nothing."""
UNNUMBERED = "nothing is numbered: what vanishes whole, or arrives twice, for less than 0.3 s is not seen"
POLLED = "speaks only when asked"
CLAIMS = {
    ("viatom-o2ring", "deaf"): (AWAY, POLLED),
    ("er1", "deaf"): (AWAY, POLLED),
    ("pc60fw", "sensor_off"): (AWAY, "it switches off without a finger"),
    ("contec-cms50-v2", "deaf"): (UNTOUCHED, "it falls silent only after half a minute without keep-alive"),
    ("er1", "stall"): (GAPS, "answers that come late are taken for lost ones: nothing is numbered"),
    ("viatom-o2ring", "stall"): (GAPS, "answers that come late are taken for lost ones: nothing is numbered"),
    ("nonin-df13", "deaf"): (UNTOUCHED, "it repeats a record until it hears that it was taken"),
}
"""Where another claim holds, and why."""
SLOW = {
    (
        "nonin-df13",
        "reboot",
    ): "it forgets the format; its Bluetooth port goes away with it and is opened again",
}
"""Where the link is opened again by hand, since the real port would have vanished."""
METERS = ("blood-pressure", "thermometer", "weight-scale", "glucose", "plx-stored", "battery")
NO_SAMPLES = {"nonin-df8", "nonin-df13", "nonin-ascii", "masimo-ascii", "heart-rate", "oximeter-ble", *METERS}
ASKED = ("viatom-o2ring", "er1")
"""Speak only when asked, so that it takes some seconds until all is well again."""
NO_RATE = ("ad8232",)
"""Sends as fast as its line carries: its samples are counted as they were taken."""
LATE_ONE = {
    ("ads1292r", "silence"): "a frame is believed when the next has come: the last comes after the silence",
    ("ads1298", "silence"): "a frame is believed when the next has come: the last comes after the silence",
}
"""One sample may stand behind the gap that it was taken before."""
NOTHING_TO_HIT = {("battery", "odd_sizes"): "its value is one byte and cannot be cut"}
SLACK = {"ganglion": 64}
"""Steps by which samples may differ: 18 bits of 24 travel."""

ON_A_WIRE = ("ble_drop", "slow_reconnect", "odd_sizes")
ON_AIR = ("banner", "wrong_baud", "mid_frame", "lost_bytes", "unplug", "replug")
ELSEWHERE = {
    "camera": (
        ("otoscope", "wifi-otoscope"),
        "tests/sim/test_cameras_and_cards_under_faults.py",
        "pictures over HTTP and UDP, in real time",
    ),
    "sound-card": (
        ("sound-card",),
        "tests/sim/test_cameras_and_cards_under_faults.py",
        "a real arecord over ALSA's file plugin",
    ),
}
"""Drivers whose faults are tried in files of their own, since their links know no bytes to step through."""


def why_without(name, fault, air):
    """Return why an instrument does not have a fault that every driver is held to; "" if it must have it."""
    if air and fault in ON_AIR:
        return "the radio carries whole notifications: it has no speed, no frames to cut and no cable"
    if not air and fault in ON_A_WIRE:
        return "a cable has no range and no notifications"
    if fault in ("counter_jump", "overflow") and name not in KIT:
        return "only the kit's protocol tells of them; elsewhere frames that are lost make the counter jump"
    if fault == "sensor_off" and name in METERS:
        return "a meter that has nothing to measure says nothing"
    return ""
