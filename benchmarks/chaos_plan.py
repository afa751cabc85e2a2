"""Which faults benchmarks/chaos.py does where, in an order that follows from the seed."""

import argparse
import random
from dataclasses import dataclass


@dataclass
class Plan:
    """Which faults one machine, or the link, still has to suffer."""

    kinds: list[str]

    @classmethod
    def mixed(cls, rng: random.Random, **counts: int) -> "Plan":
        kinds = [kind for kind, count in counts.items() for _ in range(count)]
        rng.shuffle(kinds)
        return cls(kinds)


def plans(options: argparse.Namespace) -> dict[str, Plan]:
    """Spread the faults: two kills in five at the box, the others between relay and broker."""
    rng = random.Random(options.seed)
    box_kills = options.kills * 2 // 5
    relay_kills = (options.kills - box_kills) // 2
    far_power, far_full = options.power // 4, options.disk_full // 2
    silent = options.cuts // 2
    return {
        "box": Plan.mixed(
            rng,
            **{
                "kill box": box_kills,
                "box power": options.power - far_power,
                "box disk full": options.disk_full - far_full,
            },
        ),
        "relay": Plan.mixed(
            rng,
            **{
                "kill relay": relay_kills,
                "kill broker": options.kills - box_kills - relay_kills,
                "relay power": far_power,
                "relay disk full": far_full,
            },
        ),
        "link": Plan.mixed(rng, **{"link silent": silent, "link reset": options.cuts - silent}),
    }
