"""``lanpi status`` on a Pi that works and on the same Pi as it breaks; each test repairs what it broke."""

import asyncio
import json
import time

import pytest

from lanpi import virtual
from lanpi.pi.xmpp.client import Client, Login, StanzaFailed

from .websocket_peer import websocket_login

RESTART_SECONDS = 120


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("status", model="4-2g")


@pytest.fixture(scope="module")
def target(pi):
    return f"virtual:{pi.name}"


@pytest.fixture(scope="module")
def bare(pi, target, lanpi):
    """The status of a Pi that has nothing of lanpi yet."""
    return lanpi("status", target, "--json")


@pytest.fixture(scope="module")
def installed(bare, target, lanpi, tmp_path_factory):
    password = tmp_path_factory.mktemp("secrets") / "admin"
    done = lanpi("install", target, "--admin-password-file", str(password), timeout_seconds=600)
    assert done.returncode == 0, done.stderr


def levels(done):
    """Each line's colour, by its key."""
    return {line["key"]: line["level"] for line in json.loads(done.stdout)["targets"][0]["lines"]}


def until(look, wanted):
    """The first look that is as wanted."""
    deadline = time.monotonic() + RESTART_SECONDS
    while not wanted(found := look()):
        assert time.monotonic() < deadline, found.stdout + found.stderr
    return found


def test_without_lanpi_it_is_unknown(bare):
    assert bare.returncode == 3
    assert json.loads(bare.stdout)["targets"][0]["summary"] == "lanpi is not installed on this Pi"


def test_after_an_install_nothing_is_critical(installed, target, lanpi):
    done = lanpi("status", target, "--json")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(done.stdout)["targets"][0]
    readings = found["readings"]
    assert readings["is_root"] is True
    # The administrator's account; those of the install's proof are gone.
    assert (readings["people"]["registered"], readings["people"]["sessions"]) == (1, 0)
    assert 300 < readings["certificate_days_left"] < 400
    assert readings["logs_bytes"] > 0
    services = {service["unit"]: service for service in readings["services"]}
    assert services["ejabberd.service"]["active"] == "active"
    assert services["ejabberd.service"]["memory_bytes"] > 20_000_000
    assert services["ejabberd.service"]["written_bytes"] > 0


def test_people_read_the_same(installed, pi, target, lanpi):
    done = lanpi("status", target)
    assert "ejabberd" in done.stdout
    assert "0 of 1 online" in done.stdout
    assert f"{target}: " in done.stdout.splitlines()[0]


def test_an_ordinary_user_sees_what_there_is_to_see(installed, target, lanpi):
    done = lanpi("status", target, "--json", "--no-root")
    assert done.returncode in (0, 1), done.stderr
    found = levels(done)
    assert found["service:ejabberd.service"] == "ok"
    assert found["certificate"] == "ok"
    assert found["people"] == "unknown"


def test_prometheus(installed, target, lanpi):
    done = lanpi("status", target, "--prometheus")
    assert f'lanpi_service_active{{target="{target}",unit="ejabberd.service"}} 1\n' in done.stdout
    assert f'lanpi_people_registered{{target="{target}"}} 1\n' in done.stdout


def test_a_message_passes_between_the_pis_own_accounts(installed, pi, target, lanpi, on_pi):
    done = lanpi("status", target, "--deep", "--json")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = levels(done)
    assert found["deep"] == "ok"
    parts = {"deep:login", "deep:delivery", "deep:archive", "deep:websocket", "deep:web", "deep:reach"}
    assert parts <= set(found)
    after = json.loads(lanpi("status", target, "--json").stdout)["targets"][0]["readings"]["people"]
    assert after["registered"] == 1
    # No account was made for it: the only ones that ever were are those of the install's own proof.
    registered = on_pi(pi, "grep -c 'API call register ' /var/log/ejabberd/ejabberd.log", root=True, check=False)
    lanpi("status", target, "--deep")
    assert on_pi(pi, "grep -c 'API call register ' /var/log/ejabberd/ejabberd.log", root=True, check=False).stdout == (
        registered.stdout
    )


def test_a_server_that_takes_no_login_is_critical(installed, pi, target, lanpi, on_pi):
    # The port is shut from here: the service runs on, only the real message tells.
    on_pi(pi, "nft insert rule inet lanpi input tcp dport 5222 drop", root=True)
    try:
        done = lanpi("status", target, "--deep", "--json")
        assert done.returncode == 2, done.stdout + done.stderr
        assert levels(done)["deep"] == "critical"
        assert levels(done)["deep:reach"] == "critical"
        assert levels(done)["service:ejabberd.service"] == "ok"
    finally:
        on_pi(pi, "systemctl restart lanpi-firewall.service", root=True)


def check(on_pi, pi):
    """A check now rather than at the timer's next turn."""
    on_pi(pi, "systemctl reset-failed lanpi-check.service; systemctl start lanpi-check.service", root=True)


def test_the_pi_checks_itself_and_keeps_the_history(installed, pi, target, lanpi, on_pi, tmp_path):
    for _ in range(2):
        check(on_pi, pi)
    found = json.loads(lanpi("status", target, "--json", "--since", "1h").stdout)["targets"][0]
    line = next(line for line in found["lines"] if line["key"] == "availability")
    assert line["level"] == "ok", line
    history = found["readings"]["history"]
    # An earlier test had shut the port, and the timer may have looked just then.
    assert history["checks"] >= history["passed"] >= 2
    assert history["failing_since"] is None
    for part in ("login", "delivery", "archive", "websocket", "web"):
        assert history["latest_seconds"][part] > 0, part
    assert len(history["samples"]) >= 2
    drawn = lanpi("status", target, "--since", "24h").stdout
    assert "Checks passed, %  " in drawn
    assert "Memory available, MB" in drawn
    page = tmp_path / "page.html"
    assert lanpi("status", target, "--html", str(page)).returncode in (0, 1)
    assert "<svg" in page.read_text()


