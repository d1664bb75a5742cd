"""python3 comes before all else where only a part of it is there; with --check it is only said."""

from dataclasses import replace

import pytest

from lanpi.config.model import Config
from lanpi.deploy import compare
from lanpi.deploy import converge as converging
from lanpi.deploy.desired import desired_state
from lanpi.deploy.python import install_python
from lanpi.deploy.reading import State
from lanpi.errors import ExitCode, LanpiError
from lanpi.flows import groundwork, install
from lanpi.hosts.base import Completed
from lanpi.tuning.decide import plan_limits

from .test_desired import facts

SMALL = facts("vm-python3-minimal")


class Pi:
    """Answers apt and dpkg, and remembers what it was asked as root."""

    name = "pi@minimal"

    def persist(self, work, report):
        return work()

    def require_root(self): ...

    def __init__(self, failing="", error=""):
        self.asked = []
        self._failing, self._error = failing, error

    def run(self, argv, *, stdin=b"", root=False, check=True, timeout_seconds=None):
        assert root
        assert argv[0] == "env"
        command = [word for word in argv if "=" not in word and word not in ("env", "-o", "-q")]
        self.asked.append(" ".join(command))
        failed = bool(self._failing) and self._failing in command
        return Completed("", 100 if failed else 0, b"", self._error.encode() if failed else b"")


class Report:
    def __init__(self):
        self.said = []

    def begin(self, step):
        self.said.append(step)

    def end(self, detail=""):
        self.said.append(detail)

    def note(self, text):
        self.said.append(text)

    def advance(self, percent): ...
    def found(self, finding): ...
    def event(self, event): ...


def test_it_is_one_step_of_two_commands():
    pi, report = Pi(), Report()
    event = install_python(pi, SMALL, report, check=False, lock_seconds=5)
    assert pi.asked == ["apt-get update", "apt-get install -y --no-install-recommends python3"]
    assert report.said[0] == "Installing python3"
    assert (event.kind, event.changed, event.result["added"]) == ("done", True, ["python3"])


def test_what_was_left_half_set_up_is_finished_first():
    broken = replace(SMALL, packages=replace(SMALL.packages, half_configured=("ejabberd",)))
    for known in (broken, None):
        pi = Pi()
        install_python(pi, known, Report(), check=False, lock_seconds=5)
        assert pi.asked[0].startswith("dpkg --configure -a")


def test_a_lock_that_stays_is_named():
    held = replace(SMALL, packages=replace(SMALL.packages, lock_holder="apt-get (pid 7)"))
    pi = Pi()
    with pytest.raises(LanpiError, match=r"apt-get \(pid 7\)") as caught:
        install_python(pi, held, Report(), check=False, lock_seconds=0)
    assert caught.value.exit_code is ExitCode.BLOCKED
    assert pi.asked == []


def test_what_apt_says_is_told():
    pi = Pi("update", "W: a warning\nE: Failed to fetch it\n")
    with pytest.raises(LanpiError) as caught:
        install_python(pi, SMALL, Report(), check=False, lock_seconds=5)
    assert caught.value.what == "python3 could not be installed: E: Failed to fetch it"
    assert len(pi.asked) == 1


def converge(monkeypatch, found, **options):
    """The events of a run on a machine, and the order of what was done."""
    order = []

    def playbook(*_, **__):
        order.append("playbook")
        return ()

    monkeypatch.setattr(converging, "run_playbook", playbook)
    pi, report, config = Pi(), Report(), Config()
    desired = desired_state(found, config, plan_limits(found, config), "min.local")
    # Nothing of lanpi yet but the web pages.
    state = State({}, (), {}, {}, {}, (), (), {tree.folder: True for tree in desired.trees})
    monkeypatch.setattr(compare, "read_state", lambda *_: state)
    events = converging.converge(pi, found, config, desired, install.Options(**options), report)
    return converging.changes(events), pi.asked, order, report.said


def test_ansible_starts_after_it(monkeypatch):
    changed, asked, order, _ = converge(monkeypatch, SMALL)
    assert changed == ("python3",)
    assert len(asked) == 2
    assert order == ["playbook"]


def test_check_tells_it_and_that_the_rest_is_not_known(monkeypatch):
    changed, asked, order, said = converge(monkeypatch, SMALL, check=True)
    assert changed == ("python3",)
    assert (asked, order) == ([], [])
    assert "once python3 is installed" in said[-1]


def test_where_python_is_whole_nothing_is_done(monkeypatch):
    changed, asked, order, said = converge(monkeypatch, facts("pi5-8g-trixie"))
    assert (changed, asked, order) == ((), [], ["playbook"])
    assert "Installing python3" not in said


def test_python_that_cannot_even_tell_is_installed_before_the_first_look(monkeypatch):
    """Bookworm's python3-minimal has no JSON."""
    looked, pi, report = [], Pi(), Report()
    pi.can_be_root = True

    class Seen(Exception):
        pass

    def read_facts(host, **_):
        looked.append(len(pi.asked))
        if not pi.asked:
            raise groundwork.PythonMissing("part of Python is missing there: json", host)
        raise Seen

    monkeypatch.setattr(groundwork, "read_facts", read_facts)
    with pytest.raises(groundwork.PythonMissing):
        install.install(pi, lambda _: Config(), install.Options(check=True), report)
    assert pi.asked == []
    with pytest.raises(Seen):
        install.install(pi, lambda _: Config(), install.Options(), report)
    assert pi.asked[-1].endswith("install -y --no-install-recommends python3")
