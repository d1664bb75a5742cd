"""doctor --fix changes a Pi as everything else does: with the lease."""

from contextlib import contextmanager

from lanpi.flows.fix import Step, take
from lanpi.progress import Silent


class Pi:
    def __init__(self):
        self.did = []

    @contextmanager
    def lease(self, report):
        self.did.append("lease")
        yield
        self.did.append("given back")

    def run(self, argv, **_):
        self.did.append(argv[0])


def test_a_repair_holds_the_lease():
    pi = Pi()
    take(pi, Step("clock", ""), lambda: None, Silent())
    take(pi, Step("converge", ""), lambda: pi.did.append("install"), Silent())
    assert pi.did == ["lease", "date", "given back", "lease", "install", "given back"]
