"""What a virtual camera sent and a virtual sound card wrote: the ground truth of their drivers."""

from dataclasses import dataclass

import cv2
import numpy as np

from chevet.devices.decimator import Decimator
from chevet.devices.samples import Picture
from chevet.sim import camera as sim_camera
from chevet.sim.otoscope_video import OtoscopeVideo
from chevet.sim.twins.sound_card import SoundCard
from chevet.sim.twins.wifi_camera import WifiCamera

SEED = 1
LOOKS_THE_SAME = 0.8
"""Mean grey levels between two pictures of one moment: noise makes 0.45, the least of the faults 1.8."""
CARD_HZ, EACH = 48000, 12
"""The card's rate, and how many of its samples make one of the driver's."""


@dataclass(frozen=True)
class Made:
    """A picture of the camera: which in the order of all, and its place in the loop."""

    order: int
    frame: int


class Eye:
    """The ground truth of a camera: all it made and all it sent."""

    def __init__(self, patch):
        self.made, self.sent, self.order = {}, [], 0
        self.clear = OtoscopeVideo("normal", "right", SEED)
        picture, cut, part = sim_camera.Camera.picture, WifiCamera._cut, sim_camera.part

        async def seen(camera, frame):
            self.order += 1
            made = Made(self.order, frame)
            image = await picture(camera, frame)
            self.made[image] = made
            return image

        def over_http(image):
            self.sent.append(image)
            return part(image)

        def over_udp(camera, image):
            self.sent.append(image)
            return cut(camera, image)

        patch.setattr(sim_camera.Camera, "picture", seen)
        patch.setattr(sim_camera, "part", over_http)
        patch.setattr(WifiCamera, "_cut", over_udp)

    def later(self, events, mark):
        """Return the pictures among `events` that the camera began after `mark`, each its own bytes."""
        images = [event.data for event in events if isinstance(event, Picture)]
        assert set(images) <= set(self.sent) & set(self.made), "a picture that the camera did not send"
        return [image for image in images if self.made[image].order > mark]

    def difference(self, image):
        """Return by how much it differs from the clear one of the same moment, in grey levels."""
        mine = self.clear.jpeg(self.made[image].frame)
        pixels = [cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in (image, mine)]
        assert pixels[0].shape == (480, 640, 3)
        calm = [cv2.blur(one, (9, 9)).astype(float) for one in pixels]  # each has noise of its own
        return float(np.abs(calm[0] - calm[1]).mean())


class Ear:
    """The ground truth of a sound card: all that it wrote, and where the driver's samples lie in it."""

    def __init__(self, patch):
        self.wrote, self._places, self._next, self.jumps = bytearray(), [], None, 0
        write = SoundCard._write

        def heard(card, data):
            lost = card.lost
            write(card, data)
            if card._writing is not None and card.lost == lost:
                self.wrote += data

        patch.setattr(SoundCard, "_write", heard)

    def made_of(self, place, end):
        """Return what the driver has to make of the card's samples `place` on, from one block on."""
        samples = np.frombuffer(bytes(self.wrote[2 * place : 2 * end]), "<i2").astype(np.int32)
        made = [values for _, values in Decimator(CARD_HZ, 16).add(samples, 0)]
        return np.concatenate(made) if made else np.empty(0, np.int16)

    def judge(self, block):
        """Assert that a block is the card's own, and within a run where it has to be."""
        values, width = block.values[0], 80 * EACH
        if block.first == self._next:
            shifted = [place + EACH * block.first for place in self._places]
            self._places = [
                place - EACH * block.first
                for place in shifted
                if np.array_equal(self.made_of(place - width, place + 2 * width)[:80], values)
            ]
        else:
            self.jumps += 0 if self._next is None else block.first - self._next
            self._places = [place - EACH * block.first for place in self._found(values)]
        self._next = block.first + len(values)
        assert self._places, f"sample {block.first} is not the card's own"

    def _found(self, values):
        """Return all places among the last seconds of the card's samples that make these."""
        end = len(self.wrote) // 2
        places = []
        for begin in range(max(0, end - 4 * CARD_HZ) // 480 * 480, end)[:EACH]:
            made = self.made_of(begin, end)
            if len(made) >= len(values):
                windows = np.lib.stride_tricks.sliding_window_view(made, len(values))
                places += [begin + EACH * (80 + int(n)) for n in np.flatnonzero((windows == values).all(1))]
        return places
