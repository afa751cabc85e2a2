"""What one relay process measures itself, for Prometheus."""

from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Histogram

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Meters:
    """What one process measures itself."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    stored: Histogram = field(init=False)

    def __post_init__(self) -> None:
        stored = Histogram(
            "chevet_relay_store_seconds",
            "Seconds from a message's arrival at this process until it was stored durably",
            buckets=SECONDS,
            registry=self.registry,
        )
        object.__setattr__(self, "stored", stored)
