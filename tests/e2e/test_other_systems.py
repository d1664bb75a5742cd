"""The same install on Debian bookworm, with PostgreSQL, and on the Pi itself without SSH."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lanpi import virtual

ROOT = Path(__file__).parents[2]


def test_bookworm_with_every_feature_switched_on(virtual_pi, lanpi, on_pi, tmp_path):
    pi = virtual_pi("bookworm", suite="bookworm", model="4-2g")
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


def test_postgresql_in_place_of_sqlite(virtual_pi, lanpi, on_pi):
    pi = virtual_pi("postgres", model="4-2g")
    done = lanpi("install", f"virtual:{pi.name}", "--set", "database=postgresql", "--set", "im.registration=invite",
                 "--json", timeout_seconds=600)  # fmt: skip
    assert done.returncode == 0, done.stderr
    accounts = on_pi(
        pi, "cd / && runuser -u postgres -- psql -A -t ejabberd -c 'select username from users'", root=True
    )
    assert accounts.stdout.strip() == "admin"
    done = lanpi("install", f"virtual:{pi.name}", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["changed"] == []
    virtual.down(pi.name)


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
    pins = [line.split()[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line]
    path = folder / "constraints.txt"
    path.write_text("".join(f"{pin}\n" for pin in pins if pin[0].isalpha()))
    return path


def test_on_the_pi_itself(virtual_pi, on_pi, wheels):
    pi = virtual_pi("local", model="4-2g", passwordless_sudo=True)
    ssh = ["-q", "-o", "BatchMode=yes", "-i", pi.key_path, "-o", f"UserKnownHostsFile={pi.known_hosts}"]
    subprocess.run(["scp", *ssh, "-r", str(wheels), f"{pi.user}@{pi.address}:wheels"], check=True)
    on_pi(pi, "apt-get update -q && apt-get install -y -q --no-install-recommends python3-venv", root=True)
    on_pi(pi, "python3 -m venv env && env/bin/pip install -q --no-index --find-links wheels lanpi")
    # As an ordinary user who may run sudo; then as root.
    done = on_pi(pi, "env/bin/lanpi install --yes", timeout_seconds=600)
    assert f"{pi.name}.local is ready, and messages pass." in done.stdout
    again = on_pi(pi, "$HOME/env/bin/lanpi install local --json".replace("$HOME", f"/home/{pi.user}"), root=True)
    assert json.loads(again.stdout.splitlines()[-1])["changed"] == []
    assert "admin@" in on_pi(pi, "env/bin/lanpi user list").stdout
    virtual.down(pi.name)
