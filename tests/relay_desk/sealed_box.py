"""The box of a sealed programme, and what only it can open."""

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from relay.conftest import Clock, Site, ear, ecg, heart_sound, messages
from relay.conftest import deliver as take

from chevet.edge.trust import Programme, keep_programme, read_programme
from chevet.exchange.errors import Refused
from chevet.exchange.manifest import read_manifest
from chevet.exchange.messages import Chunk, read
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import Sealed, open_manifest, open_object, open_sealed
from chevet.relay.enrolment import programme_words
from chevet.relay.relay import Relay
from chevet.study.bundle import pack
from chevet.study.case import Message, Opinion, unpack_message, unpack_opinion
from chevet.study.ids import uuid7
from chevet.study.recording import QualityMark, StoredPicture
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital

QUESTION = "Seededquestion about the murmur?"


def still() -> StoredPicture:
    """A picture as a camera gives it, of an orange disc."""
    out = io.BytesIO()
    picture = Image.new("RGB", (320, 240), "#301008")
    ImageDraw.Draw(picture).ellipse((60, 20, 260, 220), fill="#d08040")
    picture.save(out, "JPEG")
    return StoredPicture(out.getvalue(), "image/jpeg", 0.5, True)


def study() -> Study:
    now = Clock().ms
    return Study(
        id=uuid7(now, os.urandom(10)), site="abc", worker="amina", reason="chest_pain", question=QUESTION,
        patient=Patient(uuid7(now, os.urandom(10)), "Zahra Seededname", 1971, "F", "R-77"),
        consent=Consent(("care",), now, ""), specialty="cardiology", urgency="urgent",
        closed=EdgeClock(now, "boot", 1.0),
        recordings=(ecg(), heart_sound(), replace(ear(), pictures=(still(),))),
        vitals=(Vital("spo2", 97.0, "%", "nonin-df2", now, QualityMark(1.0, True)),),
    )  # fmt: skip


def receiver_of(relay: Relay, box: Site) -> Receiver:
    return Receiver(relay.inbox, signer=relay.keys.relay, origin_key=lambda _: box.signer.public_key())


def box_of(relay: Relay, folder: Path) -> tuple[Site, Programme]:
    """A box that the relay knows, sealing to those the roster confirmed; and the programme as it reads it."""
    keep_programme(folder / "box.json", programme_words(relay.keys, "sealed", relay.roster))
    programme = read_programme(folder / "box.json")
    box = Site("abc", list(programme.recipients_for("cardiology")))
    relay.sites.add(box.file())
    return box, programme


def the_relay_takes_what_it_cannot_open(relay: Relay, box: Site, visit: Study) -> None:
    """Deliver a study as the box seals it; none of the relay's keys opens it."""
    item = box.seal(pack(visit))
    take(receiver_of(relay, box), messages(item))
    assert relay.inbox.state(item.tid) == "complete"
    for key in (relay.keys.programme, *relay.keys.older):
        with pytest.raises(Refused, match="not_a_recipient"):
            open_object(read_manifest(item.manifest), 0, item.objects[0].data, key)


def the_box_alone_opens_the_opinion(relay: Relay, box: Site) -> Opinion:
    (waiting,) = relay.outbox("abc").pending()
    said = open_manifest(waiting, relay.keys.relay.public_key())
    sealed = {0: relay.outbox("abc").read(said.tid, 0, 0, 1 << 20)}
    with pytest.raises(Refused, match="not_a_recipient"):
        open_sealed(said, sealed, relay.keys.programme)
    return unpack_opinion(open_sealed(said, sealed, box.sealing))


def sent_down(relay: Relay, box: Site) -> list[Message]:
    """What waits for the box as it reads it, messages alone."""
    found = []
    for manifest in relay.outbox("abc").pending():
        said = open_manifest(manifest, relay.keys.relay.public_key())
        if said.kind == "message":
            data = relay.outbox("abc").read(said.tid, 0, 0, 1 << 20)
            found.append(unpack_message(open_sealed(said, {0: data}, box.sealing)))
    return found


def previews_of(item: Sealed) -> list[bytes]:
    """The messages of a study without its objects of higher layers, as a thin link brings them first."""
    first = {one.oid for one in read_manifest(item.manifest).objects if one.layer <= 1}
    told = [(payload, read(payload)) for payload in messages(item)]
    return [payload for payload, said in told if not isinstance(said, Chunk) or said.oid in first]
