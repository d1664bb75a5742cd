"""What restic says, as failures with a next step; and whose locks are dead."""

import subprocess
import time

import pytest

HERE = "pi"


@pytest.fixture
def restic(program, tmp_path):
    return program("restic").Restic("/r", "/r", tmp_path / "key", tmp_path / "environment")


@pytest.mark.parametrize(
    ("status", "said", "text", "kind"),
    [
        (12, "Fatal: wrong password or no key found", "the key does not open the repository at /r", "refused"),
        # bookworm's 0.14 has one status for all.
        (1, "Fatal: wrong password or no key found", "the key does not open the repository at /r", "refused"),
        (10, "Fatal: repository does not exist", "there is no repository at /r", "bad-input"),
        (
            1,
            "Fatal: unable to open config file: stat /r/config: no such file or directory\n"
            "Is there a repository at the following location?\n/r",
            "there is no repository at /r",
            "bad-input",
        ),
        (
            1,
            "Fatal: unable to open config file: client.Head: dial tcp 192.0.2.1:8000: connect: connection refused\n"
            "Is there a repository at the following location?\n/r",
            "/r does not answer: unable to open config file: client.Head: dial tcp 192.0.2.1:8000: connect: conn",
            "failed",
        ),
        # Nobody could look: no reason to begin a new one.
        (
            1,
            "Fatal: unable to open config file: unexpected HTTP response (401): 401 Unauthorized\n"
            "Is there a repository at the following location?\n/r",
            "/r does not let this Pi in",
            "refused",
        ),
        (
            1,
            "Fatal: unable to open S3 backend: Key ID ($AWS_ACCESS_KEY_ID) is empty",
            "does not let this Pi",
            "refused",
        ),
        (11, "unable to create lock", "locked by another restic", "blocked"),
        (1, "Save(<data/1>) failed: write /r/x: no space left on device", "is full", "failed"),
        (3, "at least one source file could not be read", "a file vanished", "failed"),
        (
            1,
            '{"message_type":"exit_error","code":1,"message":"Fatal: x (401): y\\nIs there a …"}',
            "/r does not let",
            "refused",
        ),
        (1, '{"message_type":"status"}\n{"message_ty', "restic backup failed at /r: exit status 1", "failed"),
        (1, "Fatal: something else", "restic backup failed at /r: something else", "failed"),
    ],
)
def test_failures(restic, status, said, text, kind):
    done = subprocess.CompletedProcess(["restic"], status, "", said)
    failure = restic._failed("backup", done)
    assert text in failure.what
    assert failure.kind == kind


def lock(seconds, *, pid=999_999_999, hostname=HERE):
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return {"time": f"{when}.123456789Z", "hostname": hostname, "pid": pid}


def test_a_lock_of_before_the_boot_is_dead_whoever_has_its_number_now(program):
    is_dead = program("restic").is_dead
    assert is_dead(lock(1000, pid=1), HERE, 2000)
    assert is_dead(lock(3000), HERE, 2000)
    assert is_dead(lock(3000, pid=1), HERE, 2000)  # that is no restic
    assert not is_dead(lock(1000, hostname="another"), HERE, 2000)


def test_times_with_an_offset(program):
    is_dead = program("restic").is_dead
    early = {"time": "1970-01-01T02:00:10.5+02:00", "hostname": HERE, "pid": 1}
    assert is_dead(early, HERE, 11)


@pytest.mark.parametrize(
    ("told", "utc"),
    [
        ("2026-11-23T11:22:51Z", "2026-11-23T11:22:51Z"),
        ("2026-10-25T02:30:00.5+02:00", "2026-10-25T00:30:00.5Z"),
        ("2026-10-25T02:10:00.123456789+01:00", "2026-10-25T01:10:00.123456789Z"),
        ("2026-12-31T20:00:00-05:30", "2027-01-01T01:30:00Z"),
    ],
)
def test_snapshots_are_told_and_compared_in_utc(program, restic, monkeypatch, told, utc):
    monkeypatch.setattr(restic, "json", lambda *arguments: [{"id": "1", "time": told}])
    assert restic.snapshots() == [{"id": "1", "time": utc}]


def test_what_the_storage_asks_for_comes_from_a_file(program, tmp_path):
    path = tmp_path / "environment"
    path.write_text("# S3\nAWS_ACCESS_KEY_ID=abc\nexport AWS_SECRET_ACCESS_KEY='d=e'\n\n")
    assert program("restic")._variables(path) == {"AWS_ACCESS_KEY_ID": "abc", "AWS_SECRET_ACCESS_KEY": "d=e"}
    assert program("restic")._variables(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("rest:http://store:8000/pi/", "rest:http://pi:p%40ss%2F1@store:8000/pi/"),
        ("rest:https://store", "rest:https://pi:p%40ss%2F1@store"),
        ("rest:http://ben@store/", "rest:http://ben@store/"),
        ("s3:http://store:9000/home", "s3:http://store:9000/home"),
        ("/folder", "/folder"),
    ],
)
def test_a_rest_servers_login_goes_where_every_restic_looks_for_it(program, repository, expected):
    login = {"RESTIC_REST_USERNAME": "pi", "RESTIC_REST_PASSWORD": "p@ss/1"}
    assert program("restic")._with_login(repository, login) == expected
    assert program("restic")._with_login(repository, {}) == repository


def test_no_secret_is_in_what_failed(program, tmp_path):
    (tmp_path / "environment").write_text("RESTIC_REST_USERNAME=pi\nRESTIC_REST_PASSWORD=p@ss/1\n")
    restic = program("restic").Restic(
        "rest:http://store/", "rest:http://store/", tmp_path / "key", tmp_path / "environment"
    )
    said = "Fatal: Get rest:http://pi:p%40ss%2F1@store/: wrong: p@ss/1"
    failure = restic._failed("backup", subprocess.CompletedProcess(["restic"], 1, "", said))
    assert "p@ss" not in failure.what + failure.said
    assert "p%40ss" not in failure.what + failure.said


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("latest", True),
        ("1378b6", True),
        ("2026-11-23", True),
        ("2026-11-23T11:22:51", True),
        ("2026-11-23 11:22", True),
        ("2026-11-22", False),
        ("2026-11-23T11:22:50", False),
        ("abc", False),
    ],
)
def test_snapshots_by_id_and_time(program, name, matches):
    entry = {"id": "1378b682ff", "time": "2026-11-23T11:22:51.123456789Z"}
    assert program("catalogue").matches(entry, name) is matches


def test_progress_is_the_last_whole_line_that_tells_it(program):
    percent_done = program("restic").percent_done
    line = '{"message_type":"status","seconds_elapsed":3,"percent_done":%s,"current_files":["/a "percent_done":1"]}\n'
    assert percent_done("") is None
    assert percent_done('{"message_type":"verbose_status","percent_done":0.5}\n') is None
    assert percent_done(line % "0.25" + line % "0.4279" + '{"message_type":"status","perc') == 42
    assert percent_done(line % "1.5") == 100
