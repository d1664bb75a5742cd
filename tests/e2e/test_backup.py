"""A backup counts when it has been restored: on another Pi, after a power cut, from a damaged or full disk."""

import asyncio
import contextlib
import json
import re
import secrets
import shlex
import signal
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from lanpi.pi.xmpp.client import Client, Login

from .crowd import Crowd, lost
from .talk import PING, download, upload
from .xmpp_peer import exchange

PICTURE = secrets.token_bytes(300_000)


def sure(done):
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def store(virtual_pi):
    """Another machine of the house: it has nothing but SSH."""
    return virtual_pi("bkstore", model="zero2w")


@pytest.fixture(scope="module")
def repository(store):
    return f"sftp:pi@{store.address}:/home/pi/backup"


@pytest.fixture(scope="module")
def let_in(store, on_pi):
    """Let a Pi's root log in at the store."""

    def let(pi):
        make = 'test -f /root/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519'
        known = f"echo '{store.address} {store.host_key}' >> /root/.ssh/known_hosts"
        public = on_pi(pi, f"{make}; {known}; cat /root/.ssh/id_ed25519.pub", root=True).stdout.strip()
        on_pi(store, f"echo '{public}' >> ~/.ssh/authorized_keys")

    return let


@pytest.fixture(scope="module")
def old(virtual_pi, repository, let_in, lanpi, on_pi):
    """The Pi that people use."""
    pi = virtual_pi("bkold", model="4-2g")
    let_in(pi)
    on_pi(pi, "ln -sf /usr/share/zoneinfo/Asia/Kolkata /etc/localtime", root=True)
    setting = f"backup.repositories=[/var/backups/lanpi, {repository}]"
    sure(lanpi("install", f"virtual:{pi.name}", "--set", setting, timeout_seconds=600))
    return pi


@pytest.fixture(scope="module")
def new(virtual_pi, let_in):
    """A fresh Pi of another name and model, with a card of its own: a test fills it."""
    pi = virtual_pi("bknew", model="3b+", card_mb=4000)
    let_in(pi)
    return pi


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tmp_path_factory.mktemp("backup")


@pytest.fixture(scope="module")
def people(old, lanpi, files):
    """Passwords of anna and ben; the CA is in ca.crt."""
    target = f"virtual:{old.name}"
    for name in ("anna", "ben"):
        sure(lanpi("user", "add", name, target, "--generate", "--password-file", str(files / name)))
    sure(lanpi("ca", target, "--output", str(files / "ca.crt")))
    return {name: (files / name).read_text().strip() for name in ("anna", "ben")}


@pytest.fixture(scope="module")
def domain(old):
    return f"{old.name}.local"


@pytest.fixture(scope="module")
def key_file(old, lanpi, files, people):
    """The key as somebody copies it from the recovery sheet."""
    sheet = files / "sheet.txt"
    sure(lanpi("backup", "key", f"virtual:{old.name}", "--output", str(sheet)))
    path = files / "key.txt"
    path.write_text(re.search(r"Key:\n\n\s+(\S+)", sheet.read_text())[1] + "\n")
    return path


def backup(lanpi, pi):
    return lanpi("backup", "now", f"virtual:{pi.name}", "--json")


def outcome(done):
    return json.loads(done.stdout.splitlines()[-1])


def query(on_pi, pi, sql):
    """Rows of the live database."""
    script = (
        "import json, sqlite3; database = sqlite3.connect('/var/lib/ejabberd/ejabberd.db');"
        f"print(json.dumps(database.execute({sql!r}).fetchall()))"
    )
    return json.loads(on_pi(pi, f"python3 -c {json.dumps(script)}", root=True).stdout)


class Writer(threading.Thread):
    """anna writes to ben all the time; `acknowledged` are the bodies that the server has taken in."""

    def __init__(self, login, to):
        super().__init__(daemon=True)
        self.acknowledged = []
        self.over = threading.Event()
        self._login, self._to = login, to

    def run(self):
        asyncio.run(self._write())

    async def _write(self):
        async with Client(self._login) as client:
            await client.available()
            while not self.over.is_set():
                body = f"message {len(self.acknowledged)} {secrets.token_hex(4)}"
                await client.message(self._to, body, secrets.token_hex(8))
                await client.ask(PING)
                self.acknowledged.append(body)


