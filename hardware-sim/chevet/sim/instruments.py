"""The kit's own virtual instruments and what can go wrong with each of them."""

from collections.abc import Awaitable
from pathlib import Path

from chevet.sim import kit, plx_sensor, sensors
from chevet.sim.air_faults import AirFaults, air_of
from chevet.sim.bedside import Bedside
from chevet.sim.camera import Camera, Ear
from chevet.sim.chest_piece import chest_piece_faults
from chevet.sim.eardrum import CONDITIONS, SIDES
from chevet.sim.electrodes import LEADS, electrode_faults
from chevet.sim.errors import FaultError as FaultError
from chevet.sim.faults import Fault, Faults, choice, flag, level, likely, reading
from chevet.sim.finger_light import LightFront
from chevet.sim.in_the_clip import finger_faults
from chevet.sim.instrument import Instrument as Instrument
from chevet.sim.instrument import clock_faults, line, replugging, serial_instrument
from chevet.sim.nonin import NoninDf2
from chevet.sim.plx_sensor import PlxSensor
from chevet.sim.serial_runner import SerialDevice, SerialRunner
from chevet.sim.wired import EcgFront, Place

ECG_SETS, SOUND_SETS, LIGHT_SETS = 25, 100, 10
"""Sample sets a frame, PROTOCOL.md section 6."""
LIGHT_HZ = 100.0
"""Of the kit's oximeter."""


def ecg(folder: Path, seed: int, now: float) -> Instrument:
    """Return the kit's twelve-lead ECG at DIR/ecg, playing a recording."""
    return kit_ecg(Bedside(folder, seed, now))


def stethoscope(folder: Path, seed: int, now: float) -> Instrument:
    """Return the kit's stethoscope at DIR/stethoscope, playing recordings."""
    return kit_stethoscope(Bedside(folder, seed, now))


def oximeter(folder: Path, seed: int, now: float) -> Instrument:
    """Return a Nonin module in data format 2 at DIR/oximeter, playing a recording."""
    return nonin_oximeter(Bedside(folder, seed, now))


def kit_ecg(bedside: Bedside) -> Instrument:
    """Return the kit's twelve-lead ECG at DIR/ecg."""
    place = Place(bedside.clock())
    chest = sensors.chest(bedside, "ecg", place)
    serial, played = f"SIM{bedside.seed:05d}E", bedside.plays.get("ecg")
    names: tuple[str, ...] = LEADS
    if played is not None:  # the front end takes over what the file has: its integers stay as they are
        names = played.leads()
        chest.rate_hz, chest.step_mv = played.rate_hz, played.steps_of(LEADS)
    identity = kit.ecg_identity(serial, chest.rate_hz, names, played.steps_of(names) if played else None)
    device = kit.KitDevice(identity, EcgFront(chest, names), ECG_SETS, place.clock())
    place.starts = lambda: device.began_at
    own = electrode_faults(chest.hands, names) | _kit_faults(device)
    return _on_a_port(bedside, ("ecg", "ecg", "kit-ecg"), device, place, own)


def kit_stethoscope(bedside: Bedside) -> Instrument:
    """Return the kit's stethoscope at DIR/stethoscope."""
    place = Place(bedside.clock())
    head, sites = sensors.chest_piece(bedside, "stethoscope", place)
    identity = kit.stethoscope_identity(f"SIM{bedside.seed:05d}S", head.rate_hz)
    device = kit.KitDevice(identity, head, SOUND_SETS, place.clock())
    place.starts = lambda: device.began_at
    own = chest_piece_faults(head, sites) | _kit_faults(device)
    return _on_a_port(bedside, ("stethoscope", "stethoscope", "kit-stethoscope"), device, place, own)


def nonin_oximeter(bedside: Bedside) -> Instrument:
    """Return a Nonin module in data format 2 at DIR/oximeter."""
    place = Place(bedside.clock())
    finger = sensors.finger(bedside, "oximeter", place)
    device = NoninDf2(finger, place.clock())
    place.starts = lambda: device.began_at
    return _on_a_port(bedside, ("oximeter", "oximeter", "nonin-df2"), device, place, finger_faults(finger))


def kit_oximeter(bedside: Bedside) -> Instrument:
    """Return the kit's oximeter at DIR/kit-oximeter: red and infrared light of the patient, no numbers."""
    place = Place(bedside.clock())
    finger = sensors.finger(bedside, "kit-oximeter", place)
    front = LightFront(finger, sensors.light(bedside, "kit-oximeter", place), LIGHT_HZ)
    identity = kit.oximeter_identity(f"SIM{bedside.seed:05d}X", LIGHT_HZ)
    device = kit.KitDevice(identity, front, LIGHT_SETS, place.clock())
    place.starts = lambda: device.began_at
    own = finger_faults(finger) | _kit_faults(device)
    return _on_a_port(bedside, ("kit-oximeter", "oximeter", "kit-oximeter"), device, place, own)


