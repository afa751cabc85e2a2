"""Instruments of `chevet-sim serve` that are neither on a serial port nor on Bluetooth."""

from collections.abc import Awaitable, Callable

from chevet.sim import instruments as make
from chevet.sim import sensors
from chevet.sim.bedside import Bedside
from chevet.sim.camera import Camera, Ear
from chevet.sim.chest_piece import chest_piece_faults
from chevet.sim.faults import Fault, flag, likely
from chevet.sim.instrument import Instrument, clock_faults, replugging
from chevet.sim.twins.sound_card import SoundCard
from chevet.sim.twins.wifi_camera import WifiCamera
from chevet.sim.wired import Place

SOUND_CARD, WIFI_OTOSCOPE = "sound-card", "wifi-otoscope"
WIRE = "wire"


def sound_card(bedside: Bedside) -> Instrument:
    """Return a USB sound card with a stethoscope in it; ALSA's own programs record from it."""
    place = Place(bedside.clock())
    head, sites = sensors.chest_piece(bedside, SOUND_CARD, place)
    card = SoundCard(bedside.folder, head, SOUND_CARD, clock=place.clock)
    place.starts = lambda: card.began_at

    def unplug(on: bool, _value: str) -> None:
        (card.unplug if on else card.plug)()

    own = {
        "silence": flag(card, "silence", "the card's clock stands still", WIRE),
        "muted": flag(card, "muted", "the microphone is switched off: digital silence"),
        "unplug": Fault(unplug, "the card is pulled out", kind=WIRE),
        "replug": replugging(card.unplug, card.plug),
    }
    card.plug()
    faults = {**chest_piece_faults(head, sites), **clock_faults(place.clock), **own}
    return Instrument(SOUND_CARD, "stethoscope", "sound-card", card.url, card.run, faults)


async def wifi_otoscope(bedside: Bedside) -> Instrument:
    """Return a Wi-Fi ear camera; it is switched on when this returns."""
    heart = bedside.heart
    ear = Ear(condition="") if heart else Ear()
    eye = Camera(
        ear, bedside.seed, patient=lambda side: heart.patient.ear(side) if heart else Ear().condition
    )
    camera = WifiCamera(eye.picture, bedside.seed)
    await camera.plug()

    def unplug(on: bool, _value: str) -> Awaitable[None]:
        return (camera.unplug if on else camera.plug)()

    def once(do: Callable[[], Awaitable[None]]) -> Callable[[bool, str], Awaitable[None]]:
        return lambda _on, _value: do()

    air = {
        "silence": flag(camera, "silence", "the camera sends nothing", WIRE),
        "lost_frames": likely(camera, "loss", "datagrams are lost, and with each its picture"),
        "duplicate": likely(camera, "duplicate", "datagrams arrive twice"),
        "reorder": likely(camera, "reorder", "datagrams arrive in another order"),
        "reboot": Fault(once(camera.restart), "the camera restarts", once=True, kind=WIRE),
        "unplug": Fault(unplug, "the camera is switched off", kind=WIRE),
        "replug": replugging(camera.unplug, camera.plug),
    }
    hands = {name: fault for name, fault in make.otoscope(eye).faults.items() if fault.kind != WIRE}
    return Instrument(WIFI_OTOSCOPE, "otoscope", "camera", camera.url, camera.run, {**hands, **air})
