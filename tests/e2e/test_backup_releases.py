"""A snapshot of Debian bookworm's ejabberd 23.01 comes back on trixie's 24.12, and goes on to the newest."""

import asyncio
import re
import secrets

import pytest

from lanpi.pi.xmpp.client import Client, Login

from .talk import belongings, download, join, say, settle_in, upload, whole_archive, write_all

FILE = secrets.token_bytes(100_000)


def sure(done):
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def trixie(virtual_pi):
    """The Pi of today; it holds the repository, too."""
    return virtual_pi("relnew", model="4-2g")


@pytest.fixture(scope="module")
def bookworm(virtual_pi, trixie, lanpi, on_pi):
    """The one of years ago."""
    pi = virtual_pi("relold", suite="bookworm", model="4-2g")
    make = "ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519; cat /root/.ssh/id_ed25519.pub"
    known = f"echo '{trixie.address} {trixie.host_key}' >> /root/.ssh/known_hosts"
    public = on_pi(pi, f"mkdir -p /root/.ssh; {known}; {make}", root=True).stdout.strip()
    on_pi(trixie, f"mkdir -p ~/.ssh; echo '{public}' >> ~/.ssh/authorized_keys")
    repository = f"backup.repositories=[sftp:{trixie.user}@{trixie.address}:/home/{trixie.user}/backup]"
    settings = ("--set", "im.channel=stable", "--set", repository)
    sure(lanpi("install", f"virtual:{pi.name}", *settings, timeout_seconds=600))
    return pi


def ejabberd_version(on_pi, pi):
    return on_pi(pi, "dpkg-query -W -f '${Version}' ejabberd").stdout


async def _live(login, room, address, ca):
    async with Client(login) as anna:
        await anna.available()
        await settle_in(anna, f"ben@{login.domain}", room)
        await write_all(anna, f"ben@{login.domain}", [f"to ben {number}" for number in range(50)])
        await join(anna, room)
        for number in range(20):
            await say(anna, room, f"to all {number}")
        return await upload(anna, FILE, address, ca)


async def _look(login, room):
    async with Client(login) as anna:
        await anna.available()
        await join(anna, room)
        return await whole_archive(anna), await whole_archive(anna, room), await belongings(anna)


def test_from_bookworm_to_trixie(bookworm, trixie, lanpi, on_pi, tmp_path):
    old, new, domain = f"virtual:{bookworm.name}", f"virtual:{trixie.name}", f"{bookworm.name}.local"
    ca, room = tmp_path / "ca.crt", f"us@conference.{domain}"
    for name in ("anna", "ben"):
        sure(lanpi("user", "add", name, old, "--generate", "--password-file", str(tmp_path / name)))
    sure(lanpi("ca", old, "--output", str(ca)))
    assert ejabberd_version(on_pi, bookworm).startswith("23.01")
    login = Login("anna", domain, (tmp_path / "anna").read_text().strip(), host=bookworm.address, ca=str(ca))
    path = asyncio.run(_live(login, room, bookworm.address, ca))

    sure(lanpi("backup", "now", old))
    sure(lanpi("backup", "key", old, "--output", str(tmp_path / "sheet")))
    key = tmp_path / "key"
    key.write_text(re.search(r"Key:\n\n\s+(\S+)", (tmp_path / "sheet").read_text())[1])

    restore = ("restore", "--from", f"/home/{trixie.user}/backup", "--key-file", str(key), new, "--yes")
    sure(lanpi(*restore, timeout_seconds=600))
    login = Login("anna", domain, login.password, host=trixie.address, ca=str(ca))
    for channel, version in (("stable", "24.12"), ("backports", "26.")):
        if channel == "backports":
            sure(lanpi("install", new, "--set", "im.channel=backports", timeout_seconds=600))
        assert ejabberd_version(on_pi, trixie).startswith(version)
        own, rooms, (contacts, cards, marks) = asyncio.run(_look(login, room))
        assert [body for body in own if body.startswith("to ben")] == [f"to ben {number}" for number in range(50)]
        assert rooms == [f"to all {number}" for number in range(20)]
        assert (contacts, cards, marks) == ([(f"ben@{domain}", "Ben from next door")], ["Anna A."], [room])
        assert download(domain, path, trixie.address, ca) == FILE
