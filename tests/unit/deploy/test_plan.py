"""A plan: nothing where nothing differs, and for everything the reason."""

import hashlib
import itertools
import json
from dataclasses import replace

import pytest

from lanpi.deploy.desired import Desired, File
from lanpi.deploy.ownership import Ownership
from lanpi.deploy.plan import plan
from lanpi.deploy.reading import FileState, Owners, State, state_from_json
from lanpi.pi.read import state as probe
from lanpi.ship.closure import sources

REDIS = File("/etc/redis/redis.conf", "requirepass @LANPI_SECRET:redis_password@\n", "redis", "redis", "0640",
             ("redis-server.service",), ())  # fmt: skip
SOURCE = File("/etc/apt/sources.list.d/lanpi.sources", "Types: deb\n", "root", "root", "0644", (), ())
DATABASE = Ownership("/var/lib/ejabberd/ejabberd.db", "ejabberd", "ejabberd", "0600", ("ejabberd.service",))
RUNNING = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "ConditionResult": "yes",
           "ConditionTimestampMonotonic": "5", "NeedDaemonReload": "no", "Type": "notify", "RemainAfterExit": "no",
           "Result": "success", "ExecMainExitTimestampMonotonic": "0"}  # fmt: skip
UNIT = {"name": "redis-server.service", "state": "started", "enabled": True}
DESIRED = Desired((SOURCE,), ("redis-server",), (REDIS,), (UNIT,), (), (), (DATABASE,), ("/boot/cmdline.txt",))


def placed(file):
    return FileState(hashlib.sha256(file.content.encode()).hexdigest(), file.mode, file.owner, file.group)


INSTALLED = State(
    files={file.path: placed(file) for file in (SOURCE, REDIS)},
    placed=(SOURCE.path, REDIS.path, "/boot/cmdline.txt"),
    made={DATABASE.path: Owners("0600", "ejabberd", "ejabberd")},
    pending={},
    units={UNIT["name"]: RUNNING},
    packages=("redis-server",),
    unfinished=(),
)


def differing(state, desired=DESIRED, *, cmdline_change=False):
    return {entry.name: entry.reason for entry in plan(desired, state, cmdline_change=cmdline_change).differing}


def test_nothing_differs_and_every_entry_says_why():
    made = plan(DESIRED, INSTALLED, cmdline_change=False)
    assert made.differing == ()
    assert all(entry.reason for entry in made.entries)
    assert made.summary() == "1 package, 1 package source, 2 files and 1 unit are as they should be"


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        ({"packages": ()}, "redis-server", "it is not installed"),
        ({"unfinished": ("erlang-base",)}, "erlang-base", "dpkg has left it half installed"),
        ({"pending": {"apt": "refresh"}}, "package lists", "an interrupted run has not refreshed them"),
        ({"placed": (SOURCE.path,)}, REDIS.path, "lanpi has not placed it yet"),
        ({"files": {SOURCE.path: placed(SOURCE)}}, REDIS.path, "it is missing"),
        ({"files": INSTALLED.files | {REDIS.path: replace(placed(REDIS), digest="0")}}, REDIS.path,
         "its content differs"),
        ({"files": INSTALLED.files | {REDIS.path: replace(placed(REDIS), mode="0644")}}, REDIS.path,
         "its mode is 0644, not 0640"),
        ({"files": INSTALLED.files | {REDIS.path: replace(placed(REDIS), owner="root")}}, REDIS.path,
         "it belongs to root:redis, not to redis:redis"),
        ({"placed": (*INSTALLED.placed, "/etc/old")}, "/etc/old", "it is no longer wanted"),
        ({"made": {DATABASE.path: Owners("0600", "root", "root")}}, DATABASE.path,
         "it belongs to root:root, not to ejabberd:ejabberd"),
        ({"pending": {UNIT["name"]: "restart"}}, UNIT["name"], "a changed file has asked for a restart"),
        ({"pending": {"systemd-journald.service": "restart"}}, "systemd-journald.service",
         "a changed file has asked for a restart"),
        ({"units": {}}, UNIT["name"], "systemd says nothing"),
        ({"units": {UNIT["name"]: RUNNING | {"NeedDaemonReload": "yes"}}}, UNIT["name"],
         "systemd has not read its file again"),
        ({"units": {UNIT["name"]: RUNNING | {"ActiveState": "failed"}}}, UNIT["name"], "it is failed"),
        ({"units": {UNIT["name"]: RUNNING | {"UnitFileState": "disabled"}}}, UNIT["name"], "it is disabled"),
    ],
)  # fmt: skip
def test_what_differs_is_named_with_its_reason(change, name, reason):
    assert differing(replace(INSTALLED, **change)) == {name: reason}


def test_a_command_line_that_must_change_is_a_difference():
    assert list(differing(INSTALLED, cmdline_change=True)) == ["kernel command line"]


def test_what_a_service_has_not_made_yet_is_no_difference():
    assert differing(replace(INSTALLED, made={})) == {}


