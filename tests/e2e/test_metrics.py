"""A Pi that answers Prometheus, and one that no longer does."""

import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lanpi.virtual import VirtualPi

DASHBOARD = json.loads((Path(__file__).parents[2] / "docs/grafana/lanpi.json").read_text("utf-8"))


def scrape(pi):
    with urllib.request.urlopen(f"http://{pi.address}:9100/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


@pytest.fixture(scope="module")
def pi(virtual_pi, lanpi) -> VirtualPi:
    made = virtual_pi("metrics")
    done = lanpi("install", f"virtual:{made.name}", "--yes", "--set", "metrics=true")
    assert done.returncode == 0, done.stderr
    return made


def wait_for(look, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.5)
    return found


def test_it_answers_with_every_figure_of_the_dashboard(pi, on_pi):
    # Written every minute, and the first time before the administrator's account was made.
    wait_for(lambda: scrape(pi).get("lanpi_people_registered") == "1", seconds=120)
    figures = scrape(pi)
    assert figures['lanpi_service_active{unit="ejabberd.service"}'] == "1"
    assert float(figures["lanpi_ejabberd_processes"]) > 50
    assert figures["node_textfile_scrape_error"] == "0"
    there = {re.split(r"[{ ]", name)[0] for name in figures}
    drawn = {name for panel in DASHBOARD["panels"] for target in panel.get("targets", [])
             for name in re.findall(r"\b(?:lanpi|node)_\w+", target["expr"])}  # fmt: skip
    # Not of a container: sensors, a cable's signal; the first check is minutes away.
    absent = {"lanpi_temperature_celsius", "lanpi_link_signal_dbm", "lanpi_disk_written_bytes", "lanpi_check_seconds",
              "lanpi_checks_day", "lanpi_checks_passed_day", "lanpi_service_cpu_percent"}  # fmt: skip
    assert drawn - absent <= there, drawn - absent - there
    shown = on_pi(pi, "nft list table inet lanpi", root=True).stdout
    assert len(re.findall(r"saddr \{.*\} tcp dport 9100 accept", shown)) == 2


def test_the_packages_own_service_is_off_and_doctor_is_content(pi, on_pi, lanpi):
    state = on_pi(pi, "systemctl is-enabled prometheus-node-exporter.service", check=False).stdout
    assert state.strip() == "disabled"
    found = json.loads(lanpi("doctor", f"virtual:{pi.name}", "--json", "--only", "units,drift,firewall").stdout)
    assert found["exit_status"] == 0, found


def test_a_second_install_finds_its_own_exporter_there(pi, lanpi):
    done = lanpi("install", f"virtual:{pi.name}", "--yes", "--check", "--json")
    assert done.returncode == 0, done.stderr


def test_without_metrics_it_is_gone(pi, on_pi, lanpi):
    done = lanpi("install", f"virtual:{pi.name}", "--yes", "--set", "metrics=false")
    assert done.returncode == 0, done.stderr
    with pytest.raises((urllib.error.URLError, TimeoutError)):
        scrape(pi)
    left = on_pi(
        pi,
        "ls -d /run/lanpi-metrics /usr/lib/lanpi/metrics /etc/systemd/system/lanpi-metrics* 2>/dev/null;"
        " ss -Hltn 'sport = :9100'; nft list ruleset | grep 9100; systemctl list-units --all -q 'lanpi-metrics*'"
        " 'lanpi-exporter*' 'prometheus*' --state=active",
        root=True,
        check=False,
    )
    assert left.stdout.strip() == ""
