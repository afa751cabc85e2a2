"""Errors of the simulator."""


class SimError(Exception):
    """Root of everything the simulator raises on purpose; its text is one sentence with the remedy."""


class ServeError(SimError):
    """The virtual instruments could not be started.

    Attributes:
        resource: what was missing or taken, such as a directory or a port.
    """

    def __init__(self, resource: str, sentence: str) -> None:
        super().__init__(sentence)
        self.resource = resource


class FaultError(SimError):
    """A control request named a device, fault or value that does not exist.

    Attributes:
        target: the device asked for.
        fault: the fault asked for.
    """

    def __init__(self, target: str, fault: str, sentence: str) -> None:
        super().__init__(sentence)
        self.target = target
        self.fault = fault


class StepError(SimError):
    """A step of the conducted consultation failed.

    Attributes:
        step: the step's name, such as "ecg" or "receipt".
        code: the coded word of the kiosk or the desk, "" where neither refused.
    """

    def __init__(self, step: str, sentence: str, code: str = "") -> None:
        super().__init__(f"{step}: {sentence}")
        self.step = step
        self.code = code
