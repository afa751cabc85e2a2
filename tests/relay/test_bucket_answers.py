"""What a store's answers can break off with, at the bucket's own calls, without a store."""

import io

import pytest

from chevet.relay.archive.bucket_client import Bucket, of_answer
from chevet.relay.archive.object_bucket import ObjectBucket
from chevet.relay.errors import SettingsError, StoreAwayError

exceptions = pytest.importorskip("botocore.exceptions", reason="the extra `s3` is not installed")
BUCKET = Bucket("b", "", "https://s3.example", "ma", "key", "secret", "", "")


class Torn(io.BytesIO):
    """An answer whose line breaks after its head."""

    def read(self, *_size: int) -> bytes:
        raise exceptions.ReadTimeoutError(endpoint_url="https://s3.example")


class Client:
    """A store that takes everything, and then breaks off, or has lost its bucket."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, what: str) -> object:
        def call(**_arguments: object) -> dict[str, object]:
            self.calls.append(what)
            if what == "head_bucket":
                said = {"Error": {"Code": "404"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
                raise exceptions.ClientError(said, "HeadBucket")
            return {"LocationConstraint": "ma", "Body": Torn()}

        return call


@pytest.fixture
def store():
    return ObjectBucket(BUCKET, clock=lambda: 0.0, client=Client())


def test_an_answer_that_breaks_off_is_a_store_that_is_away_and_rests(store):
    with pytest.raises(StoreAwayError, match="no answer in time"):
        store.put(b"ciphertext")
    assert not store.there
    calls = list(store._client.calls)
    with pytest.raises(StoreAwayError, match="a moment ago"):
        store.get("0" * 64)
    assert store._client.calls == calls


def test_a_bucket_that_was_removed_under_a_working_relay_is_named(store):
    store.ready()
    with pytest.raises(SettingsError, match="There is no bucket s3://b at"):
        store.ready()
    assert store.there, "it answered"


@pytest.mark.parametrize("status", [429, 504])
def test_a_store_that_is_too_busy_is_asked_again_later(status):
    said = {"Error": {"Code": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert isinstance(of_answer(BUCKET, said), StoreAwayError)