async def _send_file(login, address, ca, data):
    async with Client(login) as client:
        return await upload(client, data, address, ca)


MANY = 10_000
MEGABYTE = 1024 * 1024
CROWD = tuple(f"member{number}" for number in range(8))


@pytest.fixture(scope="module")
def crowd(old, people, domain, files, on_pi):
    """Eight people who write all the time, to each other and in a room."""
    password = secrets.token_hex(8)
    calls = [["register", {"user": name, "host": domain, "password": password}] for name in CROWD]
    on_pi(old, f"echo '{json.dumps(calls)}' | /usr/lib/lanpi/im-call batch -", root=True)
    logins = [Login(name, domain, password, host=old.address, ca=str(files / "ca.crt")) for name in CROWD]
    return Crowd(logins, f"everybody@conference.{domain}", old.address)


@pytest.fixture(scope="module")
def backed_up(old, people, domain, files, crowd, lanpi, on_pi):
    """Backups made while all write: what anna had written before the last one began, her file's path, what the
    backup said, and what of the crowd was acknowledged before it began."""
    login = Login("anna", domain, people["anna"], host=old.address, ca=str(files / "ca.crt"))
    roster = json.dumps(
        {"localuser": "anna", "localhost": domain, "user": "ben", "host": domain, "nick": "Ben from next door",
         "groups": ["Neighbours"], "subs": "both"}
    )  # fmt: skip
    on_pi(old, f"echo '{roster}' | /usr/lib/lanpi/im-call add_rosteritem -", root=True)
    path = asyncio.run(_send_file(login, old.address, files / "ca.crt", PICTURE))
    writer = Writer(login, f"ben@{domain}")
    writer.start()
    deadline = time.monotonic() + 60
    while len(writer.acknowledged) < 300:
        assert time.monotonic() < deadline
        assert writer.is_alive()
        time.sleep(0.05)
    crowd.start()
    sure(backup(lanpi, old))
    of_crowd = crowd.wait_for(MANY, seconds=120)
    before = list(writer.acknowledged)
    done = sure(backup(lanpi, old))
    assert len(writer.acknowledged) > len(before), "nobody wrote during the backup"
    assert crowd.acknowledged.messages > of_crowd.messages, "the crowd was silent during the backup"
    writer.over.set()
    writer.join(30)
    crowd.stop()
    return before, path, outcome(done), of_crowd


def test_a_backup_goes_to_every_repository_and_says_what_it_holds(backed_up, old, repository, lanpi):
    before, _, said, of_crowd = backed_up
    assert [saved["location"] for saved in said["repositories"]] == ["/var/backups/lanpi", repository]
    # Each message is in the archives of both.
    assert said["messages"] >= 2 * len(before)
    assert said["people"] == 3 + len(CROWD)
    assert said["uploads"] >= 1 + len(of_crowd.files)
    rows = json.loads(sure(lanpi("backup", "list", f"virtual:{old.name}", "--json")).stdout)["snapshots"]
    assert len(rows) == 4
    now = datetime.now(UTC)
    assert all(now - timedelta(minutes=10) < datetime.fromisoformat(row["time"]) < now for row in rows), rows
    shown = json.loads(sure(lanpi("backup", "show", rows[-1]["id"], f"virtual:{old.name}", "--json")).stdout)
    assert shown["messages"] == said["messages"]


def test_the_key_is_in_no_argument_log_or_journal(backed_up, old, key_file, on_pi):
    key = key_file.read_text().strip()
    assert key not in on_pi(old, "journalctl --no-pager", root=True).stdout
    status = json.loads(on_pi(old, "cat /var/lib/lanpi/backup/status.json").stdout)
    assert status["key_saved"] is True
    assert key not in json.dumps(status)


def test_the_drill_proves_the_newest_snapshot(backed_up, old, lanpi, on_pi):
    done = sure(lanpi("backup", "drill", f"virtual:{old.name}"))
    assert "a second server works with it" in done.stdout
    assert on_pi(old, "test -e /var/lib/lanpi/backup/drill", root=True, check=False).returncode != 0
    status = json.loads(on_pi(old, "cat /var/lib/lanpi/backup/status.json").stdout)
    assert status["last_drill"] >= status["last_success"]
    assert status["drill_server"] is True


