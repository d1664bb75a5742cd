"""Virtual Pis as a user meets them."""

import json
import os
import time
from pathlib import Path

import pytest

from lanpi import virtual
from lanpi.errors import ExitCode, LanpiError
from lanpi.virtual import archives, network, record
from lanpi.virtual.cgroup import Group
from lanpi.virtual.models import MODELS


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("one", model="3b+")


def test_it_is_a_fresh_pi(pi, on_pi):
    assert on_pi(pi, "systemctl is-system-running").stdout.strip() == "running"
    assert on_pi(pi, "hostname").stdout.strip() == pi.name
    assert on_pi(pi, "python3 -c 'import sys; print(sys.version_info >= (3, 11))'").stdout.strip() == "True"
    assert on_pi(pi, "python3 -m pip --version", check=False).returncode != 0
    cmdline = on_pi(pi, "cat /boot/firmware/cmdline.txt").stdout
    assert cmdline.count("\n") == 1
    assert "rootwait" in cmdline


def test_it_tells_its_models_name_and_memory(pi, on_pi):
    model = on_pi(pi, "cat /sys/firmware/devicetree/base/model").stdout
    assert model.rstrip("\0") == MODELS["3b+"].title
    meminfo = dict(line.split(":") for line in on_pi(pi, "cat /proc/meminfo").stdout.splitlines())
    assert int(meminfo["MemTotal"].split()[0]) * 1024 == MODELS["3b+"].memory_bytes
    available = int(meminfo["MemAvailable"].split()[0])
    assert 0 < available < int(meminfo["MemTotal"].split()[0])


def test_its_memory_is_capped(pi, on_pi):
    if not pi.memory_capped:
        pytest.skip("this machine's kernel has no memory controller")
    # 1.5 GB on a 1 GB Pi: the kernel ends the greedy process, not the Pi.
    greedy = on_pi(pi, 'python3 -c "bytearray(1536 * 1024 * 1024)"', check=False)
    assert greedy.returncode != 0
    assert on_pi(pi, "systemctl is-system-running").stdout.strip() in ("running", "degraded")


def test_sudo_asks_for_the_password(pi, on_pi):
    assert on_pi(pi, "sudo -n true", check=False).returncode != 0
    assert on_pi(pi, "id -u", root=True).stdout.strip() == "0"


def test_the_record_is_for_root_alone(pi):
    assert (pi.folder / "record.json").stat().st_mode & 0o077 == 0
    assert Path(pi.key_path).stat().st_mode & 0o077 == 0
    assert pi.password not in Path(f"/proc/{pi.supervisor_pid}/cmdline").read_text()


def test_a_second_one_is_quick_and_both_reach_each_other_by_name(pi, virtual_pi, on_pi):
    began = time.monotonic()
    other = virtual_pi("two", passwordless_sudo=True)
    assert time.monotonic() - began < 10
    assert other.host_key != pi.host_key
    assert on_pi(other, "sudo -n id -u").stdout.strip() == "0"
    assert on_pi(other, f"ping -c1 -W2 {pi.name}").returncode == 0
    assert on_pi(pi, f"ping -c1 -W2 {other.name}").returncode == 0
    machine_ids = {on_pi(each, "cat /etc/machine-id").stdout for each in (pi, other)}
    assert len(machine_ids) == 2
    virtual.down(other.name)
    assert other.name not in on_pi(pi, "cat /etc/hosts").stdout


def test_up_again_changes_nothing_and_says_so(pi, lanpi):
    again = lanpi("virtual", "up", pi.name)
    assert (again.returncode, "is already running" in again.stdout) == (0, True)
    assert virtual.get(pi.name) == pi
    refused = lanpi("virtual", "up", pi.name, "--model", "5-8g")
    assert refused.returncode == ExitCode.BAD_INPUT
    assert "3b+" in refused.stderr


def test_a_reboot_keeps_files_address_cap_and_model(pi, on_pi, lanpi):
    on_pi(pi, "echo kept > kept")
    before = on_pi(pi, "cat /proc/sys/kernel/random/boot_id").stdout
    # From inside, as lanpi does it on a real one.
    on_pi(pi, "systemctl --no-block reboot", root=True, check=False)
    deadline = time.monotonic() + 60
    after = before
    while after in (before, "") and time.monotonic() < deadline:
        after = on_pi(pi, "cat /proc/sys/kernel/random/boot_id", check=False).stdout
    assert after not in (before, "")
    assert lanpi("virtual", "reboot", pi.name).returncode == 0
    assert on_pi(pi, "cat kept").stdout == "kept\n"
    total = on_pi(pi, "grep MemTotal /proc/meminfo").stdout.split()[1]
    assert int(total) * 1024 == MODELS["3b+"].memory_bytes
    leader = virtual.get(pi.name).leader_pid
    assert leader in Group(pi.name).processes()


