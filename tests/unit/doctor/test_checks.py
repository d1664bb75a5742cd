"""Every check fires where it should and is silent on a healthy Pi."""

import copy
import json
import re
from pathlib import Path

import pytest

from lanpi.doctor.causes import CAUSES
from lanpi.doctor.checks import CHECKS, choose, examine, exit_status
from lanpi.doctor.evidence import Evidence
from lanpi.doctor.result import NO_ROOT, Check, Result
from lanpi.errors import LanpiError
from lanpi.facts.records import build_record
from lanpi.flows.fix import commands, plan

DATA = Path(__file__).parents[2] / "data" / "doctor"
HEALTHY = json.loads((DATA / "healthy.json").read_text("utf-8"))
CASES = json.loads((DATA / "cases.json").read_text("utf-8"))


def changed(case) -> Evidence:
    """A healthy Pi with what a case sets; a # in a path is a dot, a number an index."""
    data = copy.deepcopy(HEALTHY)
    now = data["asked_epoch"]
    values = dict(case.get("set", {}))
    if case.get("down"):
        values |= {
            "units.ejabberd#service.active": "failed",
            "units.ejabberd#service.sub": "failed",
            "units.ejabberd#service.result": "exit-code",
        }
    if "clock_off" in values:
        data["asked_epoch"] -= values.pop("clock_off")
    if "certificate_days" in values:
        data["certificate"]["not_after"] = now + 86400.0 * values.pop("certificate_days")
    for path, value in values.items():
        *folders, last = [part.replace("#", ".") for part in path.split(".")]
        place = data
        for folder in folders:
            place = place[int(folder)] if isinstance(place, list) else place[folder]
        assert last in place, path
        place[last] = value
    for source, level, text in case.get("lines", []) * case.get("repeat", 1):
        data["lines"].append({"when": now - 30, "source": source, "level": level, "text": text})
    return build_record(Evidence, data, "evidence")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['check']}: {case['cause']}")
def test_it_fires(case):
    found = examine(changed(case), choose([case["check"]]))[0].result
    assert found.state == case["state"], found
    assert re.search(case["cause"], found.cause), found.cause
    assert found.fix


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_it_is_silent_on_a_healthy_pi(check):
    assert check.examine(build_record(Evidence, HEALTHY, "evidence")) == Result("ok")


def test_every_check_and_every_cause_has_a_case_where_it_fires():
    """Each check has its silent half in test_it_is_silent_on_a_healthy_pi."""
    assert {case["check"] for case in CASES} == {check.id for check in CHECKS}
    shown = [examine(changed(case), choose(["im"]))[0].result.cause for case in CASES if case["check"] == "im"]
    for cause in CAUSES:
        assert [text for text in shown if text.endswith(cause.says)], cause.id


def test_without_root_a_check_that_needs_it_says_so_and_others_go_on():
    # What an ordinary user's reading lacks.
    closed = {"facts.is_root": False, "certificate": None, "backup": None, "firewall_same": None, "redis": None}
    found = {finding.check.id: finding.result for finding in examine(changed({"set": closed}))}
    assert {found[check.id].cause for check in CHECKS if check.needs_root} == {NO_ROOT}
    assert {found[check.id].state for check in CHECKS if not check.needs_root} == {"ok"}
    down = examine(changed({"set": {"facts.is_root": False, "drift": []}, "down": True}))
    assert down[0].check.id == "im"


def test_without_root_what_is_seen_to_be_wrong_is_still_told():
    case = {"set": {"facts.is_root": False}, "lines": [["kernel", "critical", "mmc0: error -110"]]}
    assert examine(changed(case), choose(["card"]))[0].result.state == "critical"


@pytest.mark.parametrize(
    ("config", "units", "state"),
    [
        ("domain: a.local\n", {}, "skipped"),
        ("database: postgresql\n", {}, "critical"),
    ],
)
def test_a_database_that_is_not_there(config, units, state):
    case = {"set": {"facts.config_text": config, "units": units}}
    assert examine(changed(case), choose(["database"]))[0].result.state == state


def test_causes_come_before_what_they_cause():
    case = {"down": True, "set": {"facts.storage.root_free_bytes": 0, "held": ["x"]}}
    found = examine(changed(case))
    assert [finding.check.id for finding in found][:3] == ["disk-full", "im", "packages"]
    assert exit_status(found) == 2


def test_a_broken_check_hides_no_other():
    broken = Check("x", "x", "x", "warning", lambda evidence: Result("ok", str(1 / 0)))
    found = examine(changed({"set": {"held": ["x"]}}), (broken, *choose(["packages"])))
    assert [finding.result.state for finding in found] == ["error", "warning"]
    assert exit_status(found) == 3


def test_mending_makes_room_before_it_restarts():
    case = {"down": True, "set": {"facts.storage.root_free_bytes": 0, "drift": [{"path": "/x", "state": "missing"}]}}
    assert [action for action, _ in plan(examine(changed(case)))] == ["free-disk", "converge"]
    assert commands("clock", "", now=5.4) == [["date", "-u", "-s", "@5"]]


def test_only_an_address_at_home_is_let_in_again():
    found = {}
    for case in CASES:
        if case["check"] == "logins":
            [finding] = examine(changed(case), choose(["logins"]))
            found |= {finding.result.evidence[0].partition(": ")[0]: plan([finding])}
    assert found == {"203.0.113.7": [], "192.168.1.7": [("unban", "192.168.1.7")]}
    assert commands("unban", "192.168.1.7", now=0.0)[0][1:] == ["unban_ip", '{"address": "192.168.1.7"}']


def test_a_clock_that_nobody_keeps_gets_a_service():
    case = {"set": {"facts.clock.synchronised": False}}
    [(action, target)] = plan(examine(changed(case), choose(["clock"])))
    assert commands(action, target, now=0.0) == [["systemctl", "enable", "--now", "systemd-timesyncd.service"]]


def test_an_unknown_check_is_refused():
    with pytest.raises(LanpiError, match="no check named 'nonsense'"):
        choose(["nonsense"])


def test_the_reference_names_every_check():
    text = (Path(__file__).parents[3] / "docs" / "reference" / "doctor.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{check.id}` | {check.title} | {check.looks_at} | {check.worst} |" for check in CHECKS]


def test_a_cause_that_was_mended_is_not_the_cause_of_what_followed():
    data = copy.deepcopy(HEALTHY)
    data["units"]["ejabberd.service"] |= {"active": "failed", "sub": "failed", "result": "signal"}
    for ago, text in ((90, "Syntax error on line 197"), (5, "Main process exited, code=killed, status=9/KILL")):
        entry = {"when": data["asked_epoch"] - ago, "source": "ejabberd", "level": "error", "text": text}
        data["lines"].append(entry)
    found = examine(build_record(Evidence, data, "evidence"), choose(["im"]))[0].result
    assert "keeps killing" in found.cause
