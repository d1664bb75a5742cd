"""Every check fires where it should and is silent on a healthy Pi."""

import copy
import json
import re
from pathlib import Path

import pytest

from lanpi.errors import LanpiError
from lanpi.facts.records import build_record
from lanpi.flows.fix import FORGET, Step, commands, next_step, plan
from lanpi.health.causes import CAUSES
from lanpi.health.check import Check
from lanpi.health.doctor import CHECKS, choose, examine, exit_status
from lanpi.health.evidence import Evidence
from lanpi.health.finding import NO_ROOT, Finding

DATA = Path(__file__).parents[2] / "data" / "doctor"
HEALTHY = json.loads((DATA / "healthy.json").read_text("utf-8"))
CASES = json.loads((DATA / "cases.json").read_text("utf-8"))


def inside(place, name):
    if isinstance(place, dict):
        return place[name]
    return next((each for each in place if each.get("unit") == name), None) or place[int(name)]


def changed(case) -> Evidence:
    """A healthy Pi with what a case sets; a # in a path is a dot, a number an index."""
    data = copy.deepcopy(HEALTHY)
    readings = data["readings"]
    now = readings["asked_epoch"]
    values = dict(case.get("set", {}))
    if case.get("down"):
        values |= {
            "readings.services.ejabberd#service.active": "failed",
            "readings.services.ejabberd#service.sub": "failed",
            "readings.services.ejabberd#service.result": "exit-code",
        }
    if "clock_off" in values:
        readings["asked_epoch"] -= values.pop("clock_off")
    for path, value in values.items():
        *folders, last = [part.replace("#", ".") for part in path.split(".")]
        place = data
        for folder in folders:
            place = inside(place, folder)
        assert last in place, path
        place[last] = value
    for source, level, text in case.get("lines", []) * case.get("repeat", 1):
        data["lines"].append({"when": now - 30, "source": source, "level": level, "text": text})
    return build_record(Evidence, data, "evidence")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['check']}: {case['cause']}")
def test_it_fires(case):
    found = examine(changed(case), choose([case["check"]]))[0].finding
    assert found.level == case["state"], found
    assert re.search(case["cause"], found.cause), found.cause
    assert found.fix


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_it_is_silent_on_a_healthy_pi(check):
    [diagnosis] = examine(build_record(Evidence, HEALTHY, "evidence"), (check,))
    assert diagnosis.finding == Finding(check.id, "ok", "", check.title)
    assert diagnosis.steps == ()


def test_every_check_and_every_cause_has_a_case_where_it_fires():
    """Each check has its silent half in test_it_is_silent_on_a_healthy_pi."""
    assert {case["check"] for case in CASES} == {check.id for check in CHECKS}
    shown = [examine(changed(case), choose(["im"]))[0].finding.cause for case in CASES if case["check"] == "im"]
    for cause in CAUSES:
        assert [text for text in shown if text.endswith(cause.says)], cause.id


def test_without_root_a_check_that_needs_it_says_so_and_others_go_on():
    # What an ordinary user's reading lacks.
    closed = {
        "readings.is_root": False,
        "readings.backup": None,
        "readings.logs_bytes": None,
        "firewall_same": None,
        "redis": None,
    }
    found = {each.check.id: each.finding for each in examine(changed({"set": closed}))}
    assert {found[check.id].text for check in CHECKS if check.needs_root} == {NO_ROOT}
    assert {found[check.id].level for check in CHECKS if not check.needs_root} == {"ok"}
    down = examine(changed({"set": {"readings.is_root": False, "drift": []}, "down": True}))
    assert down[0].check.id == "im"


def test_without_root_what_is_seen_to_be_wrong_is_still_told():
    case = {"set": {"readings.is_root": False}, "lines": [["kernel", "critical", "mmc0: error -110"]]}
    assert examine(changed(case), choose(["card"]))[0].finding.level == "critical"


@pytest.mark.parametrize(
    ("config", "units", "state"),
    [
        ("domain: a.local\n", [], "unknown"),
        ("database: postgresql\n", [], "critical"),
    ],
)
def test_a_database_that_is_not_there(config, units, state):
    case = {"set": {"readings.config_text": config, "readings.services": units}}
    assert examine(changed(case), choose(["database"]))[0].finding.level == state