def test_the_drill_on_a_virtual_pi_proves_it_there_and_leaves_nothing(backed_up, old, repository, lanpi, on_pi):
    arguments = ("backup", "drill", "--on", "virtual", "--from", repository, f"virtual:{old.name}", "--json")
    said = outcome(sure(lanpi(*arguments, timeout_seconds=600)))
    assert said["location"] == repository
    assert said["summary"]["people"] == 3 + len(CROWD)
    assert said["summary"]["messages"] == backed_up[2]["messages"]
    known = json.loads(on_pi(old, "cat /var/lib/lanpi/backup/status.json").stdout)["repositories"][repository]
    assert known["last_drill"] >= known["last_success"]
    assert on_pi(old, "ls -A /var/lib/lanpi/backup/handed", root=True).stdout == ""
    assert "drill-" not in lanpi("virtual", "list").stdout


def test_an_export_is_one_file_with_every_account(backed_up, old, domain, lanpi, files):
    path = files / "export.tar"
    sure(lanpi("backup", "export", str(path), f"virtual:{old.name}"))
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        ours = f"_{domain.replace('.', '_')}.xml"
        (written,) = [name for name in archive.getnames() if "/xep-0227/" in name and name.endswith(ours)]
        accounts = ElementTree.parse(archive.extractfile(written)).getroot()
        archive.extract("./databases/ejabberd.sqlite", files)
    people = {user.get("name"): user for user in accounts.iter("{urn:xmpp:pie:0}user")}
    assert {"admin", "anna", "ben", *CROWD} <= set(people)
    assert [item.get("jid") for item in people["anna"].iter("{jabber:iq:roster}item")] == [f"ben@{domain}"]
    with contextlib.closing(sqlite3.connect(files / "databases/ejabberd.sqlite")) as database:
        bodies = {body for (body,) in database.execute("SELECT txt FROM archive WHERE username = 'anna'")}
    assert set(backed_up[0]) <= bodies


def test_a_wrong_key_is_refused_and_nothing_is_touched(backed_up, new, repository, lanpi, files, on_pi):
    wrong = files / "wrong.txt"
    wrong.write_text("not the key\n")
    arguments = ("restore", "--from", repository, "--key-file", str(wrong), f"virtual:{new.name}", "--yes")
    done = lanpi(*arguments, timeout_seconds=300)
    assert done.returncode == 4
    assert f"the key does not open the repository at {repository}" in done.stderr
    assert on_pi(new, "test -e /etc/lanpi/lanpi.yml || test -d /var/lib/ejabberd", check=False).returncode != 0


def test_a_card_without_room_is_refused_with_the_figures_and_nothing_is_touched(
    backed_up, new, repository, key_file, lanpi, on_pi
):
    left = "$(df --output=avail -B1 / | tail -1)"
    on_pi(new, f"fallocate -l $(({left} - 64 * 1024 * 1024)) /filled", root=True)
    arguments = ("restore", "--from", repository, "--key-file", str(key_file), f"virtual:{new.name}", "--yes")
    done = lanpi(*arguments, timeout_seconds=300)
    on_pi(new, "rm /filled", root=True)
    assert done.returncode == 5, done.stderr
    figures = r"the snapshot needs \d+ MB on /var/lib/lanpi/restore and 64 MB to spare, but only \d+ MB are free"
    assert re.search(figures, done.stderr)
    assert on_pi(new, "test -e /etc/lanpi/lanpi.yml || test -d /var/lib/ejabberd", check=False).returncode != 0


@pytest.fixture(scope="module")
def restored(backed_up, old, new, repository, key_file, lanpi):
    """The snapshot on a fresh Pi of another name; the old one is switched off, as a dead Pi is."""
    arguments = ("restore", "--from", repository, "--key-file", str(key_file), f"virtual:{new.name}", "--yes")
    return sure(lanpi(*arguments, timeout_seconds=600))