def _on_a_port(
    bedside: Bedside, names: tuple[str, str, str], device: SerialDevice, place: Place, own: Faults
) -> Instrument:
    """Return the instrument of `names` (id, instrument, driver) on a port of its own."""
    runner = SerialRunner(
        device, *line(bedside.folder / names[0], bedside.seed, tcp=bedside.tcp), place.clock
    )
    return serial_instrument(*names, bedside.folder, runner, own, clock=place.clock)


def _kit_faults(device: kit.KitDevice) -> Faults:
    percent, sets, ahead = reading(0, 100, 8), reading(1, 1_000_000, 500), reading(1, 4_000_000_000, 1000)

    def battery(on: bool, value: str) -> None:
        device.battery_pct = int(percent(value)) if on else None

    def overflow(_on: bool, value: str) -> None:
        device.overflow(int(sets(value)))

    def jump(_on: bool, value: str) -> None:
        device.jump(int(ahead(value)))

    lost, jumped = (
        "its buffer overflowed: sets lost and counted",
        "its index jumps without a word about losses",
    )
    return {
        "battery_low": Fault(
            battery, "runs on a nearly empty battery", "0 to 100 per cent (8)", reads=percent
        ),
        "overflow": Fault(overflow, lost, "1 to 1000000 sets (500)", True, "wire", sets),
        "counter_jump": Fault(jump, jumped, "1 to 4000000000 sets (1000)", True, "wire", ahead),
    }


async def ble_oximeter(bedside: Bedside) -> Instrument:
    """Return a pulse oximeter with the Bluetooth service, on the virtual air when this returns."""
    place = Place(bedside.clock())
    finger = sensors.finger(bedside, "oximeter-ble", place)
    air_faults = AirFaults(bedside.seed)
    sensor = PlxSensor(bedside.air, finger, f"SIM{bedside.seed:05d}P", air_faults)
    began = place.clock()
    place.starts = lambda: began
    await sensor.start()
    return Instrument(
        id="oximeter-ble",
        instrument="oximeter",
        driver="plx",
        url=f"ble:{plx_sensor.ADDRESS}?notify=2a5f,2a5e",
        run=lambda: sensor.run(place.clock),
        faults={**air_of(sensor, air_faults), **clock_faults(place.clock), **finger_faults(finger)},
        extra={"bluetooth_backend": "chevet.sim.bumble_backend:bluetooth", "bluetooth_spec": bedside.radio},
    )


def otoscope(camera: Camera) -> Instrument:
    """Return the network camera; it must have been plugged, so that its port is known."""
    ear = camera.ear

    def view(value: str) -> tuple[str, str]:
        side, condition = Ear().side, ""
        for word in value.split(":") if value else []:
            if choice(word, (*SIDES, *CONDITIONS)) in SIDES:
                side = word
            else:
                condition = word
        return condition, side

    def show(on: bool, value: str) -> Awaitable[None]:
        return camera.look_at(*view(value if on else ""))

    def unplug(on: bool, _value: str) -> Awaitable[None]:
        return camera.unplug() if on else camera.plug()

    wire = "wire"
    where = f"{', '.join(SIDES)} and one of {', '.join(CONDITIONS)}, joined by : (right)"
    return Instrument(
        id="otoscope",
        instrument="otoscope",
        driver="camera",
        url=f"mjpeg:{camera.url}",
        run=camera.run,
        faults={
            "ear": Fault(show, "which ear the camera looks into, and what is there", where, reads=view),
            "wrong_ear": flag(ear, "wrong_side", "the worker looks into the other ear"),
            "defocus": flag(ear, "defocus", "the lens is not focused"),
            "fogged_lens": level(ear, "fog", "the lens is fogged", (0.0, 1.0, 0.7), "strength"),
            "wax_on_lens": level(ear, "smear", "wax on the lens", (0.0, 1.0, 0.6), "strength"),
            "overexposed": level(ear, "glare", "too much light", (0.0, 1.0, 0.7), "strength"),
            "dark": level(ear, "dark", "the lamp is weak", (0.0, 1.0, 0.8), "strength"),
            "shaking": level(ear, "shake", "the hand shakes", (0.0, 1.0, 0.6), "strength"),
            "silence": flag(ear, "frozen", "the camera sends nothing", wire),
            "stuck": flag(ear, "stuck", "the camera sends the same picture again and again", wire),
            "slow": level(ear, "slow", "fewer pictures a second", (0.2, 15.0, 2.0), "a second", wire),
            "garbage": likely(ear, "garbage", "pictures are cut off and followed by noise"),
            "lost_frames": likely(ear, "lost", "pictures are lost"),
            "cut": Fault(lambda _on, _value: camera.cut(), "the stream breaks off", once=True, kind=wire),
            "unplug": Fault(unplug, "the camera is off the network", kind=wire),
            "replug": replugging(camera.unplug, camera.plug),
        },
    )
