"""A programme with one site, entirely in a temporary folder, and a clock the test turns."""

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import numpy as np
import pytest

from chevet.devices.samples import Channel, Reading
from chevet.exchange.events import Answer
from chevet.exchange.keys import new_sealing_key, new_signing_key, public_text
from chevet.exchange.manifest import CHUNK
from chevet.exchange.messages import Chunk, ManifestMessage, write
from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import Recipient, Sealed, seal
from chevet.relay.accounts.passwords import Cost
from chevet.relay.accounts.totp import code_at, step_at
from chevet.relay.accounts.users import User
from chevet.relay.api.app import create_app
from chevet.relay.keys import SiteFile, make_programme
from chevet.relay.relay import Relay, open_relay
from chevet.relay.settings import Settings
from chevet.study.bundle import Bundle, pack
from chevet.study.ids import uuid7
from chevet.study.recording import Gap, Measurement, QualityMark, Recording, StoredPicture, Waveform
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital

CHEAP = Cost(1, 8, 1)
PASSWORD = "a long enough passphrase"
NOON = 1_790_000_000_000
OPINION = {
    "impression": "Normal sinus rhythm.",
    "certainty": "probable",
    "advice": "Rest.",
    "urgency": "routine",
    "transfer": False,
    "follow_up_date": "2026-12-24",
    "password": PASSWORD,
}
SECRET_NAME = "Zahra Seededname"
SECRET_QUESTION = "Seededquestion about the murmur?"


@dataclass
class Clock:
    """Unix ms that only the test moves."""

    ms: int = NOON

    def __call__(self) -> int:
        return self.ms


@dataclass
class Site:
    """A box of a health centre: its keys, and what it needs of the programme."""

    code: str
    recipients: list[Recipient]
    signer: object = field(default_factory=new_signing_key)
    sealing: object = field(default_factory=new_sealing_key)
    seq: int = 0

    def file(self) -> SiteFile:
        return SiteFile(
            v=1,
            site=self.code,
            name=f"Centre {self.code}",
            phone="141",
            verify_key=public_text(self.signer.public_key()),
            seal_key=public_text(self.sealing.public_key()),
        )

    def seal(self, bundle: Bundle, label: str = "", signer: object = None) -> Sealed:
        self.seq += 1
        return seal(
            bundle,
            origin=self.code,
            seq=self.seq,
            priority=1,
            created=EdgeClock(NOON, "boot", 1.0),
            recipients=[*self.recipients, Recipient("site", self.sealing.public_key())],
            signer=signer or self.signer,
            random=os.urandom,
            label=label,
        )


@dataclass
class World:
    """A relay with its folder, one site, and how to open it again as another process would."""

    folder: Path
    settings: Settings
    clock: Clock
    relay: Relay
    site: Site
    opened: list[Relay] = field(default_factory=list)

    def again(self, **changes: object) -> Relay:
        """Open the same archive once more, as a second worker or after a restart."""
        relay = open_relay(self.settings.model_copy(update=changes), now_ms=self.clock, cost=CHEAP)
        self.opened.append(relay)
        return relay

    def receiver(self, relay: Relay | None = None) -> Receiver:
        relay = relay or self.relay

        def key(code: str) -> object:
            site = relay.sites.get(code)
            return self.site.signer.public_key() if site and not site.revoked else None

        return Receiver(relay.inbox, signer=relay.keys.relay, origin_key=key)

    def user(self, ident: str = "dr", role: str = "specialist") -> User:
        return self.relay.users.add(
            User(ident, f"Dr {ident}", role, "cardiology" if role == "specialist" else "", ("fr",), b""),
            PASSWORD,
        )


def open_session(relay: Relay, user: User) -> str:
    """Sign in as a person does, with an app's code where one is asked for; return the session's token."""
    half = relay.sign_in.sign_in(user.id, PASSWORD)
    if half.stage == "open":
        return half.token
    if half.stage == "enrol":
        SECRETS[user.id] = relay.sign_in.begin_enrolment(half.token).secret
        return relay.sign_in.confirm_enrolment(half.token, app_code(relay, user))[0].token
    relay.now_ms.ms += 30_000  # no code counts twice
    return relay.sign_in.give_code(half.token, app_code(relay, user)).token


SECRETS: dict[str, str] = {}
"""What the authenticator app of each account keeps."""


def app_code(relay: Relay, user: User) -> str:
    return code_at(base64.b32decode(SECRETS[user.id]), step_at(relay.now_ms()))


@pytest.fixture(scope="session")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("programme")
    make_programme(folder, "Programme Test")
    return folder