def test_everything_is_on_another_pi(restored, backed_up, old, new, people, domain, files, lanpi, on_pi):
    assert f"{domain} is restored" in restored.stdout
    before, path, _, _ = backed_up
    archived = [body for (body,) in query(on_pi, new, "SELECT txt FROM archive WHERE username = 'anna'")]
    assert {body: archived.count(body) for body in before} == dict.fromkeys(before, 1)
    accounts = json.loads(sure(lanpi("user", "list", f"virtual:{new.name}", "--json")).stdout)["accounts"]
    assert [account["address"].split("@")[0] for account in accounts] == ["admin", "anna", "ben", *CROWD]
    assert query(on_pi, new, "SELECT jid, nick, subscription FROM rosterusers WHERE username = 'anna'") == [
        [f"ben@{domain}", "Ben from next door", "B"]
    ]
    # A phone notices nothing: same password, certificate of the authority that it trusts, same address of the file.
    seen = exchange(
        new.address,
        files / "ca.crt",
        (f"anna@{domain}", people["anna"]),
        (f"ben@{domain}", people["ben"]),
        "still here",
    )
    # Those that ben had not fetched yet are delivered now.
    assert seen.bodies[:1] == before[:1]
    assert "still here" in seen.bodies
    assert "still here" in seen.archived
    assert download(domain, path, new.address, files / "ca.crt") == PICTURE


def test_none_of_ten_thousand_acknowledged_messages_is_lost(restored, backed_up, new, domain, on_pi):
    """Each counted: with its sender, its receiver, in the room; each file by its hash."""
    *_, before = backed_up
    assert before.messages >= MANY
    assert before.room
    assert before.files
    archive = query(on_pi, new, "SELECT username, txt FROM archive")
    hashed = on_pi(new, "cd /var/lib/ejabberd/upload && find . -type f -exec sha256sum {} +", root=True).stdout
    there = {f"/upload{name[1:]}": digest for digest, name in (line.split(maxsplit=1) for line in hashed.splitlines())}
    room = f"everybody@conference.{domain}"
    assert lost(before, [(owner, body) for owner, body in archive], room, there) == []


def test_the_restored_pi_backs_up_to_the_same_repository(restored, new, repository, lanpi):
    said = outcome(sure(backup(lanpi, new)))
    assert repository in [saved["location"] for saved in said["repositories"]]


def test_one_account_and_one_room_come_back_and_nothing_is_doubled(restored, new, people, domain, lanpi, on_pi):
    """Removed by mistake; the others go on with what they have written since."""
    target, room = f"virtual:{new.name}", f"everybody@conference.{domain}"
    of_both = f"SELECT username, count(*) FROM archive WHERE username IN ('anna', '{room}') GROUP BY username"
    before = query(on_pi, new, of_both)
    contacts = query(on_pi, new, "SELECT * FROM rosterusers WHERE username = 'anna'")
    rows = json.loads(sure(lanpi("backup", "list", target, "--json")).stdout)["snapshots"]
    arguments = ("restore", "--from", rows[-1]["repository"], "--snapshot", rows[-1]["id"], target, "--yes")
    sure(lanpi("user", "remove", "anna", target, "--yes"))
    gone = json.dumps({"name": "everybody", "service": f"conference.{domain}"})
    on_pi(new, f"echo '{gone}' | /usr/lib/lanpi/im-call destroy_room -", root=True)
    assert query(on_pi, new, of_both) == []
    for what in (("--account", f"anna@{domain}"), ("--room", room)):
        assert outcome(sure(lanpi(*arguments, *what, "--json")))["rows"] > 0
        assert outcome(sure(lanpi(*arguments, *what, "--json")))["rows"] == 0
    assert query(on_pi, new, of_both) == before
    assert query(on_pi, new, "SELECT * FROM rosterusers WHERE username = 'anna'") == contacts
    done = lanpi(*arguments, "--account", f"nobody@{domain}")
    assert done.returncode == 2
    assert f"the snapshot has no account nobody@{domain}" in done.stderr


@pytest.fixture
def refuses_the_snapshot(restored, new, lanpi, on_pi):
    """A server that does not start with the snapshot's data, which have no newcomer."""
    target = f"virtual:{new.name}"
    sure(lanpi("user", "add", "newcomer", target, "--generate"))
    query = "select 1 from users where username = 'newcomer'"
    script = f"import sqlite3 as s;assert s.connect('/var/lib/ejabberd/ejabberd.db').execute(\"{query}\").fetchone()"
    place = "/usr/local/bin/refuse.py"
    unit = "/etc/systemd/system/ejabberd.service.d/refuse.conf"
    lines = f"[Service]\\nExecStartPre=/usr/bin/python3 {place}\\n"
    on_pi(new, f"echo {shlex.quote(script)} > {place}; printf '{lines}' > {unit}; systemctl daemon-reload", root=True)
    yield
    on_pi(new, f"rm {unit} {place}; systemctl daemon-reload", root=True)
    sure(lanpi("user", "remove", "newcomer", target, "--yes"))


