"""Readings that come from live sockets, files and logs: certificates, owners, who is kept out, what fills a disk."""

import grp
import hashlib
import os
import pwd
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from lanpi.pi.read import certificate, fullness, limited, ownership, placed, units


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A certificate with its key for doc.local, ten days long."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
         "10", "-subj", "/CN=doc.local", "-addext", "subjectAltName=DNS:doc.local,IP:192.0.2.1", "-keyout",
         str(folder / "k"), "-out", str(folder / "c")],
        check=True, capture_output=True,
    )  # fmt: skip
    path = folder / "server.pem"
    path.write_text((folder / "c").read_text() + (folder / "k").read_text())
    return path


@contextmanager
def serving(pem=None):
    """A port that shows the certificate, or takes connections and knows no TLS; its number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if pem:
            context.load_cert_chain(pem)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        if pem:
                            context.wrap_socket(connection, server_side=True).close()
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


class Source:
    def epoch(self):
        return 0.0

    def __init__(self, files):
        self._files = files

    def read_text(self, path):
        return self._files.get(path)

    def exists(self, path):
        return path in self._files

    def command(self, *argv):
        return self._files.get(argv)

    def show_units(self, names, properties):
        return self._files[tuple(names)]


def configured(path, text):
    return Source({certificate.CONFIGURATION: f"hosts: [x]\ncertfiles: [{path}, /k]\n", path: text})


def test_the_certificate_that_is_shown_is_the_one_that_is_judged(pem, monkeypatch):
    other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with serving(pem) as port:
        monkeypatch.setattr(certificate, "PORTS", (port,))
        found = certificate.certificates(configured("/my.pem", other), "doc.local")
    [shown] = found["shown"]
    der = ssl.PEM_cert_to_DER_cert(pem.read_text().partition("-----BEGIN PRIVATE")[0].partition("-----BEGIN EC")[0])
    assert shown == {"port": port, "sha256": hashlib.sha256(der).hexdigest(), "problem": ""}
    assert found["configured"]["sha256"] not in ("", shown["sha256"])
    assert found["names"] == ["doc.local", "192.0.2.1"]
    assert 9 < certificate.days_left(found, time.time()) <= 10


def test_a_port_without_tls_and_a_closed_one_are_told_apart(pem, monkeypatch):
    with serving() as port:
        monkeypatch.setattr(certificate, "PORTS", (port,))
        [shown] = certificate.certificates(configured("/my.pem", pem.read_text()), "doc.local")["shown"]
    assert shown["problem"].startswith("no TLS: ")
    found = certificate.certificates(configured("/my.pem", pem.read_text()), "doc.local")
    assert found["shown"][0]["problem"] == "closed"
    assert found["names"] == ["doc.local", "192.0.2.1"], "known all the same, out of the file"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({certificate.CONFIGURATION: "certfiles: [/my.pem, /k]\n"}, "is missing"),
        ({certificate.CONFIGURATION: "certfiles: [/my.pem]\n", "/my.pem": "no certificate"}, "holds no certificate"),
    ],
)
def test_a_configured_certificate_that_is_none(files, problem, monkeypatch):
    monkeypatch.setattr(certificate, "PORTS", ())
    assert certificate.certificates(Source(files), "doc.local")["configured"]["problem"] == problem


def test_acme_configures_no_file(monkeypatch):
    monkeypatch.setattr(certificate, "PORTS", ())
    found = certificate.certificates(Source({certificate.CONFIGURATION: "certfiles: []\n"}), "doc.local")
    assert found["configured"] is None
    assert certificate.days_left(found, 0.0) is None


def test_owner_group_and_mode_of_what_is_there(tmp_path):
    path = tmp_path / "key"
    path.write_text("")
    path.chmod(0o640)
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(path.stat().st_gid).gr_name
    assert ownership.differing([(str(path), user, group, "0640"), (str(path), "", "", "")]) == []
    assert ownership.differing([(str(path), "", "", "640")]) == []
    assert ownership.differing([(str(tmp_path / "none"), "nobody", "", "")]) == []
    [wrong] = ownership.differing([(str(path), user, "", "0600")])
    assert wrong == {"path": str(path), "now": f"{user}:{group} 0640", "wanted": f"{user}:{group} 0600"}


NOW = 1_795_000_000.0


def banned(address, until):
    when = time.strftime("%H:%M:%S %d.%m.%Y", time.gmtime(until))
    return (
        f"2026-11-18 10:00:00.000 [warning] <0.9.0>@mod_fail2ban:log_and_disconnect/3:1 Connection attempt from "
        f"blacklisted IP {address}: Too many (20) failed authentications from this IP address ({address}). "
        f"The address will be unblocked at {when} UTC\n"
    )


def test_bans_are_known_with_their_time():
    log = banned("::ffff:192.168.1.7", NOW + 1000) + banned("203.0.113.7", NOW - 10)
    assert limited.bans(log, NOW) == [
        {"who": "192.168.1.7", "by": "ejabberd", "since": NOW + 1000 - 3600, "until": NOW + 1000}
    ]


@pytest.mark.parametrize(
    "after",
    [
        '[info] API call unban_ip [{<<"address">>,<<"192.168.1.7">>}] from 127.255.255.254:1\n',
        "[info] <0.1.0>@ejabberd_app:start/2:1 ejabberd 26.07 is started in the node ejabberd@localhost in 2.1s\n",
    ],
)
def test_a_ban_that_was_lifted_is_none(after):
    log = banned("::ffff:192.168.1.7", NOW + 1000) + after
    assert limited.bans(log, NOW) == []
    assert len(limited.bans(log + banned("::ffff:192.168.1.7", NOW + 2000), NOW)) == 1


def test_only_the_firewalls_sets_of_the_limited_limit():
    element = {"elem": {"val": "192.0.2.7", "timeout": 600, "expires": 100}}
    network = {"elem": {"val": {"prefix": {"addr": "2001:db8::", "len": 64}}}}
    sets = [
        {"name": "clients_limited4", "elem": [element, network]},
        {"name": "clients_rate4", "elem": [element, "192.0.2.8"]},
    ]
    assert limited.in_sets(sets, NOW) == [
        {"who": "192.0.2.7", "by": "clients_limited4", "since": NOW - 500, "until": NOW + 100},
        {"who": "2001:db8::/64", "by": "clients_limited4", "since": None, "until": None},
    ]


def test_the_largest_files_by_what_they_take(tmp_path):
    for name, kibibytes in (("small", 4), ("large", 400), ("middle", 40)):
        (tmp_path / name).write_bytes(os.urandom(1024 * kibibytes))
    os.link(tmp_path / "large", tmp_path / "again")
    found = fullness.largest_files((str(tmp_path), "/no/such/folder"), one_device=True, most=2)
    assert [Path(each["name"]).name for each in found][1:] == ["middle"]
    assert Path(found[0]["name"]).name in ("large", "again")
    assert found[0]["amount"] >= 400 * 1024


def test_names_that_cannot_be_looked_up():
    files = {"/etc/resolv.conf": "# x\nnameserver 192.0.2.53\n", ("getent", "ahosts", "mirror.example"): (2, "")}
    assert placed.looks_up(Source(files), "https://mirror.example/debian") == {
        "name": "mirror.example",
        "found": False,
        "servers": ["192.0.2.53"],
    }
    assert placed.looks_up(Source(files), "http://192.0.2.1/debian") is None
    assert placed.looks_up(Source(files), "file:///srv/debian") is None


def test_a_unit_that_is_masked_is_there():
    text = "Id=a.service\nLoadState=masked\nUnitFileState=masked\nActiveState=inactive\n"
    [block] = units.show(Source({("a.service",): text}), ["a.service"])
    assert units.is_there(block)
    assert units.state(block) == "masked/inactive"