@pytest.fixture(scope="session")
def empty_archive(programme: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of this version with nothing in it: copying it is faster than migrating each anew."""
    folder = tmp_path_factory.mktemp("empty") / "archive"
    open_relay(Settings(keys=programme / "keys", archive=folder), cost=CHEAP).close()
    return folder


@pytest.fixture
def world(programme: Path, empty_archive: Path, tmp_path: Path) -> Iterator[World]:
    clock = Clock()
    settings = Settings(keys=programme / "keys", archive=tmp_path / "archive")
    shutil.copytree(empty_archive, settings.archive)
    relay = open_relay(settings, now_ms=clock, cost=CHEAP)
    recipients = [Recipient("programme", relay.keys.programme.public_key())]
    site = Site("abc", recipients)
    relay.sites.add(site.file())
    found = World(tmp_path, settings, clock, relay, site)
    yield found
    for one in (relay, *found.opened):
        one.close()


@pytest.fixture
def client(world: World) -> Callable[..., httpx.AsyncClient]:
    """Make clients of the desk's API: `client()` signed out, `client(user)` signed in."""

    def make(user: User | None = None, relay: Relay | None = None) -> httpx.AsyncClient:
        relay = relay or world.relay
        transport = httpx.ASGITransport(create_app(relay), raise_app_exceptions=False)
        found = httpx.AsyncClient(transport=transport, base_url="http://desk", headers={"X-Chevet": "1"})
        if user is not None:
            found.cookies.set("chevet_desk", open_session(relay, user))
        return found

    return make


@pytest.fixture
def make_study(world: World) -> Callable[..., Study]:
    def make(**changes: object) -> Study:
        ident = uuid7(world.clock.ms, os.urandom(10))
        patient = Patient(uuid7(world.clock.ms, os.urandom(10)), SECRET_NAME, 1971, "F", "R-77")
        study = Study(
            id=ident,
            site="abc",
            worker="amina",
            patient=patient,
            consent=Consent(("care",), NOON, ""),
            reason="chest_pain",
            question=SECRET_QUESTION,
            specialty="cardiology",
            urgency="urgent",
            closed=EdgeClock(NOON, "boot", 12.5, "synchronised"),
            recordings=(ecg(), ear()),
            vitals=(Vital("spo2", 97.0, "%", "nonin-df2", NOON, QualityMark(1.0, True)),),
        )
        return replace(study, **changes)

    return make


def ecg(seconds: int = 4, **changes: object) -> Recording:
    rng = np.random.default_rng(1)
    values = np.cumsum(rng.integers(-9, 10, (8, 500 * seconds)), axis=1).astype(np.int16)
    names = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    wave = Waveform(tuple(Channel(name, "mV", 500.0, 0.001) for name in names), values, (Gap(100, 5),))
    values[:, 100:105] = 0
    recording = Recording(
        id=uuid7(NOON, os.urandom(10)),
        step="ecg",
        driver="kit-ecg",
        link="serial",
        started_ms=NOON,
        duration_s=float(seconds),
        quality=QualityMark(0.4, False, ("lead_off:V2",)),
        waveforms=(wave,),
        device={"model": "kit"},
        lost_samples=5,
        measurements=(Measurement("heart_rate", 72.0, "/min", "median RR"),),
        readings=(Reading("heart_rate", 72.0, "/min", 1.0),),
    )
    return replace(recording, **changes)


def heart_sound(seconds: int = 2) -> Recording:
    values = (900 * np.sin(np.arange(4000 * seconds) / 9)).astype(np.int16)[None]
    wave = Waveform((Channel("heart sound", "1", 4000.0, 1.0),), values)
    return ecg(step="heart_sound", site="M", waveforms=(wave,), driver="kit-stethoscope")


def ear() -> Recording:
    pixels = np.random.default_rng(2).integers(0, 255, 9000, np.uint8).tobytes()
    still = StoredPicture(b"\xff\xd8" + pixels, "image/jpeg", 0.5, True)
    return ecg(step="otoscopy", side="left", waveforms=(), pictures=(still,), driver="camera")


def messages(sealed: Sealed) -> list[bytes]:
    """Everything a sender would publish for a bundle, manifest first."""
    chunks = [
        write(Chunk(sealed.tid, item.oid, at // CHUNK, item.data[at : at + CHUNK]))
        for item in sealed.objects
        for at in range(0, len(item.data), CHUNK)
    ]
    return [write(ManifestMessage(sealed.manifest)), *chunks]


def deliver(receiver: Receiver, payloads: list[bytes], site: str = "abc", now: float = 0.0) -> list[Answer]:
    return [answer for payload in payloads for answer in receiver.receive(site, payload, now)]


@pytest.fixture
def sent(world: World, make_study: Callable[..., Study]) -> Callable[..., Study]:
    """Send a study as the site would, and return it."""

    def send(label: str = "", **changes: object) -> Study:
        study = make_study(**changes)
        deliver(world.receiver(), messages(world.site.seal(pack(study), label)))
        return study

    return send


def code(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "field"}
    return answer.status_code, body["error"]["code"]