def test_a_power_cut_ends_all_at_once_and_start_brings_it_back(pi, on_pi, lanpi):
    on_pi(pi, "echo cut > cut; nohup sleep 1000 >/dev/null 2>&1 &")
    began = time.monotonic()
    assert lanpi("virtual", "kill", pi.name).returncode == 0
    assert time.monotonic() - began < 5
    assert not virtual.get(pi.name).running
    assert Group(pi.name).processes() == []
    listed = json.loads(lanpi("virtual", "list", "--json").stdout)
    assert [row["running"] for row in listed if row["name"] == pi.name] == [False]
    assert lanpi("virtual", "start", pi.name).returncode == 0
    assert on_pi(pi, "cat cut").stdout == "cut\n"
    assert virtual.get(pi.name).host_key == pi.host_key


def test_shell_runs_a_command_and_passes_its_status_on(pi, lanpi):
    assert lanpi("virtual", "shell", pi.name, "--", "whoami").stdout.strip() == "pi"
    assert lanpi("virtual", "shell", pi.name, "--", "exit 7").returncode == 7


def test_packages_are_downloaded_once(pi, virtual_pi, on_pi):
    on_pi(pi, "apt-get update -q && apt-get install -qy tree", root=True, timeout_seconds=300)
    other = virtual_pi("warm")
    assert list((archives.CACHE / f"{pi.suite}-archives").glob("tree_*.deb"))
    on_pi(other, "apt-get update -q", root=True, timeout_seconds=300)
    need = on_pi(other, "apt-get install -qy tree", root=True, timeout_seconds=300).stdout
    assert "Need to get 0 B" in need
    virtual.down(other.name)


def test_fakes_of_what_the_kernel_shows(virtual_pi, on_pi):
    pi = virtual_pi("fake")
    zone = pi.folder / "fake/sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text("61234\n")
    (pi.folder / "fake/proc/cpuinfo").write_text("Model\t\t: Raspberry Pi 4 Model B Rev 1.5\n")
    virtual.kill(pi.name)
    virtual.start(pi.name)
    assert on_pi(pi, "cat /sys/class/thermal/thermal_zone0/temp").stdout == "61234\n"
    assert "Raspberry" in on_pi(pi, "cat /proc/cpuinfo").stdout
    (zone / "temp").write_text("84000\n")
    assert on_pi(pi, "cat /sys/class/thermal/thermal_zone0/temp").stdout == "84000\n"
    virtual.down(pi.name)


def test_a_card_of_a_given_size_can_be_full(virtual_pi, on_pi):
    pi = virtual_pi("card", card_mb=1500)
    blocks = on_pi(pi, "df --output=size -B1M /").stdout.split()[-1]
    assert 1200 < int(blocks) <= 1500
    assert "No space left" in on_pi(pi, "fallocate -l 2G big", check=False).stderr
    virtual.down(pi.name)
    assert "card.img" not in Path("/proc/mounts").read_text()


def test_bookworm(virtual_pi, on_pi):
    pi = virtual_pi("old", suite="bookworm", model="zero2w")
    assert "bookworm" in on_pi(pi, "cat /etc/os-release").stdout
    assert on_pi(pi, "systemctl is-system-running").stdout.strip() == "running"
    virtual.down(pi.name)


def test_an_up_that_was_killed_is_begun_anew(virtual_pi, run_prefix, on_pi):
    pi = virtual_pi("half")
    record.update(pi, host_key="")  # what a record looks like until the first boot is over
    with pytest.raises(LanpiError) as caught:
        virtual.start(pi.name)
    assert caught.value.exit_code == ExitCode.BAD_INPUT
    again = virtual.up(pi.name)
    assert again.password != pi.password
    assert on_pi(again, "true").returncode == 0
    virtual.down(pi.name)


def test_down_leaves_nothing_behind(virtual_pi):
    pi = virtual_pi("gone")
    before = {pi.supervisor_pid, pi.leader_pid, *Group(pi.name).processes()}
    groups = [Path(file).parent for file in Group(pi.name).joins()]
    assert all(path.is_dir() for path in groups)
    virtual.down(pi.name)
    assert not any(record.start_ticks(pid) for pid in before if pid)
    assert not pi.folder.exists()
    assert not any(path.exists() for path in groups)
    assert not Path(f"/sys/class/net/vb-{pi.name}").exists()
    assert str(pi.folder) not in Path("/proc/mounts").read_text()
    with pytest.raises(LanpiError):
        virtual.get(pi.name)
    if not virtual.list_all():
        assert not Path(f"/sys/class/net/{network.BRIDGE}").exists()
        assert os.system(f"nft list table ip {network.TABLE} >/dev/null 2>&1") != 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("kill", "nosuchpi"), "there is no virtual Pi named 'nosuchpi'"),
        (("up", "Bad_Name"), "'Bad_Name' is not a valid name"),
        (("up", "x", "--model", "pi9"), "'pi9' is not a known Pi model"),
        (("up", "x", "--suite", "sid"), "'sid' is not a suite that virtual Pis can run"),
        (("down",), "the name of the virtual Pi is missing"),
    ],
)
def test_bad_input(e2e_machine, lanpi, arguments, said):
    done = lanpi("virtual", *arguments)
    assert done.returncode == ExitCode.BAD_INPUT
    assert said in done.stderr
