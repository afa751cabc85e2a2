"""What every version there ever was sealed, signed and carried: it opens, settles, is believed for ever."""

import io

import pytest
import soundfile as sf
from exchange_fakes import PROGRAMME, RELAY_KEY, SITE_KEY, MemoryOutbox
from exchange_stored import FOLDER, RECOVERY, SITE_SEAL, VOICE, message, opinion, stored, study

from chevet.edge.trust import vouched
from chevet.exchange.carrier import DOWN, UP
from chevet.exchange.events import Settled
from chevet.exchange.manifest import read_manifest
from chevet.exchange.messages import Chunk, ManifestMessage, read
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import Sealed, SealedObject, open_sealed
from chevet.exchange.sender import Sender
from chevet.sim.memory_inbox import MemoryInbox
from chevet.study.bundle import content_hash, unpack
from chevet.study.case import message_bytes, opinion_bytes, unpack_message, unpack_opinion
from chevet.study.spoken import unpack_voice, voice_ms

NAMES = ("first",)
CONTENT = {"first": "778dce4efc1b8af727518140f750bf702ae7217ab7da334573b062928553b579"}
"""Of each stored study, so that nobody stores another one under an old name."""


def received(name: str, kind: str, origin, key) -> MemoryInbox:
    """What a receiver keeps of a stored file; every bundle in it is whole."""
    inbox = MemoryInbox()
    receiver = Receiver(inbox, signer=RELAY_KEY, origin_key=lambda _: key.public_key())
    for payload in stored(name, kind):
        if isinstance(read(payload), ManifestMessage | Chunk):
            receiver.receive(origin, payload, 0.0)
    assert set(inbox.states.values()) == {"complete"}
    assert inbox.dead == []
    return inbox


def opened(inbox: MemoryInbox, tid: bytes, key):
    manifest = read_manifest(inbox.manifests[tid])
    return open_sealed(manifest, {one.oid: inbox.read(tid, one.oid) for one in manifest.objects}, key)


def test_every_stored_file_is_tried():
    assert {path.name for path in FOLDER.iterdir()} == {
        *(f"{name}.{kind}" for name in NAMES for kind in (UP, DOWN)),
        *(f"{name}-voice.up" for name in NAMES),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_study_opens_for_programme_site_and_recovery_to_the_same_study(name):
    inbox = received(name, UP, "abc", SITE_KEY)
    (tid,) = inbox.manifests
    for key in (PROGRAMME, SITE_SEAL, RECOVERY):
        bundle = opened(inbox, tid, key)
        assert content_hash(bundle) == CONTENT[name]
        found, wanted = unpack(bundle), study()
        (ours,), (theirs,) = found.recordings[0].waveforms, wanted.recordings[0].waveforms
        assert (ours.channels, ours.gaps, ours.values.tolist()) == (
            theirs.channels,
            theirs.gaps,
            theirs.values.tolist(),
        )
        assert (found.patient, found.vitals, found.question, found.notes) == (
            wanted.patient, wanted.vitals, wanted.question, wanted.notes,
        )  # fmt: skip
        assert found.recordings[0].measurements == wanted.recordings[0].measurements


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_receipt_settles_the_study_and_no_other(name):
    inbox, outbox = received(name, UP, "abc", SITE_KEY), MemoryOutbox()
    (tid,) = inbox.manifests
    manifest = read_manifest(inbox.manifests[tid])
    outbox.bundles[tid] = Sealed(
        manifest.id, tid, inbox.manifests[tid],
        tuple(SealedObject(one.oid, one.layer, inbox.read(tid, one.oid)) for one in manifest.objects),
    )  # fmt: skip
    sender = Sender(outbox, peer_key=RELAY_KEY.public_key())
    news = [one for payload in stored(name, DOWN) for one in sender.receive(payload, 0.0)]
    assert [one.id for one in news if isinstance(one, Settled)] == [study().id]
    assert list(outbox.settled) == [tid]


@pytest.mark.parametrize("name", NAMES)
def test_stored_answers_open_at_the_site_and_their_signatures_hold(name):
    inbox = received(name, DOWN, "relay", RELAY_KEY)
    bundles = {one.kind: one for one in (opened(inbox, tid, SITE_SEAL) for tid in inbox.manifests)}
    said, asked = unpack_opinion(bundles["opinion"]), unpack_message(bundles["message"])
    assert (said, asked) == (opinion(), message())
    relay = RELAY_KEY.public_key()
    assert vouched(said.author, said.signature, opinion_bytes(said), relay)
    assert vouched(asked.author, asked.signature, message_bytes(asked), relay)


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_voice_note_opens_and_plays(name):
    inbox = received(f"{name}-voice", UP, "abc", SITE_KEY)
    (tid,) = inbox.manifests
    bundle = opened(inbox, tid, PROGRAMME)
    assert (bundle.id, bundle.kind, bundle.case) == (VOICE, "voice", study().id)
    ogg = unpack_voice(bundle)
    assert voice_ms(ogg) == pytest.approx(1000, abs=40)
    heard, rate = sf.read(io.BytesIO(ogg))
    assert len(heard) / rate == pytest.approx(1.0, abs=0.04)
