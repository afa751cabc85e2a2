"""Errors of the simulated patient."""

from chevet.sim.errors import SimError


class PatientError(SimError):
    """Something was asked of a simulated patient that it does not have.

    Attributes:
        what: the argument that is wrong, such as "condition" or "site".
        value: what was given.
    """

    def __init__(self, what: str, value: object, remedy: str) -> None:
        super().__init__(f"{what} {value!r} will not do: {remedy}")
        self.what = what
        self.value = value
