"""A study, its receipt and the answers to it, sealed and on a stick, as they lie in tests/exchange/examples.

After a change of what is sealed, signed or carried, store one more under a new name; keep the old ones:
    PYTHONPATH=tests/exchange .venv/bin/python tests/exchange/exchange_stored.py second
"""

import hashlib
import io
import os
import sys
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from exchange_fakes import CLOCK, PROGRAMME, RELAY_KEY, SITE_KEY, MemoryOutbox

from chevet.devices.samples import Channel
from chevet.exchange.carrier import DOWN, UP, messages_of, read_file, write_file
from chevet.exchange.manifest import digest
from chevet.exchange.messages import sign_complete, write
from chevet.exchange.sealing import Recipient, Sealed, seal
from chevet.study.bundle import Bundle, pack
from chevet.study.case import (
    Author,
    Medicine,
    Message,
    Opinion,
    Signature,
    author_bytes,
    message_bytes,
    opinion_bytes,
    pack_message,
    pack_opinion,
)
from chevet.study.recording import Gap, Measurement, QualityMark, Recording, Waveform
from chevet.study.spoken import VoiceNote, encode_voice, pack_voice, told_of
from chevet.study.study import Consent, Patient, Study, Vital

FOLDER = Path(__file__).parent / "examples"
SITE_SEAL = X25519PrivateKey.from_private_bytes(b"t" * 32)
RECOVERY = X25519PrivateKey.from_private_bytes(b"v" * 32)
DOCTOR = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
AUTHOR = Author("dr-b", "Dr Bennani", "cardiology")
CASE = "0192f0c1-2345-7abc-8def-0123456789ab"
VOICE = "0192f0c1-2345-7abc-8def-0123456789b1"
NOW = CLOCK.wall_ms


def study() -> Study:
    """A small visit of integers alone: equal on every machine."""
    t = np.arange(700)
    wave = np.stack([((t * 7) % 97 - 48) * 5, ((t * 11) % 89 - 44) * 4]).astype(np.int16)
    leads = (Channel("I", "mV", 500.0, 0.001), Channel("II", "mV", 500.0, 0.001))
    recording = Recording(
        "0192f0c1-2345-7abc-8def-0123456789ac", "ecg", "kit-ecg", "serial:kit", NOW - 9000, 1.4,
        QualityMark(0.82, True, ("mains_hum",)), waveforms=(Waveform(leads, wave, (Gap(70, 9),)),),
        measurements=(Measurement("heart_rate", 71.3, "/min", "median"),), simulated=True, lost_samples=9,
    )  # fmt: skip
    return Study(
        id=CASE, site="abc", worker="amina", reason="palpitations", question="Souffle ? À référer ?",
        patient=Patient("0192f0c1-2345-7abc-8def-0123456789ad", "ⵜⴰⵏⵉⵔⵜ", 1974, "F", "T-1"),
        consent=Consent(("care",), NOW - 60_000, "voisine"), specialty="cardiology", urgency="urgent",
        closed=CLOCK, recordings=(recording,), label="HTEST", notes={"red_flags": "none"},
        vitals=(Vital("spo2", 93.5, "%", "nonin-df2", NOW - 6, QualityMark(1.0, True)),),
    )  # fmt: skip


def _signed(words: bytes) -> Signature:
    public = DOCTOR.public_key().public_bytes_raw()
    return Signature(DOCTOR.sign(words), public, RELAY_KEY.sign(author_bytes(AUTHOR, public)))


def opinion() -> Opinion:
    """An answer with everything an answer can hold."""
    voice = VoiceNote("0192f0c1-2345-7abc-8def-0123456789ae", 2000, 2600, hashlib.sha256(b"voice").digest())
    facts = {
        "id": "0192f0c1-2345-7abc-8def-0123456789af", "case": CASE, "version": 2, "impression": "Bénin.",
        "certainty": "probable", "advice": "Revoir.", "urgency": "routine", "transfer": False,
        "author": AUTHOR, "follow_up_date": "2026-12-24", "signed_ms": NOW, "label": "HTEST", "voice": voice,
        "medicines": (Medicine("bisoprolol 2.5 mg", "1 le matin"),),
    }  # fmt: skip
    return Opinion(**facts, signature=_signed(opinion_bytes(Opinion(**facts))))


def message() -> Message:
    """The request to take one recording again."""
    facts = {
        "id": "0192f0c1-2345-7abc-8def-0123456789b0", "case": CASE, "kind": "retake", "text": "Encore",
        "author": AUTHOR, "at_ms": NOW, "step": "heart_sound", "site": "M", "label": "HTEST",
    }  # fmt: skip
    return Message(**facts, signature=_signed(message_bytes(Message(**facts))))


def stored(name: str, kind: str) -> list[bytes]:
    """The messages of a stored file."""
    return list(read_file(io.BytesIO((FOLDER / f"{name}.{kind}").read_bytes()), kind, "abc"))


def _sealed(
    what: Bundle, origin: str, key: Ed25519PrivateKey, seq: int, *readers: X25519PrivateKey
) -> Sealed:
    recipients = [Recipient(str(n), reader.public_key()) for n, reader in enumerate(readers)]
    return seal(
        what, origin=origin, seq=seq, priority=0, created=CLOCK, recipients=recipients, signer=key,
        random=os.urandom, label="HTEST",
    )  # fmt: skip


def _store(name: str) -> None:
    up, down = MemoryOutbox(), MemoryOutbox()
    ogg = encode_voice(np.rint(9000 * np.sin(np.arange(16_000) / 18)).astype("<i2").tobytes())
    voice = pack_voice(told_of(VOICE, ogg), CASE, ogg)
    readers = (PROGRAMME, SITE_SEAL, RECOVERY)
    item, spoken = (
        up.put(_sealed(what, "abc", SITE_KEY, 1 + n, *readers))
        for n, what in enumerate((pack(study()), voice))
    )
    receipt = write(sign_complete(item.tid, item.id, digest(item.manifest), RELAY_KEY))
    told = [
        down.put(_sealed(what, "relay", RELAY_KEY, 1 + n, SITE_SEAL))
        for n, what in enumerate((pack_opinion(opinion()), pack_message(message())))
    ]
    answers = [payload for one in told for payload in messages_of(down, one.manifest)]
    with (FOLDER / f"{name}.up").open("xb") as file:
        write_file(file, UP, "abc", messages_of(up, item.manifest))
    with (FOLDER / f"{name}-voice.up").open("xb") as file:
        write_file(file, UP, "abc", messages_of(up, spoken.manifest))
    with (FOLDER / f"{name}.down").open("xb") as file:
        write_file(file, DOWN, "abc", [receipt, *answers])


if __name__ == "__main__":
    _store(sys.argv[1])
