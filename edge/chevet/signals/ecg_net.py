"""A small neural network as it is used: one hidden layer of tanh."""

from dataclasses import dataclass

import numpy as np

from chevet.signals.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    """Learnt numbers; each file of weights names the script that learnt them.

    Attributes:
        middle, spread: of each input where it was learnt [i].
        hidden: weights of the hidden layer [i, h].
        bias: of the hidden layer [h].
        out: weights of the sum [h].
        start: the sum's constant.
    """

    middle: Floats
    spread: Floats
    hidden: Floats
    bias: Floats
    out: Floats
    start: float

    def odds(self, inputs: Floats) -> Floats:
        """Return the log odds of every row of `inputs` [k, i]."""
        layer = np.tanh((inputs - self.middle) / self.spread @ self.hidden + self.bias)
        odds: Floats = layer @ self.out + self.start
        return odds


def net_of(inputs: int, text: str) -> Net:
    """Read a net of so many inputs from its numbers, in the order of the attributes."""
    numbers = numbers_of(text)
    size = (len(numbers) - 2 * inputs - 1) // (inputs + 2)
    ends = np.cumsum([inputs, inputs, inputs * size, size, size])
    middle, spread, hidden, bias, out, start = np.split(numbers, ends)
    return Net(middle, spread, hidden.reshape(inputs, size), bias, out, float(start[0]))


def numbers_of(text: str) -> Floats:
    """Read numbers parted by blanks."""
    return np.array(text.split(), dtype=np.float64)
