"""What goes wrong for a reason that the operator can do something about."""


class Problem(Exception):
    """An expected failure.

    Attributes:
        what: one line without a final period.
        next_step: what to do about it.
        bad_input: the request was wrong, and nothing was changed.
    """

    def __init__(self, what: str, next_step: str = "", *, bad_input: bool = True) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.bad_input = bad_input