def test_causes_come_before_what_they_cause():
    case = {"down": True, "set": {"readings.board.disk_free_bytes": 0, "held": ["x"]}}
    found = examine(changed(case))
    assert [each.check.id for each in found][:3] == ["disk-full", "im", "packages"]
    assert exit_status(found) == 2


def test_a_broken_check_hides_no_other():
    broken = Check("x", "x", "x", "warning", lambda evidence: Finding("", "ok", str(1 / 0)))
    found = examine(changed({"set": {"held": ["x"]}}), (broken, *choose(["packages"])))
    assert [each.finding.level for each in found] == ["error", "warning"]
    assert exit_status(found) == 3


def test_fixing_makes_room_before_it_restarts():
    case = {"down": True, "set": {"readings.board.disk_free_bytes": 0, "drift": [{"path": "/x", "state": "missing"}]}}
    assert [step.action for step in plan(examine(changed(case)))] == ["free-disk", "converge"]
    assert commands(Step("clock", ""), now=5.4) == [["date", "-u", "-s", "@5"]]


def kept_out(*addresses):
    limited = [{"who": who, "by": by, "since": None, "until": None} for who, by in addresses]
    return examine(changed({"set": {"readings.limited": limited}}), choose(["logins"]))


def test_only_an_address_at_home_is_let_in_again():
    [far] = kept_out(("203.0.113.7", "ejabberd"))
    assert (far.finding.level, far.steps) == ("warning", ())
    assert "--let-in 203.0.113.7" in far.finding.fix
    near = kept_out(("192.168.1.7", "ejabberd"), ("192.168.1.8", "people_limited4"))
    assert plan(near) == [Step("unban", "192.168.1.7"), Step("unlimit", "people_limited4 192.168.1.8")]
    assert commands(plan(near)[0], now=0.0)[0][1:] == ["unban_ip", '{"address": "192.168.1.7"}']
    assert commands(plan(near)[1], now=0.0) == [
        ["nft", "delete", "element", "inet", "lanpi", "people_limited4", "{ 192.168.1.8 }"],
        ["sh", "-c", FORGET, "sh", "people_rate4", "192.168.1.8"],
    ]


def test_a_clock_that_nobody_keeps_gets_a_service():
    case = {"set": {"readings.clock_synchronised": False, "readings.time_service": ""}}
    [step] = plan(examine(changed(case), choose(["clock"])))
    assert commands(step, now=0.0) == [["systemctl", "enable", "--now", "systemd-timesyncd.service"]]


def masked(unit="redis-server"):
    path = f"readings.services.{unit}#service"
    return {"set": {f"{path}.enabled": "masked", f"{path}.active": "inactive", f"{path}.sub": "dead"}}


def test_a_masked_service_is_called_masked_and_unmasked():
    [diagnosis] = examine(changed(masked()), choose(["redis"]))
    assert diagnosis.finding.level == "critical"
    assert "is masked" in diagnosis.finding.cause
    [step] = plan([diagnosis])
    assert commands(step, now=0.0) == [
        ["systemctl", "unmask", "redis-server.service"],
        ["systemctl", "unmask", "--runtime", "redis-server.service"],
        ["systemctl", "enable", "--now", "redis-server.service"],
    ]


def test_a_disabled_service_is_started_at_every_boot_again():
    path = "readings.services.redis-server#service"
    case = {"set": {f"{path}.enabled": "disabled", f"{path}.active": "inactive", f"{path}.sub": "dead"}}
    [diagnosis] = examine(changed(case), choose(["redis"]))
    assert "disabled" in diagnosis.finding.cause
    assert plan([diagnosis]) == [Step("enable", "redis-server.service")]


def test_any_other_masked_unit_is_told_too():
    [diagnosis] = examine(changed(masked("avahi-daemon")), choose(["units"]))
    assert "avahi-daemon is masked" in diagnosis.finding.cause
    assert plan([diagnosis]) == [Step("unmask", "avahi-daemon.service")]


WRONG_OWNER = {"path": "/etc/lanpi/tls/server.pem", "now": "root:root 0600", "wanted": "root:ejabberd 0640"}