def test_a_restore_that_fails_goes_back_by_itself(
    refuses_the_snapshot, new, people, domain, repository, files, lanpi, on_pi
):
    target = f"virtual:{new.name}"
    written = "SELECT username, txt, timestamp FROM archive WHERE username NOT LIKE 'lanpi-%' ORDER BY 1, 2, 3"
    before = query(on_pi, new, written)
    accounts = sure(lanpi("user", "list", target)).stdout
    done = lanpi("restore", "--from", repository, target, "--yes", timeout_seconds=600)
    assert done.returncode == 1
    assert "the previous data are back in place" in done.stderr
    assert sure(lanpi("user", "list", target)).stdout == accounts
    assert "newcomer@" in accounts
    assert query(on_pi, new, written) == before
    seen = exchange(
        new.address, files / "ca.crt", (f"anna@{domain}", people["anna"]), (f"ben@{domain}", people["ben"]), "went on"
    )
    assert "went on" in seen.bodies


def test_a_restore_that_the_power_cut_is_finished_by_the_same_command(
    restored, new, people, domain, repository, files, lanpi, on_pi
):
    """On a Pi in use: what is lost comes back, what was there before is kept until it is discarded."""
    target = f"virtual:{new.name}"
    # To the same moment by its time, since what is newest has no ben any more.
    rows = json.loads(sure(lanpi("backup", "list", target, "--json")).stdout)["snapshots"]
    snapshot = next(row["id"] for row in reversed(rows) if row["repository"] == repository)
    sure(lanpi("user", "remove", "ben", target, "--yes"))
    arguments = ("restore", "--from", repository, "--snapshot", snapshot, target, "--yes")
    with subprocess.Popen([sys.executable, "-m", "lanpi", *arguments], stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "Exchanging the data" in line:
                break
        sure(lanpi("virtual", "kill", new.name))
        process.communicate(timeout=120)
    assert process.returncode != 0
    sure(lanpi("virtual", "start", new.name))
    done = sure(lanpi(*arguments, timeout_seconds=300))
    assert "/var/lib/lanpi/previous" in done.stdout
    seen = exchange(
        new.address, files / "ca.crt", (f"anna@{domain}", people["anna"]), (f"ben@{domain}", people["ben"]), "again"
    )
    assert "again" in seen.bodies
    sure(lanpi("restore", "--discard-previous", target, "--yes"))
    assert on_pi(new, "test -e /var/lib/lanpi/previous", root=True, check=False).returncode != 0


@pytest.fixture(scope="module")
def film(backed_up, old, on_pi):
    """A file that takes a while to save, and more room than a small disk has."""
    on_pi(
        old,
        "install -d -o ejabberd /var/lib/ejabberd/upload/big && "
        "runuser -u ejabberd -- dd if=/dev/urandom of=/var/lib/ejabberd/upload/big/film bs=1M count=60 status=none",
        root=True,
    )


def cut_off(lanpi, on_pi, pi, verb, step):
    """Cut the power while restic holds the local repository, and bring the Pi up again."""
    command = [sys.executable, "-m", "lanpi", "backup", verb, f"virtual:{pi.name}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if step in line:
                break
        deadline = time.monotonic() + 30
        while on_pi(pi, "ls /var/backups/lanpi/locks | grep -q .", root=True, check=False).returncode != 0:
            assert time.monotonic() < deadline
        sure(lanpi("virtual", "kill", pi.name))
        process.communicate(timeout=120)
    assert process.returncode != 0
    sure(lanpi("virtual", "start", pi.name))


def test_a_power_cut_during_a_backup_or_a_prune_leaves_the_repository_fine(film, old, lanpi, on_pi):
    target = f"virtual:{old.name}"
    cut_off(lanpi, on_pi, old, "now", "Saving to")
    said = outcome(sure(backup(lanpi, old)))
    assert said["uploads"] >= 2
    # And while it is pruned. The dead runs' locks are in nobody's way.
    cut_off(lanpi, on_pi, old, "prune", "Pruning /var/backups/lanpi")
    sure(backup(lanpi, old))
    sure(lanpi("backup", "prune", target))
    sure(lanpi("backup", "verify", target))


def test_a_snapshot_of_a_clock_that_ran_ahead_hides_none(film, old, lanpi, on_pi):
    """As a Pi without the network's time makes it: dated five years ahead, it would be the newest for as long."""
    target = f"virtual:{old.name}"
    sure(backup(lanpi, old))
    rows = json.loads(sure(lanpi("backup", "list", target, "--json")).stdout)["snapshots"]
    *_, older, newer = [row["id"] for row in rows if row["repository"] == "/var/backups/lanpi"]
    where = "-r /var/backups/lanpi --password-file /etc/lanpi/backup.key --no-cache"
    on_pi(old, f"restic {where} rewrite --forget --new-time '2031-06-01 00:00:00' {older}", root=True)
    assert json.loads(sure(lanpi("backup", "show", "latest", target, "--json")).stdout)["id"] == newer
    sure(lanpi("backup", "prune", target))
    said = outcome(sure(backup(lanpi, old)))
    made = {saved["location"]: saved["snapshot"] for saved in said["repositories"]}["/var/backups/lanpi"]
    assert json.loads(sure(lanpi("backup", "show", "latest", target, "--json")).stdout)["id"] == made
    rows = json.loads(sure(lanpi("backup", "list", target, "--json")).stdout)["snapshots"]
    assert sum(row["time"].startswith("2031") for row in rows) == 1
    assert newer in [row["id"] for row in rows]


def test_a_full_disk_is_named_and_the_other_repositories_get_theirs(film, old, repository, lanpi, on_pi):
    target = f"virtual:{old.name}"
    on_pi(old, "mkdir -p /mnt/small && mount -t tmpfs -o size=20m tmpfs /mnt/small", root=True)
    hook = "#!/bin/sh\\necho $LANPI_BACKUP >> /run/hooked\\n"
    on_pi(old, f"printf '{hook}' > /usr/local/bin/hook && chmod +x /usr/local/bin/hook", root=True)
    hooks = [part for when in ("before", "after") for part in ("--set", f"backup.hook_{when}=/usr/local/bin/hook")]
    sure(lanpi("install", target, "--set", f"backup.repositories=[/mnt/small/backup, {repository}]", *hooks))
    done = lanpi("backup", "now", target)
    assert done.returncode == 1
    assert "the disk with the repository at /mnt/small/backup is full" in done.stderr
    # It is tried again by itself.
    assert on_pi(old, "systemctl show -p SubState --value lanpi-backup.service").stdout.strip() == "auto-restart"
    status = json.loads(on_pi(old, "cat /var/lib/lanpi/backup/status.json").stdout)
    assert status["repositories"][repository]["last_error"] == ""
    assert "is full" in status["last_error"]
    said = lanpi("status", target)
    assert "the last one failed" in said.stdout
    assert on_pi(old, "cat /run/hooked", root=True).stdout.split() == ["before", "failed"]
    # The administrator has a message of it waiting.
    waiting = query(on_pi, old, "SELECT xml FROM spool WHERE username = 'admin' ORDER BY seq DESC LIMIT 1")
    assert "The backup failed: the disk with the repository at /mnt/small/backup is full" in waiting[0][0]
    on_pi(old, "umount /mnt/small", root=True)
    done = lanpi("backup", "now", target)
    assert done.returncode == 1
    assert "the repository at /mnt/small/backup no longer exists" in done.stderr
    sure(lanpi("install", target, "--set", f"backup.repositories=[/var/backups/lanpi, {repository}]"))


def test_flipped_bits_are_found_and_the_snapshots_named(backed_up, old, lanpi, on_pi):
    target = f"virtual:{old.name}"
    # A pack of people's data, not of the tree: the largest.
    largest = on_pi(
        old, "find /var/backups/lanpi/data -type f -printf '%s %p\\n' | sort -n | tail -1 | cut -d' ' -f2", root=True
    ).stdout.strip()
    on_pi(old, f"printf XXXX | dd of={largest} bs=1 seek=5000 conv=notrunc status=none", root=True)
    done = lanpi("backup", "verify", target)
    assert done.returncode == 1
    hit = re.search(r"/var/backups/lanpi: damaged; affected snapshots: ([0-9a-f, ]+)", done.stderr)
    assert hit, done.stderr
    rows = json.loads(sure(lanpi("backup", "list", target, "--json")).stdout)["snapshots"]
    local = {row["id"] for row in rows if row["repository"] == "/var/backups/lanpi"}
    assert set(hit[1].replace(",", "").split()) <= local


def found_at(on_pi, asking, domain, pi):
    """Wait until another machine of the network finds the domain at a Pi by mDNS."""
    deadline = time.monotonic() + 60
    while (said := on_pi(asking, f"avahi-resolve -4 -n {domain}", check=False).stdout.split()[1:]) != [pi.address]:
        assert time.monotonic() < deadline, said
        time.sleep(1)


@pytest.fixture(scope="module")
def fresh(virtual_pi):
    return virtual_pi("bkmove", model="4-2g")


ACTIVE = "systemctl is-active ejabberd lanpi-backup.timer avahi-daemon"


def test_a_move_that_somebody_breaks_off_leaves_people_where_they_were(backed_up, old, fresh, lanpi, on_pi):
    """At the worst moment: with the old server stopped."""
    command = [sys.executable, "-m", "lanpi", "migrate", f"virtual:{old.name}", f"virtual:{fresh.name}", "--yes"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "Exchanging the data" in line:
                break
        assert on_pi(old, ACTIVE, check=False).stdout.split() == ["inactive"] * 3
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode != 0
    assert on_pi(old, ACTIVE).stdout.split() == ["active"] * 3
    assert on_pi(fresh, "systemctl is-active ejabberd", check=False).stdout.strip() == "inactive"
    assert on_pi(old, "ls -A /var/lib/lanpi/backup/handed", root=True).stdout == ""


def test_a_living_server_moves_and_its_old_pi_stays_as_it_was(
    restored, backed_up, old, new, fresh, domain, lanpi, on_pi
):
    # The restored one took the old one's name while that was off.
    on_pi(new, "systemctl stop lanpi-name.service", root=True)
    on_pi(old, "systemctl restart avahi-daemon.service", root=True)
    found_at(on_pi, new, domain, old)
    # The Pi goes on writing to itself, to see whether messages are delivered.
    people_s = "SELECT username, txt, timestamp FROM archive WHERE username NOT LIKE 'lanpi-%' ORDER BY 1, 2, 3"
    archived = query(on_pi, old, people_s)
    source, target = f"virtual:{old.name}", f"virtual:{fresh.name}"
    said = outcome(sure(lanpi("migrate", source, target, "--yes", "--json", timeout_seconds=600)))
    assert said["downtime_seconds"] < 60
    # The files came over in the move that was broken off, and are not carried again: least of all while it is down.
    held = said["summary"]
    without_files = held["bytes"] - held["upload_bytes"] + MEGABYTE
    assert max(said["first_bytes"], said["last_bytes"]) < without_files
    assert query(on_pi, fresh, people_s) == archived
    files = "cd /var/lib/ejabberd/upload && find . -type f -exec sha256sum {} + | sort"
    assert on_pi(fresh, files, root=True).stdout == on_pi(old, files, root=True).stdout
    timers = "lanpi-backup.timer lanpi-backup-care.timer"
    assert on_pi(old, f"systemctl is-active ejabberd {timers}", check=False).stdout.split() == ["inactive"] * 3
    assert query(on_pi, old, people_s) == archived
    # Phones are led to the new Pi, whose own name is another one.
    found_at(on_pi, new, domain, fresh)
    on_pi(fresh, "systemctl stop lanpi-name.service", root=True)
    # Nothing starts a second server with the same name: neither systemd nor lanpi, until somebody insists.
    on_pi(old, "systemctl restart ejabberd.service", root=True)
    assert on_pi(old, "systemctl is-active ejabberd", check=False).stdout.strip() == "inactive"
    refused = lanpi("install", source)
    assert refused.returncode == 5
    assert f"has moved to {target}" in refused.stderr
    lanpi("doctor", source, "--fix", "--yes")
    assert on_pi(old, "systemctl is-active ejabberd avahi-daemon", check=False).stdout.split() == ["inactive"] * 2
    sure(lanpi("install", source, "--force"))
    assert on_pi(old, f"systemctl is-active ejabberd {timers}").stdout.split() == ["active"] * 3
