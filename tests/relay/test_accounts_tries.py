"""Tries without a password: so many begin at one address, and a provider that is away holds nobody up."""

import json

import httpx
import pytest
from sqlalchemy import select

from chevet.relay.accounts.brake import Begun
from chevet.relay.accounts.id_token import ProviderError
from chevet.relay.accounts.provider import DESCRIPTION, REST_MS, TIMEOUT_S, Provider, Registration
from chevet.relay.archive.schema_sign_in import challenges
from chevet.relay.errors import RefusedError

from .conftest import code

ISSUER = "https://id.example"
GOOD = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize"}
MINUTE_MS = 60_000


class Clock:
    ms = 1_790_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock():
    return Clock()


def provider(clock, answer):
    """A provider on a road where `answer(request)` is at the other end."""
    found = Provider(Registration(ISSUER, "chevet", None, "https://desk.example"), clock)
    found._client = httpx.Client(transport=httpx.MockTransport(answer))
    return found


def test_so_many_begin_at_one_address_in_a_minute_and_others_are_not_held_up(monkeypatch):
    monkeypatch.setattr("chevet.relay.accounts.brake.BEGUN_MOST", 2)
    begun = Begun()
    for _ in range(2):
        begun.count("192.0.2.7", 59_000)
    with pytest.raises(RefusedError, match="wait a minute") as refused:
        begun.count("192.0.2.7", 59_999)
    assert (refused.value.status, refused.value.code) == (429, "too_many_attempts")
    begun.count("192.0.2.8", 59_999)
    begun.count("192.0.2.7", 60_000)


async def test_neither_passkeys_nor_the_provider_are_asked_for_without_end(world, client, monkeypatch):
    monkeypatch.setattr("chevet.relay.accounts.brake.BEGUN_MOST", 2)
    own = {"desk_url": "http://localhost:8422", "oidc_issuer": "http://127.0.0.1:9", "oidc_client_id": "c"}
    async with client(relay=world.again(**own)) as desk:
        answers = [
            await desk.post("/api/session/passkey/options", json={"to": "sign_in"}),
            await desk.post("/api/oidc"),
            await desk.post("/api/session/passkey/options", json={"to": "sign_in"}),
            await desk.post("/api/oidc"),
        ]
        assert [one.status_code for one in answers] == [200, 503, 429, 429]
        assert code(answers[-1]) == (429, "too_many_attempts")
        with world.relay.database.read() as view:
            assert len(view.execute(select(challenges)).all()) == 2, "a refused one costs no row"
        world.clock.ms += MINUTE_MS
        again = await desk.post("/api/session/passkey/options", json={"to": "sign_in"})
        assert again.status_code == 200


def test_a_provider_that_does_not_answer_is_not_waited_for_again_at_once(clock):
    seen = []

    def away(request):
        seen.append(request.url.path)
        if len(seen) == 1:
            raise httpx.ConnectTimeout("nobody")
        return httpx.Response(200, json=GOOD)

    road = provider(clock, away)
    with pytest.raises(ProviderError, match="ConnectTimeout"):
        road.address("s", "n", "v")
    with pytest.raises(ProviderError, match="a moment ago"):
        road.address("s", "n", "v")
    assert seen == [DESCRIPTION]
    clock.ms += REST_MS
    assert road.address("s", "n", "v").startswith(f"{ISSUER}/authorize?")


def test_an_answer_that_comes_piece_by_piece_ends_in_time(clock):
    def drips(_request):
        def pieces():
            for letter in json.dumps(GOOD):
                clock.ms += int(TIMEOUT_S * 1000) - 1
                yield letter.encode()

        return httpx.Response(200, content=pieces())

    with pytest.raises(ProviderError, match="ReadTimeout") as refused:
        provider(clock, drips).address("s", "n", "v")
    assert refused.value.code == "oidc_unreachable"


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"issuer":' * 20_000, b"\xff", b"7"])
def test_an_answer_that_is_no_object_is_a_provider_that_cannot_be_used(clock, body):
    with pytest.raises(ProviderError, match="names itself otherwise"):
        provider(clock, lambda _: httpx.Response(200, content=body)).address("s", "n", "v")
