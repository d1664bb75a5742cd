"""Every kind of place that backups go to, each for real: a USB stick, a REST server, S3, and a folder beside them."""

import base64
import json
import os
import secrets
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lanpi.virtual.cgroup import Group
from lanpi.virtual.container import inside
from lanpi.virtual.shell import run, wait_until

from .stick import Stick

FOLDER = "/var/backups/lanpi"
BUCKET = "home"
UPLOADED_MB = 32  # two of restic's packs: a stick can be pulled out between them
ENVIRONMENT = "/etc/lanpi/backup.env"
STATUS = "/var/lib/lanpi/backup/status.json"
PROGRESS = "/run/lanpi/backup/progress"


def sure(done):
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done


def put(pi, path, text):
    """A file with secrets: over standard input, as sudo writes down every argument."""
    enter = ["nsenter", "-t", str(pi.leader_pid), "-m", "--"]
    run([*enter, "sh", "-c", f"umask 077; cat > {path}.new && mv {path}.new {path}"], stdin=text)


def serve_rest(machine):
    """Command that starts its REST server; login and data are there."""
    rclone = f"rclone serve restic --addr {machine.address}:8000 /srv/rest"
    return f"systemd-run -q --collect --unit=rest -p EnvironmentFile=/root/rest.login {rclone}"


@pytest.fixture(scope="module")
def rest_login():
    return {"RESTIC_REST_USERNAME": "pi", "RESTIC_REST_PASSWORD": secrets.token_urlsafe(24)}


@pytest.fixture(scope="module")
def stick(tmp_path_factory):
    stick = Stick(tmp_path_factory.mktemp("stick") / "stick.img", megabytes=512)
    yield stick
    stick.close()
    assert wait_until(lambda: not stick.held(), seconds=10)


@pytest.fixture(scope="module")
def machines(virtual_pi, on_pi, lanpi, rest_login, stick):
    """The Pi, installed, and a machine of the house with a REST server on port 8000 and S3 on port 9000."""

    machine = virtual_pi("plstore", model="4-2g")
    places = {
        "folder": FOLDER,
        "usb": f"usb:{stick.uuid}",
        "rest": f"rest:http://{machine.address}:8000/pi/",
        "s3": f"s3:http://{machine.address}:9000/{BUCKET}/pi",
    }

    def store():
        install = "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends"
        packages = "rclone python3-moto python3-flask python3-flask-cors"
        on_pi(machine, f"apt-get update -q && {install} {packages}", root=True, timeout_seconds=600)
        put(machine, "/root/rest.login", "RCLONE_USER={}\nRCLONE_PASS={}\n".format(*rest_login.values()))
        program = base64.b64encode(Path(__file__).with_name("s3_server.py").read_bytes()).decode()
        on_pi(machine, f"echo {program} | base64 -d > /root/s3_server.py && mkdir /srv/rest", root=True)
        on_pi(machine, serve_rest(machine), root=True)
        s3 = f"python3 /root/s3_server.py {machine.address} 9000 {BUCKET} /root/s3.login"
        on_pi(machine, f"systemd-run -q --unit=s3 {s3}", root=True)
        assert wait_until((machine.root / "root/s3.login").exists, seconds=30)

    def pi():
        made = virtual_pi("places", model="4-2g")
        sure(lanpi("install", f"virtual:{made.name}", timeout_seconds=600))
        return made

    with ThreadPoolExecutor() as both:
        started = both.submit(store), both.submit(pi)
        started[0].result()
        return {"store": machine, "places": places, "pi": started[1].result()}


@pytest.fixture(scope="module")
def pi(machines):
    return machines["pi"]


@pytest.fixture(scope="module")
def store(machines):
    return machines["store"]


@pytest.fixture(scope="module")
def logins(rest_login, store):
    text = (store.root / "root/s3.login").read_text()
    return rest_login | dict(line.split("=", 1) for line in text.splitlines())


@pytest.fixture(scope="module")
def places(machines):
    """Name -> place, as lanpi.yml has it."""
    return machines["places"]


def give(pi, logins):
    put(pi, ENVIRONMENT, "".join(f"{name}={value}\n" for name, value in logins.items()))


