"""What the probe makes of files and outputs, those of machines that are not at hand included."""

import json
import sqlite3
import time
from pathlib import Path

import pytest

from lanpi.health.read import readings_from_json, watched_units
from lanpi.pi.im import api as im
from lanpi.pi.read import board, services, units, upkeep
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.status import collect

TREES = sorted((Path(__file__).parents[2] / "data" / "facts").glob("*/tree"))


class Files:
    """A source of some files, of what is in the compressed ones of them, and nothing else."""

    def __init__(self, files: dict[str, str], unpacked: dict[str, str] | None = None) -> None:
        self._files = files
        self._unpacked = unpacked or {}

    def command(self, program: str, verb: str, path: str) -> tuple[int, str]:
        assert (program, verb) == ("/usr/lib/apt/apt-helper", "cat-file")
        return 0, self._unpacked[path]

    def read_text(self, path: str) -> str | None:
        return self._files.get(path)

    def exists(self, path: str) -> bool:
        return path in self._files

    def names(self, path: str) -> list[str]:
        inside = [name.removeprefix(path + "/") for name in self._files if name.startswith(path + "/")]
        return sorted({name.partition("/")[0] for name in inside})


@pytest.mark.parametrize("tree", TREES, ids=[tree.parent.name for tree in TREES])
def test_every_recorded_machine_can_be_read(tree):
    read = readings_from_json(json.dumps(collect(Recorded(str(tree)), [])), 0.0)
    assert read.people is None
    assert read.board.memory_total_bytes > 0
    assert read.board.disk_total_bytes >= read.board.disk_free_bytes


SHOW = """\
Type=notify
NRestarts=2
ControlGroup=/lanpi.slice/ejabberd.service
MemoryCurrent=[not set]
Id=ejabberd.service
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
ActiveEnterTimestamp=@1795422564
ConditionResult=yes
ConditionTimestamp=@1795422560

Id=gone.service
LoadState=not-found
ActiveState=inactive

Id=systemd-timesyncd.service
LoadState=loaded
ActiveState=inactive
ConditionResult=no
ConditionTimestamp=@1795422560

Id=never-tried.service
LoadState=loaded
ActiveState=inactive
ConditionResult=no
ConditionTimestamp=
"""


def test_units_that_are_not_for_this_machine_are_left_out():
    assert [block["Id"] for block in services.for_this_machine(units.blocks(SHOW))] == [
        "ejabberd.service",
        "never-tried.service",
    ]


def test_units_are_asked_for_by_name_or_pattern():
    blocks = [{"Id": name} for name in ("ssh.service", "postgresql@15-main.service", "chrony.service")]
    found = services.asked_for(blocks, ["ssh.service", "postgresql@*-main.service"])
    assert [block["Id"] for block in found] == ["ssh.service", "postgresql@15-main.service"]


def test_a_service_and_what_it_uses():
    group = "/sys/fs/cgroup/lanpi.slice/ejabberd.service"
    source = Files(
        {
            f"{group}/cgroup.procs": "0\n12\n13\n",
            f"{group}/io.stat": "179:0 rbytes=1 wbytes=4096 rios=1 wios=1 dbytes=0 dios=0\n252:0 wbytes=9999\n",
            "/proc/12/smaps_rollup": "00-ff ---p 0 0 0 [rollup]\nRss: 50 kB\nPss:              10 kB\n",
            "/proc/13/status": "VmRSS:\t      5 kB\n",
        }
    )
    blocks = services.for_this_machine(units.blocks(SHOW))[:1]
    [own] = [block["ControlGroup"] for block in blocks]
    found = services.services(source, blocks, {own: 1.0}, {own: 1.05}, 0.1)
    assert found == [
        {
            "unit": "ejabberd.service",
            "type": "notify",
            "active": "active",
            "sub": "running",
            "enabled": "enabled",
            "result": "",
            "since_epoch": 1795422564.0,
            "restarts": 2,
            "memory_bytes": 15 * 1024,
            "cpu_percent": 50.0,
            "written_bytes": 4096,
        }
    ]


def test_processor_time_is_read_of_services_in_slices_too():
    groups = {
        "/system.slice/ssh.service": 1_500_000,
        "/lanpi.slice/lanpi-im.slice/ejabberd.service": 3_000_000,
        "/lanpi.slice": 9_000_000,
    }
    files = Files({f"/sys/fs/cgroup{group}/cpu.stat": f"usage_usec {used}\nx 0\n" for group, used in groups.items()})
    assert services.group_cpu_seconds(files) == {
        "/system.slice/ssh.service": 1.5,
        "/lanpi.slice/lanpi-im.slice/ejabberd.service": 3.0,
    }


def test_memory_that_systemd_accounts_is_taken_from_there():
    block = {"Id": "x", "MemoryCurrent": "4096", "ControlGroup": "/x"}
    assert services.services(Files({}), [block], {}, {}, 0)[0]["memory_bytes"] == 4096
    # What older versions print for "not set".
    block["MemoryCurrent"] = str(2**64 - 1)
    assert services.services(Files({}), [block], {}, {}, 0)[0]["memory_bytes"] is None


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0", "1.1"),
        ("1.0~rc1", "1.0"),
        ("1.0", "1.0a"),
        ("1.9", "1.10"),
        ("9.9", "1:0.1"),
        ("3.5.1-1", "3.5.1-1+deb13u1"),
        ("3.5.1-1+deb13u1", "3.5.1-1+deb13u2"),
        ("2.0-1~deb12u1", "2.0-1"),
        ("1.0+b1", "1.0.1"),
    ],
)
def test_versions_in_debians_order(older, newer):
    # Each of these was compared with dpkg --compare-versions.
    assert upkeep.compare_versions(older, newer) < 0 < upkeep.compare_versions(newer, older)
    assert upkeep.compare_versions(older, older) == 0