def test_a_wrong_owner_is_the_cause_of_a_server_that_is_down():
    case = {"down": True, "set": {"readings.misowned": [WRONG_OWNER]}}
    found = examine(changed(case | {"lines": [["ejabberd", "error", "eacces"]]}))
    assert [each.check.id for each in found][:2] == ["ownership", "im"]
    for each in found[:2]:
        assert "/etc/lanpi/tls/server.pem" in each.finding.cause
    [step] = plan(found[:2])
    assert step.says == "put owner and mode of /etc/lanpi/tls/server.pem right"
    assert commands(step, now=0.0)[:-1] == [
        ["chown", "--no-dereference", "--", "root:ejabberd", "/etc/lanpi/tls/server.pem"],
        ["chmod", "--", "0640", "/etc/lanpi/tls/server.pem"],
    ]


def test_a_step_is_offered_once_and_not_after_another_made_it_needless():
    before = examine(changed({"down": True, "set": {"readings.misowned": [WRONG_OWNER]}}))
    first = next_step(before, [])
    assert first is not None
    assert first.action == "ownership"
    down = examine(changed({"down": True}))
    restart = next_step(down, [first])
    assert restart == Step("restart", "ejabberd.service")
    assert next_step(down, [first, restart]) is None
    well = examine(changed({}))
    assert next_step(well, [first]) is None


def test_a_full_disk_names_its_largest_files_with_units():
    case = {
        "set": {
            "readings.board.disk_free_bytes": 1000000,
            "biggest": {
                "folders": [{"name": "/var/log", "amount": 3590418432.0}],
                "files": [{"name": "/var/log/big.log", "amount": 3590418432.0}],
            },
        }
    }
    [diagnosis] = examine(changed(case), choose(["disk-full"]))
    assert "largest file: /var/log/big.log, 3.3 GB" in diagnosis.finding.evidence
    assert "/var/log: 3.3 GB" in diagnosis.finding.evidence


def test_logs_over_their_limit_are_told_with_units():
    [diagnosis] = examine(changed({"set": {"readings.logs_bytes": 3590418432}}), choose(["logs"]))
    assert diagnosis.finding.evidence == ("3.3 GB of 200 MB",)


def test_broken_dns_is_noticed_also_where_the_domain_is_local():
    looked_up = {"name": "mirror.example", "found": False, "servers": ["192.0.2.1"]}
    [diagnosis] = examine(changed({"set": {"looked_up": looked_up}}), choose(["names"]))
    assert diagnosis.finding.level == "warning"
    assert "cannot look up names" in diagnosis.finding.cause
    assert "192.0.2.1" in diagnosis.finding.evidence[1]


MOVED = {"when": "2026-11-24T10:00:00+00:00", "domain": "doc.local", "to": "192.0.2.9"}


def test_a_pi_whose_server_has_moved_says_so_and_starts_nothing():
    case = {"set": {"readings.moved": MOVED, "facts.moved": MOVED}}
    for active, level in (("inactive", "warning"), ("active", "critical")):
        case["set"]["readings.services.ejabberd#service.active"] = active
        found = examine(changed(case))
        assert exit_status(found) == {"warning": 1, "critical": 2}[level]
        told = {each.check.id: each.finding for each in found}
        assert "doc.local moved to 192.0.2.9 on 2026-11-24" in told["moved"].cause
        assert not [step for step in plan(found) if step.action in ("restart", "enable", "unmask", "converge")]


def test_an_unknown_check_is_refused():
    with pytest.raises(LanpiError, match="no check named 'nonsense'"):
        choose(["nonsense"])


def test_the_reference_names_every_check():
    text = (Path(__file__).parents[3] / "docs" / "reference" / "doctor.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{check.id}` | {check.title} | {check.looks_at} | {check.worst} |" for check in CHECKS]


def test_a_cause_that_was_fixed_is_not_the_cause_of_what_followed():
    data = copy.deepcopy(HEALTHY)
    inside(data["readings"]["services"], "ejabberd.service").update(
        {"active": "failed", "sub": "failed", "result": "signal"}
    )
    for ago, text in ((90, "Syntax error on line 197"), (5, "Main process exited, code=killed, status=9/KILL")):
        entry = {"when": data["readings"]["asked_epoch"] - ago, "source": "ejabberd", "level": "error", "text": text}
        data["lines"].append(entry)
    found = examine(build_record(Evidence, data, "evidence"), choose(["im"]))[0].finding
    assert "keeps killing" in found.cause
