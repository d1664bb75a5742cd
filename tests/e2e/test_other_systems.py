"""The same install on Debian bookworm, with PostgreSQL, and on the Pi itself without SSH."""

import asyncio
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lanpi import virtual
from lanpi.pi.xmpp.client import AuthFailed, Client, Login
from lanpi.pi.xmpp.xml import attribute

from .talk import belongings, join, say, settle_in, whole_archive, write_all

ROOT = Path(__file__).parents[2]


def shrink_python(pi, on_pi):
    """Leave of Python what python3-minimal has, as on small Debian images."""
    on_pi(pi, "apt-mark manual python3-minimal && apt-get purge -y -q '^libpython3(\\.[0-9]+)?-stdlib$'", root=True)
    assert on_pi(pi, "python3 -c 'import shutil'", check=False).stderr.endswith("No module named 'shutil'\n")


def test_bookworm_with_every_feature_switched_on(virtual_pi, lanpi, on_pi, tmp_path):
    """Its python3-minimal has no JSON: nothing can be read there before python3 is installed."""
    pi = virtual_pi("bookworm", suite="bookworm", model="4-2g")
    shrink_python(pi, on_pi)
    done = lanpi("install", f"virtual:{pi.name}", "--check")
    assert (done.returncode, "part of Python is missing: json" in done.stderr) == (1, True), done.stderr
    settings = tmp_path / "lanpi.yml"
    settings.write_text(
        "domain: chat.school.example\n"
        "im: {federation: true, registration: open, compression: true, mqtt: true, http_api: true}\n"
    )
    done = lanpi("install", f"virtual:{pi.name}", "--config", str(settings), "--json", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["domain"] == "chat.school.example"
    listening = on_pi(pi, "ss -Hltn").stdout
    assert all(f":{port} " in listening for port in (5269, 8883))
    done = lanpi("install", f"virtual:{pi.name}", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["changed"] == []
    virtual.down(pi.name)


@pytest.fixture(scope="module")
def postgres(virtual_pi, lanpi, on_pi):
    pi = virtual_pi("postgres", model="4-2g")
    shrink_python(pi, on_pi)
    settings = ("--set", "database=postgresql", "--set", "im.registration=closed")
    # What reads a Pi does with so little Python; --check says what it cannot tell yet.
    assert "lanpi is not installed on this Pi" in lanpi("status", f"virtual:{pi.name}", "--json").stdout
    checked = sure(lanpi("install", f"virtual:{pi.name}", *settings, "--check", "--json"))
    assert json.loads(checked.stdout.splitlines()[-1])["changed"] == ["python3"]
    sure(lanpi("install", f"virtual:{pi.name}", *settings, "--json", timeout_seconds=600))
    return pi


@pytest.fixture
def rows(postgres, on_pi):
    """Lines that psql prints on the PostgreSQL Pi."""

    def ask(sql):
        argv = ["runuser", "-u", "postgres", "--", "psql", "-X", "-A", "-t", "ejabberd", "-c", sql]
        return on_pi(postgres, f"cd / && {shlex.join(argv)}", root=True).stdout.splitlines()

    return ask


def test_postgresql_in_place_of_sqlite(postgres, rows, lanpi):
    assert rows("SELECT username FROM users WHERE username NOT LIKE 'lanpi-check-%'") == ["admin"]
    done = sure(lanpi("install", f"virtual:{postgres.name}", "--json"))
    assert json.loads(done.stdout.splitlines()[-1])["changed"] == []


def test_a_database_that_stands_still_is_seen_and_started(postgres, lanpi, on_pi):
    target = f"virtual:{postgres.name}"

    def cluster():
        lines = json.loads(lanpi("status", target, "--json").stdout)["targets"][0]["lines"]
        return {line["key"]: line["level"] for line in lines}["service:postgresql@17-main.service"]

    assert cluster() == "ok"
    on_pi(postgres, "systemctl stop postgresql@17-main", root=True)
    assert cluster() == "critical"
    done = lanpi("doctor", target, "--only", "database", "--fix", "--yes")
    assert "done: restart postgresql@17-main.service" in done.stderr
    assert cluster() == "ok"


# What anna and the room have, without what the database counts by itself and when it was written.
BELONGINGS = (
    "SELECT username, type, password, salt FROM users WHERE username = 'anna'",
    "SELECT jid, nick, subscription FROM rosterusers WHERE username = 'anna'",
    "SELECT username, timestamp, peer, xml, txt FROM archive WHERE username NOT LIKE 'lanpi-check-%'",
    "SELECT namespace, data FROM private_storage",
    "SELECT name, t, value, action, ord FROM privacy_list JOIN privacy_list_data USING (id)",
    "SELECT host, node, plugin, name, val FROM pubsub_node JOIN pubsub_node_option USING (nodeid)",
    "SELECT host, node, itemid, publisher, payload FROM pubsub_node JOIN pubsub_item USING (nodeid)",
    "SELECT xml FROM spool WHERE username = 'ben'",
    "SELECT name, host, opts FROM muc_room",
    "SELECT room, host, jid, nick, nodes FROM muc_room_subscribers",
)


def test_one_account_and_one_room_come_back_into_postgresql(postgres, rows, lanpi, on_pi, tmp_path):
    """Removed by mistake; others go on meanwhile, and nothing is doubled."""
    target, domain, ca = f"virtual:{postgres.name}", f"{postgres.name}.local", tmp_path / "ca.crt"
    room = f"family@conference.{domain}"
    for name in ("anna", "ben"):
        sure(lanpi("user", "add", name, target, "--generate", "--password-file", str(tmp_path / name)))
    sure(lanpi("ca", target, "--output", str(ca)))
    anna = Login("anna", domain, (tmp_path / "anna").read_text().strip(), postgres.address, ca=str(ca))
    asyncio.run(live_a_little(anna, room))
    sure(lanpi("backup", "now", target))
    before = [sorted(rows(statement)) for statement in BELONGINGS]
    assert all(before)
    sure(lanpi("user", "remove", "anna", target, "--yes"))
    gone = json.dumps({"name": "family", "service": f"conference.{domain}"})
    on_pi(postgres, f"echo '{gone}' | /usr/lib/lanpi/im-call destroy_room -", root=True)
    assert rows("SELECT * FROM muc_room WHERE name = 'family'") == []
    # Her phone goes on trying, and the server remembers that there is no anna.
    with pytest.raises(AuthFailed):
        asyncio.run(seen(anna, room))
    server = on_pi(postgres, "systemctl show -p MainPID --value ejabberd").stdout
    for what in (("--account", f"anna@{domain}"), ("--room", room)):
        arguments = ("restore", "--from", "/var/backups/lanpi", *what, target, "--yes", "--json")
        assert json.loads(sure(lanpi(*arguments)).stdout.splitlines()[-1])["rows"] > 0
        assert json.loads(sure(lanpi(*arguments)).stdout.splitlines()[-1])["rows"] == 0
    assert [sorted(rows(statement)) for statement in BELONGINGS] == before
    assert asyncio.run(seen(anna, room)) == ([(f"ben@{domain}", "Ben from next door")], [room], ["one", "two"])
    assert on_pi(postgres, "systemctl show -p MainPID --value ejabberd").stdout == server
    # Of the way it came nothing is left.
    assert rows("SELECT extname FROM pg_extension") == ["plpgsql"]
    assert rows("SELECT datname FROM pg_database WHERE datname LIKE 'lanpi%'") == []
    # What an open room has in memory would win over the table.
    who = json.dumps({"user": "anna", "host": domain, "room": "family", "service": f"conference.{domain}"})
    on_pi(postgres, f"echo '{who}' | /usr/lib/lanpi/im-call unsubscribe_room -", root=True)
    assert json.loads(sure(lanpi(*arguments)).stdout.splitlines()[-1])["added"] == {"muc_room_subscribers": 1}
    done = on_pi(postgres, f"echo '{gone}' | /usr/lib/lanpi/im-call get_subscribers -", root=True)
    assert json.loads(done.stdout) == [f"anna@{domain}"]
    virtual.down(postgres.name)


async def live_a_little(anna, room):
    """Contacts, messages, bookmarks, somebody blocked, a room with messages and a subscriber."""
    mark = f"<item id={attribute(room)}><conference xmlns='urn:xmpp:bookmarks:1' name='It&apos;s \\us'/></item>"
    publish = f"<publish node='urn:xmpp:bookmarks:1'>{mark}</publish>"
    async with Client(anna) as client:
        await settle_in(client, f"ben@{anna.domain}", room)
        await write_all(client, f"ben@{anna.domain}", [f"hello {number}" for number in range(5)])
        await client.ask(f"<pubsub xmlns='http://jabber.org/protocol/pubsub'>{publish}</pubsub>", kind="set")
        await client.ask("<block xmlns='urn:xmpp:blocking'><item jid='spam@example.org'/></block>", kind="set")
        await join(client, room)
        nodes = "<event node='urn:xmpp:mucsub:nodes:messages'/>"
        await client.ask(f"<subscribe xmlns='urn:xmpp:mucsub:0' nick='anna'>{nodes}</subscribe>", kind="set", to=room)
        await say(client, room, "one", "two")


async def seen(login, room):
    """What an app shows after it has logged in: contacts, rooms of the service, what the room says."""
    async with Client(login) as client:
        items = "{http://jabber.org/protocol/disco#items}"
        listed = await client.ask(f"<query xmlns='{items[1:-1]}'/>", to=f"conference.{login.domain}")
        rooms = [item.get("jid") for item in listed.iter(f"{items}item")]
        return (await belongings(client))[0], rooms, await whole_archive(client, room)


def sure(done):
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """lanpi's wheel and all it needs, for the Pi's own Python (trixie has 3.13)."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(folder), str(ROOT)], check=True)
    wheel = next(folder.glob("lanpi-*.whl"))
    subprocess.run(
        [*pip, "download", "--only-binary=:all:", "--python-version", "3.13", "--implementation", "cp",
         "-d", str(folder), "-c", str(constraints(folder)), str(wheel)],
        check=True,
    )  # fmt: skip
    return folder


def constraints(folder: Path) -> Path:
    """The locked versions, without hashes, as pip's constraints."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    path = folder / "constraints.txt"
    path.write_text("".join(f"{line.removesuffix(chr(92))}\n" for line in lines if "==" in line and line[0].isalpha()))
    return path


def test_on_the_pi_itself(virtual_pi, on_pi, wheels):
    pi = virtual_pi("local", model="4-2g", passwordless_sudo=True)
    ssh = ["-q", "-o", "BatchMode=yes", "-i", pi.key_path, "-o", f"UserKnownHostsFile={pi.known_hosts}"]
    subprocess.run(["scp", *ssh, "-r", str(wheels), f"{pi.user}@{pi.address}:wheels"], check=True)
    on_pi(pi, "apt-get update -q && apt-get install -y -q --no-install-recommends python3-venv", root=True)
    on_pi(pi, "python3 -m venv env && env/bin/pip install -q --no-index --find-links wheels lanpi")
    # As an ordinary user who may run sudo; then as root.
    done = on_pi(pi, "env/bin/lanpi install --yes", timeout_seconds=600)
    assert f"{pi.name}.local is ready, and messages are delivered." in done.stdout
    again = on_pi(pi, "$HOME/env/bin/lanpi install local --json".replace("$HOME", f"/home/{pi.user}"), root=True)
    assert json.loads(again.stdout.splitlines()[-1])["changed"] == []
    assert "admin@" in on_pi(pi, "env/bin/lanpi user list").stdout
    virtual.down(pi.name)