@pytest.fixture
def account(installed, pi, on_pi):
    """Name and password of one of the checks' accounts, as only root on the Pi can read them."""
    secrets = "/var/lib/lanpi/checks/accounts.json"
    assert on_pi(pi, f"stat -c %a {secrets}", root=True).stdout.strip() == "600"
    return next(iter(json.loads(on_pi(pi, f"cat {secrets}", root=True).stdout).items()))


@pytest.fixture
def ca(installed, pi, on_pi, tmp_path):
    path = tmp_path / "ca.crt"
    path.write_text(on_pi(pi, "cat /etc/lanpi/tls/ca.crt", root=True).stdout)
    return str(path)


def test_the_checks_accounts_are_nobodys(installed, target, lanpi):
    assert "lanpi-check" not in lanpi("user", "list", target).stdout
    refused = lanpi("user", "add", "lanpi-check-1", target, "--generate")
    assert refused.returncode == 2
    assert "is reserved" in refused.stderr


def test_the_checks_accounts_cannot_log_in_from_outside(account, ca, pi):
    name, password = account

    async def log_in():
        async with Client(Login(name, f"{pi.name}.local", password, pi.address, ca=ca)):
            pass

    with pytest.raises(StanzaFailed, match="not-allowed"):
        asyncio.run(log_in())


def test_nor_over_the_websocket(account, ca, pi):
    assert "<not-allowed" in websocket_login(pi.address, f"{pi.name}.local", ca, *account)


def test_a_check_writes_nothing_and_people_stay_in_the_log(installed, pi, target, lanpi, on_pi, ca, tmp_path):
    """Of ejabberd; the history itself is written once an hour."""
    wrote = "awk '/^write_bytes/ {sum += $2} END {print sum}' /proc/$(pgrep -u ejabberd -o beam)/io"
    check(on_pi, pi)  # the day's message is in the archive now
    # Redis and the database have settled when a second passes without a byte.
    settle = f'b=; while a=$({wrote}); [ "$a" != "$b" ]; do b=$a; sync; sleep 1; done; echo $a'
    before = on_pi(pi, settle, root=True).stdout
    for _ in range(3):
        check(on_pi, pi)
    assert on_pi(pi, settle, root=True).stdout == before
    password = tmp_path / "ida"
    lanpi("user", "add", "ida", target, "--generate", "--password-file", str(password))

    async def log_in():
        async with Client(Login("ida", f"{pi.name}.local", password.read_text().strip(), pi.address, ca=ca)):
            pass

    asyncio.run(log_in())
    on_pi(pi, "grep -q 'Accepted c2s .* authentication for ida@' /var/log/ejabberd/ejabberd.log", root=True)
    assert lanpi("user", "remove", "ida", target, "--yes").returncode == 0


def test_the_history_survives_a_reboot(installed, pi, target, lanpi):
    def first():
        return json.loads(lanpi("status", target, "--json").stdout)["targets"][0]["readings"]["history"]["first_epoch"]

    before = first()
    virtual.reboot(pi.name)
    assert first() == before


def test_several_at_once_with_one_that_is_not_there(installed, target, lanpi):
    done = lanpi("status", target, "nobody@127.0.0.1:9", "--json")
    assert done.returncode == 3
    assert [found["verdict"] == "unknown" for found in json.loads(done.stdout)["targets"]] == [False, True]


def test_a_server_that_was_stopped_is_critical(installed, pi, target, lanpi, on_pi):
    on_pi(pi, "systemctl stop ejabberd.service", root=True)
    try:
        done = lanpi("status", target, "--json")
        assert done.returncode == 2
        assert levels(done)["service:ejabberd.service"] == "critical"
        # Known all the same: out of the authority's file.
        assert levels(done)["certificate"] == "ok"
        check(on_pi, pi)
        done = lanpi("status", target, "--json")
        assert levels(done)["availability"] == "critical"
        line = next(line for line in json.loads(done.stdout)["targets"][0]["lines"] if line["key"] == "availability")
        assert line["text"].startswith("no, for ")
    finally:
        on_pi(pi, "systemctl start ejabberd.service", root=True)
    check(on_pi, pi)
    history = json.loads(lanpi("status", target, "--json").stdout)["targets"][0]["readings"]["history"]
    assert history["failing_since"] is None
    assert history["passed"] < history["checks"]


def test_a_server_that_fell_is_said_to_have_been_restarted(installed, pi, target, lanpi, on_pi):
    on_pi(pi, "systemctl kill --signal=KILL ejabberd.service", root=True)

    def back(done):
        services = json.loads(done.stdout)["targets"][0]["readings"]["services"]
        return any(each["unit"] == "ejabberd.service" and each["active"] == "active" and each["restarts"]
                   for each in services)  # fmt: skip

    done = until(lambda: lanpi("status", target, "--json"), back)
    assert done.returncode == 1
    assert levels(done)["service:ejabberd.service"] == "warning"
    on_pi(pi, "systemctl restart ejabberd.service", root=True)
