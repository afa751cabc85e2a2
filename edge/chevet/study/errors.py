"""What can go wrong while packing or reading a study."""


class StudyError(Exception):
    """Root of this room's errors."""


class BundleError(StudyError):
    """The bytes are not what a bundle of ours would hold.

    Attributes:
        reason: coded word, safe to log: it never repeats bytes of the input.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"not a readable bundle: {reason}")
        self.reason = reason
