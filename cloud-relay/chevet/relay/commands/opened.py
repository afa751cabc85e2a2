"""The relay of a configuration file, for the commands that work on its archive."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chevet.relay.relay import Relay, open_relay
from chevet.relay.settings import read_settings


@contextmanager
def opened(config: Path) -> Iterator[Relay]:
    """Give the relay of a configuration and close it again.

    Raises:
        RelayError: it cannot be opened; the sentence names the remedy.
    """
    relay = open_relay(read_settings(config))
    try:
        yield relay
    finally:
        relay.close()