def test_only_what_differs_is_given_to_ansible_and_the_rest_is_kept():
    state = replace(INSTALLED, files=INSTALLED.files | {REDIS.path: replace(placed(REDIS), mode="0644")})
    given = plan(DESIRED, state, cmdline_change=False).variables(DESIRED)
    assert [file["path"] for file in given["lanpi_files"]] == [REDIS.path]
    assert given["lanpi_early_files"] == []
    assert given["lanpi_made"] == []
    assert given["lanpi_kept"] == [SOURCE.path]
    assert (given["lanpi_files_change"], given["lanpi_packages_change"]) == (True, False)


def test_where_the_plan_sees_nothing_the_module_would_do_nothing(pi_module):
    """The two judge a unit apart from each other: the plan may be more careful, never less."""
    module = pi_module("lanpi_units")
    states = itertools.product(
        ("started", "stopped", "run"), (True, False, None), (None, "restart", "reload"),
        ("active", "activating", "inactive", "failed"), ("enabled", "disabled", "static", "masked", "alias"),
        ("oneshot", "notify"), ("yes", "no"), ("success", "exit-code"), ("0", "7"),
    )  # fmt: skip
    for state, enabled, pending, active, file_state, kind, remain, result, ended in states:
        wanted = {"name": "a.service", "state": state, "enabled": enabled}
        found = RUNNING | {"ActiveState": active, "UnitFileState": file_state, "Type": kind, "RemainAfterExit": remain,
                           "Result": result, "ExecMainExitTimestampMonotonic": ended}  # fmt: skip
        now = replace(INSTALLED, units={"a.service": found}, pending={"a.service": pending} if pending else {})
        made = plan(replace(DESIRED, units=(wanted,)), now, cmdline_change=False)
        if not made.differing:
            steps = module.steps_for(wanted, found, pending)
            assert steps == (["start"] if made.routine else []), (wanted, found, pending)


def test_a_oneshot_that_has_done_its_work_does_it_again_as_routine():
    unit = {"name": "lanpi-tls.service", "state": "run", "enabled": True}
    found = RUNNING | {"Type": "oneshot", "ActiveState": "inactive", "ExecMainExitTimestampMonotonic": "7"}
    made = plan(replace(DESIRED, units=(unit,)), replace(INSTALLED, units={unit["name"]: found}), cmdline_change=False)
    assert (made.differing, made.routine) == ((), ("lanpi-tls.service",))


def test_a_unit_that_is_not_for_this_machine_is_no_difference():
    found = RUNNING | {"ActiveState": "inactive", "ConditionResult": "no"}
    assert differing(replace(INSTALLED, units={UNIT["name"]: found})) == {}


# The Pi's side.


def test_a_secret_is_hashed_as_its_placeholder():
    secrets = {"redis_password": "s3cret-value"}
    assert probe.masked_digest(b"requirepass s3cret-value\n", secrets) == placed(REDIS).digest
    assert probe.masked_digest(b"requirepass another\n", secrets) != placed(REDIS).digest


def test_a_placeholder_that_nobody_filled_in_does_not_count_as_filled_in():
    assert probe.masked_digest(REDIS.content.encode(), {"redis_password": "s3cret-value"}) != placed(REDIS).digest


def test_bytes_that_are_no_text_are_hashed_as_they_are():
    assert probe.masked_digest(b"\xff\xfe", {"a": "b"}) == hashlib.sha256(b"\xff\xfe").hexdigest()


@pytest.mark.parametrize("text", [None, "", "{", "[1]", '{"a": 1}'])
def test_a_secrets_file_that_is_missing_or_damaged_gives_none(text):
    assert probe.known_secrets(text) == {}


def test_the_readings_of_a_machine_are_what_the_plan_understands(tmp_path, monkeypatch):
    file, made = tmp_path / "placed", tmp_path / "made"
    file.write_text("a s3cret-value\n")
    made.write_text("")
    made.chmod(0o640)
    remembered = {"files": {str(file): "created", "/gone": "created"}, "pending": {"a.service": "restart"}}
    (tmp_path / "state.json").write_text(json.dumps(remembered))
    (tmp_path / "secrets.json").write_text('{"name": "s3cret-value"}')
    monkeypatch.setattr(probe, "REMEMBERED", str(tmp_path / "state.json"))
    monkeypatch.setattr(probe, "SECRETS", str(tmp_path / "secrets.json"))
    asked = {"units": [], "packages": ["no-such-package"], "made": [str(made), "/gone"]}
    found = state_from_json(json.dumps(probe.collect(probe.Machine(), asked)))
    assert found.placed == ("/gone", str(file))
    assert list(found.files) == [str(file)]
    assert found.files[str(file)].digest == hashlib.sha256(b"a @LANPI_SECRET:name@\n").hexdigest()
    assert found.made[str(made)].mode == "0640"
    assert (found.pending, found.packages) == ({"a.service": "restart"}, ())


def test_no_program_on_the_pi_looks_like_a_file_with_a_secret():
    """The one that looks for placeholders had one in its text, and was placed at each install."""
    for path, text in sources().items():
        assert not probe.UNFILLED.search(text), path