STATUS = "Package: openssl\nStatus: install ok installed\nVersion: 3.5.1-1\n\n"


def test_security_upgrades_are_those_of_installed_packages():
    name = "/var/lib/apt/lists/mirror.example_debian-security_dists_trixie-security_main_binary-arm64_Packages"
    offered = "Package: openssl\nVersion: 3.5.1-1+deb13u1\n\nPackage: nginx\nVersion: 9\n"
    source = Files({"/var/lib/dpkg/status": STATUS, name: offered})
    assert upkeep.security_updates(source) == ["openssl"]
    compressed = Files({"/var/lib/dpkg/status": STATUS, f"{name}.lz4": "\x04"}, {f"{name}.lz4": offered})
    assert upkeep.security_updates(compressed) == ["openssl"]
    assert upkeep.security_updates(Files({"/var/lib/dpkg/status": STATUS})) is None


@pytest.mark.parametrize(
    ("running", "kernels", "due"),
    [
        ("6.12.47+rpt-rpi-v8", ["6.12.47+rpt-rpi-2712", "6.12.47+rpt-rpi-v8"], False),
        ("6.12.47+rpt-rpi-v8", ["6.12.47+rpt-rpi-v8", "6.12.62+rpt-rpi-2712"], False),
        ("6.12.47+rpt-rpi-v8", ["6.12.47+rpt-rpi-v8", "6.12.62+rpt-rpi-v8"], True),
        ("6.12.48-amd64", ["6.12.48-amd64", "6.12.57-amd64"], True),
        ("6.1.0-host", [], False),
    ],
)
def test_a_newer_kernel_of_the_same_kind_asks_for_a_reboot(running, kernels, due):
    assert bool(upkeep.newer_kernel(running, kernels)) is due


def test_the_backups_own_word_and_a_broken_one():
    good = '{"last_success": "2026-11-23T02:00:00Z", "last_verified": null, "key_saved": true, "last_error": ""}'
    assert upkeep.backup(Files({upkeep.BACKUP: good})) == {
        "last_success": "2026-11-23T02:00:00Z",
        "last_verified": "",
        "key_saved": True,
        "last_error": "",
    }
    broken = upkeep.backup(Files({upkeep.BACKUP: "{"}))
    assert broken is not None
    assert "cannot be read" in broken["last_error"]
    assert upkeep.backup(Files({})) is None


def test_compressed_swap():
    files = {
        "/proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 400 kB\n",
        "/proc/swaps": "Filename Type Size Used Priority\n/dev/zram0 partition 512 100 9\n/dev/sda9 file 9 9 1\n",
        "/dev/zram0": "",
        "/sys/block/zram0/mm_stat": "90000 30000 32768 0 0 0 0 0\n",
    }
    found = board.memory(Files(files), 1024000)
    assert found["memory_available_bytes"] == 400 * 1024
    assert (found["swap_total_bytes"], found["swap_used_bytes"]) == (512 * 1024, 100 * 1024)
    assert (found["zram_original_bytes"], found["zram_used_bytes"]) == (90000, 32768)


def test_a_containers_cap_is_its_memory():
    files = {
        "/sys/fs/cgroup/memory.max": "1000000\n",
        "/sys/fs/cgroup/memory.current": "600000\n",
        "/sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 100000\n",
        "/proc/meminfo": "MemAvailable: 99999 kB\n",
    }
    assert board.memory(Files(files), 1000000)["memory_available_bytes"] == 500000


def test_a_container_is_as_old_as_its_first_process():
    stat = "1 (init (x)) S 0 1 1 0 -1 0 0 0 0 0 1 1 1 1 20 0 1 0 350000 1 1"
    assert board.uptime_seconds(Files({"/proc/uptime": "5000.0 1.0", "/proc/1/stat": stat})) == 1500.0
    assert board.uptime_seconds(Files({})) is None


def test_messages_are_counted_once_for_each_side_and_accounts_once(tmp_path):
    path = str(tmp_path / "ejabberd.db")
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE archive (username, server_host, timestamp, xml, kind)")
    database.execute("CREATE TABLE users (username, type, server_host)")
    for name, kind in (("alice", 1), ("alice", 3), ("bob", 3)):
        database.execute("INSERT INTO users VALUES (?, ?, 'pi.local')", (name, kind))
    now = time.time()

    def keep(owner: str, sender: str, age: float, kind: str = "chat") -> None:
        xml = f"<message to='x' from='{sender}@pi.local/phone'><body>from='{owner}@pi.local</body></message>"
        row = (owner, "pi.local", int((now - age) * 1e6), xml, kind)
        database.execute("INSERT INTO archive VALUES (?, ?, ?, ?, ?)", row)

    for owner in ("alice", "bob"):
        keep(owner, "alice", 5)
        keep(owner, "alice", 300)
        keep(owner, "room", 5, "groupchat")
    database.commit()
    counted = {"registered": 2, "sent": 1, "received": 1}
    assert im.counts(path, "pi.local", now, 60) == counted
    assert im.counts(path, "pi.local", now, 600) == counted | {"sent": 2, "received": 2}
    database.close()
    # Closed by its server: opening it now would make files that the server could not open.
    assert im.counts(path, "pi.local", now, 60) == dict.fromkeys(counted)


def test_the_domain_in_lanpis_own_configuration():
    assert im.domain_of("# x\ndomain: two.local\nadmin: a\n") == "two.local"
    assert im.domain_of(None) == "localhost"


def test_what_the_roles_run_is_watched():
    units = watched_units()
    assert {"ejabberd.service", "redis-server.service", "lanpi-tls.timer"} <= set(units)
    assert "bluetooth.service" not in units
    assert "postgresql@*-main.service" in units
