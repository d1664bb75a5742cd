"""What virtual Pis decide before anything is touched."""

import pytest

from lanpi.errors import ExitCode, LanpiError
from lanpi.virtual import cgroup, container, image, models, network, operator_apt, record, requirements, supervisor

MIB = 1024 * 1024
EVERYTHING = {"platform": "linux", "user_id": 0, "find_program": lambda name: f"/bin/{name}", "keyring_there": True}


def test_nothing_is_missing_where_all_is_there():
    assert requirements.missing_requirements(**EVERYTHING) == ((), ())


@pytest.mark.parametrize(
    ("change", "missing", "packages"),
    [
        ({"user_id": 1000}, ("root (run the command with sudo)",), ()),
        ({"platform": "darwin"}, ("Linux (virtual Pis are Linux containers)",), ()),
        ({"keyring_there": False}, ("Debian's archive keys",), ("debian-archive-keyring",)),
        (
            {"find_program": lambda name: None if name in ("nft", "systemd-nspawn") else name},
            ("systemd-nspawn", "nft"),
            ("nftables", "systemd-container"),
        ),
        (
            {"find_program": lambda name: None if name.startswith("ssh") else name},
            ("ssh", "ssh-keygen"),
            ("openssh-client",),
        ),
    ],
)
def test_what_is_missing_is_named_with_its_package(change, missing, packages):
    assert requirements.missing_requirements(**{**EVERYTHING, **change}) == (missing, packages)


@pytest.mark.parametrize("name", ["pi", "a", "pi-2", "a23456789012345"])
def test_names(name):
    assert record.check_name(name) == name


@pytest.mark.parametrize("name", ["", "2pi", "Pi", "pi_2", "pi-", "../x", "a234567890123456", "pi\n"])
def test_bad_names(name):
    with pytest.raises(LanpiError) as caught:
        record.check_name(name)
    assert caught.value.exit_code == ExitCode.BAD_INPUT


def test_unknown_model_and_suite():
    for call in (lambda: models.find_model("2b"), lambda: models.check_suite("buster")):
        with pytest.raises(LanpiError) as caught:
            call()
        assert caught.value.exit_code == ExitCode.BAD_INPUT


TARGETS = """https://mirror.example/other|stable|main|Someone|Someone
http://mirror.example/debian/|bookworm-backports|main|Debian|Debian Backports
http://mirror.example/debian-security/|bookworm-security|main|Debian|Debian-Security
http://mirror.example/debian/|bookworm|contrib|Debian|Debian
http://mirror.example/debian/|bookworm|main|Debian|Debian
"""


def test_the_archives_of_this_machine():
    found = operator_apt.parse_archives(TARGETS)
    assert found == ("http://mirror.example/debian", "http://mirror.example/debian-security")


def test_the_archives_before_the_first_update():
    unknown = "http://m/debian|trixie|main|$(ORIGIN)|$(LABEL)\nhttp://m/sec|trixie-security|main|$(ORIGIN)|$(LABEL)\n"
    assert operator_apt.parse_archives(unknown) == ("http://m/debian", "http://m/sec")


def test_no_security_archive_is_said():
    with pytest.raises(LanpiError, match="no Debian security archive") as caught:
        operator_apt.parse_archives("http://m/debian|trixie|main|Debian|Debian\n")
    assert caught.value.exit_code == ExitCode.MISSING


def test_only_what_reaches_the_mirror_is_carried_over():
    dump = (
        'Acquire "";\nAcquire::Check-Date "false";\nAcquire::http::Proxy "http://10.1.2.3:3142";\n'
        'Acquire::https::Proxy "http://127.0.0.1:3142";\nAcquire::Languages:: "none";\n'
        'Acquire::GzipIndexes "true";\nDPkg::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb || true";\n'
    )
    assert operator_apt.parse_options(dump) == (
        'Acquire::Check-Date "false";',
        'Acquire::http::Proxy "http://10.1.2.3:3142";',
    )


def test_a_different_recipe_is_a_different_image():
    apt = operator_apt.OperatorApt("http://m/debian", "http://m/security", (), ())
    trixie, bookworm = image.recipe_for("trixie", apt), image.recipe_for("bookworm", apt)
    assert trixie.digest == image.recipe_for("trixie", apt).digest
    assert trixie.digest != bookworm.digest
    assert "Suites: bookworm bookworm-updates\n" in image.render_sources(bookworm)
    assert "backports" not in image.render_sources(trixie)


