"""What would hide people's data, or leave the server without a certificate, is refused before anything is touched."""

import subprocess
from dataclasses import replace

import pytest

from lanpi.config.load import effective
from lanpi.config.model import Config
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Installed
from lanpi.flows.changes import require_same_database, require_usable_certificate
from lanpi.hosts.base import Completed
from lanpi.pi.read import tls_files
from unit.tuning.machines import machine

DOMAIN = "chat.example.org"
FINISHED = Installed("0.1.0", finished=True, when="2026-11-01T10:00:00Z", domain=DOMAIN)


class Pi:
    name = "pi"


@pytest.mark.parametrize(("before", "after"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_another_database_is_refused_where_people_have_data(before, after):
    facts = replace(machine(1024), installed=FINISHED, config_text=f"database: {before}\n")
    with pytest.raises(LanpiError, match="the server would start empty") as refused:
        require_same_database(facts, Config(database=after), Pi())
    assert refused.value.exit_code is ExitCode.BAD_INPUT
    assert f"Set database: {before}" in refused.value.next_step
    require_same_database(facts, Config(database=before), Pi())
    require_same_database(replace(facts, installed=None), Config(database=after), Pi())


def made(folder, name, domain, days="30"):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=x", "-days", days, "-addext", f"subjectAltName=DNS:{domain}",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(certificate), str(key)


def test_files_that_cannot_be_served_are_named_with_all_that_is_wrong(tmp_path):
    good, other = made(tmp_path, "a", DOMAIN), made(tmp_path, "b", "x.example.org")
    now = 0.0
    assert tls_files.mistakes(*good, DOMAIN, now) == []
    missing = str(tmp_path / "none.pem")
    assert tls_files.mistakes(missing, good[1], DOMAIN, now) == [f"{missing} does not exist"]
    assert tls_files.mistakes(other[0], good[1], DOMAIN, now) == [
        f"{good[1]} is not the key of {other[0]}",
        f"{other[0]} is not valid for {DOMAIN}",
    ]
    [expired] = tls_files.mistakes(*good, DOMAIN, now=2e10)
    assert expired.startswith(f"{good[0]} expired on ")
    (tmp_path / "empty").write_text("")
    empty = str(tmp_path / "empty")
    assert tls_files.mistakes(empty, good[1], DOMAIN, now) == [f"{empty} holds no certificate in PEM form"]
    assert "no private key" in tls_files.mistakes(good[0], empty, DOMAIN, now)[0]


def test_a_file_that_ejabberd_cannot_read_is_named(tmp_path, monkeypatch):
    certificate, key = made(tmp_path, "a", DOMAIN)
    monkeypatch.setattr(tls_files, "can_read", lambda user, path: path != key)
    assert tls_files.mistakes(certificate, key, DOMAIN, 0.0) == [f"the user ejabberd cannot read {key}"]


def test_an_install_says_what_is_wrong_before_it_changes_anything(monkeypatch):
    settings = {"domain": DOMAIN, "tls": {"mode": "files", "certificate": "/c.pem", "key": "/k.pem"}}
    config = effective({}, {}, [settings]).config

    class Answering(Pi):
        def run(self, argv, **_):
            return Completed("python3", 0, self.said, b"")

    pi = Answering()
    pi.said = b"[]"
    require_usable_certificate(config, DOMAIN, pi)
    require_usable_certificate(Config(), DOMAIN, Pi())
    pi.said = b'["/c.pem does not exist", "/k.pem does not exist"]'
    with pytest.raises(LanpiError) as refused:
        require_usable_certificate(config, DOMAIN, pi)
    assert "\n  /c.pem does not exist\n  /k.pem does not exist\n" in str(refused.value)