def backup(lanpi, pi):
    return lanpi("backup", "now", f"virtual:{pi.name}", "--json")


def known(pi):
    """What the Pi knows of its backups."""
    return json.loads(inside(pi, ["cat", STATUS]))


def fresh_upload(pi):
    """Something of some size that no place has yet."""
    folder = "/var/lib/ejabberd/upload/large"
    make = f"mkdir -p {folder} && head -c {UPLOADED_MB}M /dev/urandom > {folder}/file && chown -R ejabberd: {folder}"
    inside(pi, ["sh", "-c", make])


class Arguments(threading.Thread):
    """Collects the arguments of every process of a Pi until it is told that it is over."""

    def __init__(self, pi):
        super().__init__(daemon=True)
        self.seen, self.over, self._pi = set(), threading.Event(), pi

    def run(self):
        while not self.over.wait(0.1):
            self.seen.update(inside(self._pi, ["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'"]).splitlines())


def refused(done, text, *, status):
    assert done.returncode == status, done.stderr
    assert text in done.stderr
    assert "Sending a message" not in done.stderr  # nothing was applied


@pytest.fixture(scope="module")
def added(pi, places, logins, stick, lanpi):
    """The Pi with every place in its settings; each was tried first, and refused while it did not work."""
    target = f"virtual:{pi.name}"
    setting = ("--set", f"backup.repositories=[{', '.join(places.values())}]")
    refused(lanpi("install", target, *setting), "is not connected", status=6)
    stick.plug_in(pi.leader_pid)
    refused(lanpi("install", target, *setting), "does not let this Pi in", status=4)
    give(pi, logins)
    refused(lanpi("backup", "add", "/home/pi/backup", target), "no backup can be written", status=2)
    for name in ("usb", "rest"):
        sure(lanpi("backup", "add", places[name], target, "--yes", timeout_seconds=300))
    sure(lanpi("install", target, *setting, timeout_seconds=300))
    assert not stick.mounted_at()
    # The Pi's own card needs no trial.
    assert all(known(pi)["repositories"][places[name]]["made"] for name in ("usb", "rest", "s3"))
    return pi


@pytest.fixture(scope="module")
def backed_up(added, pi, places, lanpi):
    """A backup at every place; the arguments of all processes meanwhile."""
    fresh_upload(pi)
    arguments = Arguments(pi)
    arguments.start()
    done = sure(backup(lanpi, pi))
    arguments.over.set()
    arguments.join(30)
    return json.loads(done.stdout.splitlines()[-1]), arguments.seen


def test_every_place_has_the_backup(backed_up, pi, places, stick, lanpi):
    said, _ = backed_up
    assert [saved["location"] for saved in said["repositories"]] == list(places.values())
    assert all(saved["added_bytes"] > UPLOADED_MB * 1024 * 1024 for saved in said["repositories"])
    rows = json.loads(sure(lanpi("backup", "list", f"virtual:{pi.name}", "--json")).stdout)["snapshots"]
    assert {row["repository"] for row in rows} == set(places.values())
    # A stick that is not in use may be taken out.
    assert not stick.mounted_at()


def test_what_opens_the_storage_is_in_no_argument_log_journal_or_status(backed_up, pi, logins):
    _, arguments = backed_up
    assert any(argument == "restic" for argument in arguments), "nobody looked while restic ran"
    seen = "\n".join([*arguments, inside(pi, ["cat", STATUS, PROGRESS]), inside(pi, ["journalctl", "--no-pager"])])
    secret = [value for name, value in logins.items() if "USERNAME" not in name]
    assert [value for value in secret if value in seen] == []


def test_each_place_gives_it_back(backed_up, pi, places, lanpi):
    sure(lanpi("backup", "drill", "--compare-only", f"virtual:{pi.name}", timeout_seconds=120))
    assert all(known(pi)["repositories"][place]["last_drill"] for place in places.values())