def test_a_subnet_that_nobody_uses():
    assert network.choose_subnet(["192.0.2.0/24"]) == "10.213.47.0/24"
    assert network.choose_subnet(["10.213.0.0/16"]) == "10.181.93.0/24"
    with pytest.raises(LanpiError):
        network.choose_subnet(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])


def test_the_lowest_free_address():
    assert network.choose_address("10.213.47.0/24", {"10.213.47.10", "10.213.47.12"}) == "10.213.47.11"
    assert network.gateway("10.213.47.0/24") == "10.213.47.1"
    assert network.hardware_address("10.213.47.11") == "02:00:0a:d5:2f:0b"
    full = {f"10.213.47.{number}" for number in range(10, 255)}
    with pytest.raises(LanpiError):
        network.choose_address("10.213.47.0/24", full)


def test_nameservers_that_a_pi_can_reach():
    text = "search home\nnameserver 127.0.0.53\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\noptions x\n"
    assert network.parse_nameservers(text) == ("192.0.2.1",)


def test_the_uplinks_mtu():
    assert network.uplink_mtu_of('[{"dst":"default","dev":"eth0"}]', {"eth0": 1400, "lo": 65536}) == 1400
    assert network.uplink_mtu_of("[]", {"eth0": 1400}) == 1500


MOUNTS_HYBRID = """30 29 0:27 / /sys/fs/cgroup/cpuset rw,relatime shared:5 - cgroup cgroup rw,cpuset
31 29 0:28 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
32 29 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 29 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
MOUNTS_UNIFIED = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_where_control_groups_are():
    hybrid = cgroup.parse_mounts(MOUNTS_HYBRID)
    assert [str(path) for path in (hybrid.unified, hybrid.memory, hybrid.cpuset, hybrid.cpu)] == [
        "/sys/fs/cgroup/unified",
        "/sys/fs/cgroup/memory",
        "/sys/fs/cgroup/cpuset",
        "/sys/fs/cgroup/cpu,cpuacct",
    ]
    unified = cgroup.parse_mounts(MOUNTS_UNIFIED)
    assert (str(unified.unified), unified.memory, unified.cpuset, unified.cpu) == ("/sys/fs/cgroup", *[None] * 3)


def test_cores_only_where_the_machine_has_more():
    assert cgroup.choose_cores(4, [0, 1], seed=10) is None
    assert cgroup.choose_cores(4, [0, 1, 2, 3], seed=10) is None
    assert cgroup.choose_cores(4, [0, 1, 2, 3, 6, 7], seed=11) == "7,0,1,2"


def test_other_lines_of_hosts_are_left_alone():
    own = container.render_hosts("one", {"two": "10.0.0.2"}) + "192.0.2.9 printer\n"
    changed = container.replace_neighbours(own, {"three": "10.0.0.3"})
    assert "two" not in changed
    assert "10.0.0.3\tthree" in changed
    assert "192.0.2.9 printer\n" in changed
    assert container.replace_neighbours(changed, {"three": "10.0.0.3"}) == changed


@pytest.mark.parametrize(
    ("mask", "may"), [("000001ffffffffff", True), ("000001fffeffffff", False), ("0000000000000000", False)]
)
def test_who_may_lower_the_oom_score(mask, may):
    assert container.may_lower_oom_score(f"Name:\tx\nCapEff:\t{mask}\n") is may


HOST_MEMINFO = "MemTotal: 24684096 kB\nMemFree: 20000000 kB\nSwapTotal: 100 kB\nSwapFree: 60 kB\n"


def test_meminfo_is_about_the_pi():
    stat = {"total_cache": 200 * MIB, "total_inactive_file": 100 * MIB, "total_active_file": 60 * MIB}
    text = supervisor.render_meminfo(HOST_MEMINFO, 1024 * MIB, 424 * MIB, stat)
    values = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()}
    assert values["MemTotal"] == 1024 * 1024
    assert values["MemFree"] == 600 * 1024
    assert values["MemAvailable"] == (600 + 100 + 30) * 1024
    assert values["SwapFree"] == 60
    assert len({len(line) for line in text.splitlines()}) == 1


def test_meminfo_of_the_newer_controller_and_over_the_limit():
    text = supervisor.render_meminfo(HOST_MEMINFO, 512 * MIB, 513 * MIB, {"file": MIB, "anon": 500 * MIB})
    values = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()}
    assert (values["MemFree"], values["MemAvailable"], values["AnonPages"]) == (0, 0, 500 * 1024)