def test_an_account_comes_back_from_the_stick(backed_up, pi, places, stick, lanpi, tmp_path):
    target, anna = f"virtual:{pi.name}", f"anna@{pi.name}.local"
    sure(lanpi("user", "add", "anna", target, "--generate", "--password-file", str(tmp_path / "anna")))
    sure(backup(lanpi, pi))
    sure(lanpi("user", "remove", "anna", target, "--yes"))
    done = sure(lanpi("restore", "--from", places["usb"], "--account", anna, target, "--yes", "--json"))
    assert json.loads(done.stdout.splitlines()[-1])["added"]["users"] == 1
    assert not stick.mounted_at()


def others_got_theirs(pi, places, before, *failed):
    """The places that worked have a newer snapshot and no error."""
    after = known(pi)["repositories"]
    return all(
        (after[place]["snapshot"] != before[place]["snapshot"]) is (name not in failed)
        and bool(after[place]["last_error"]) is (name in failed)
        for name, place in places.items()
    )


def test_a_stick_that_is_not_there_and_a_server_that_is_off_are_named_and_the_next_run_finds_them(
    backed_up, pi, store, places, stick, lanpi, on_pi
):
    before = known(pi)["repositories"]
    stick.take_out()
    on_pi(store, "systemctl stop rest", root=True)
    started = time.monotonic()
    done = backup(lanpi, pi)
    assert time.monotonic() - started < 90, "they were waited for"
    assert done.returncode == 1
    for said in (done.stderr, known(pi)["last_error"]):
        assert f"the USB disk {stick.uuid} is not connected" in said
        assert f"{places['rest']} does not answer" in said
    assert others_got_theirs(pi, places, before, "usb", "rest")
    stick.plug_in(pi.leader_pid)
    on_pi(store, serve_rest(store), root=True)
    sure(backup(lanpi, pi))
    assert known(pi)["last_error"] == ""


def stopped_while_it_writes(pi, stick, written_bytes):
    """The restic that writes to the stick, held when so much has been written: pulling it out takes a moment."""
    group, deadline = Group(pi.name), time.monotonic() + 60
    writer = 0
    while time.monotonic() < deadline:
        if not writer:
            there = stick.mounted_at(group.processes())
            writer = next((pid for pid in there if Path(f"/proc/{pid}/comm").read_text() == "restic\n"), 0)
        elif stick.written_bytes() > written_bytes:
            os.kill(writer, signal.SIGSTOP)
            return writer
        time.sleep(0.005)
    return 0


def test_a_stick_pulled_out_while_it_is_written_to_ends_its_part_at_once(backed_up, pi, places, stick, lanpi):
    before, started = known(pi)["repositories"], stick.written_bytes()
    fresh_upload(pi)
    running = []
    thread = threading.Thread(target=lambda: running.append(backup(lanpi, pi)), daemon=True)
    thread.start()
    writer = stopped_while_it_writes(pi, stick, started + 1024 * 1024)
    assert writer, running
    stick.take_out()
    pulled = time.monotonic()
    os.kill(writer, signal.SIGCONT)
    thread.join(120)
    assert time.monotonic() - pulled < 60, "it was waited for"
    (done,) = running
    assert done.returncode == 1
    assert f"the USB disk {stick.uuid} was pulled out" in done.stderr
    assert others_got_theirs(pi, places, before, "usb")
    assert not stick.mounted_at()
    assert wait_until(lambda: not stick.held(), seconds=10), "its file system is mounted somewhere still"
    stick.plug_in(pi.leader_pid)
    sure(backup(lanpi, pi))
    sure(lanpi("backup", "verify", f"virtual:{pi.name}"))
    assert all(known(pi)["repositories"][place]["last_verified"] for place in places.values())


def test_a_login_that_is_refused_is_said_so_and_the_others_get_theirs(backed_up, pi, places, logins, lanpi):
    before = known(pi)["repositories"]
    give(pi, logins | {"AWS_SECRET_ACCESS_KEY": "wrong", "RESTIC_REST_PASSWORD": "wrong"})
    started = time.monotonic()
    done = backup(lanpi, pi)
    assert time.monotonic() - started < 60, "it was tried again and again"
    give(pi, logins)
    assert done.returncode == 1
    for name in ("rest", "s3"):
        assert f"{places[name]} does not let this Pi in" in done.stderr
    assert others_got_theirs(pi, places, before, "rest", "s3")
