"""What can be done with virtual Pis: make, start, stop, cut the power, list, remove."""

import ipaddress
import secrets
import shutil
import socket
import string
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from lanpi.errors import ExitCode, LanpiError
from lanpi.virtual import archives, container, image, network, record
from lanpi.virtual.cgroup import Group
from lanpi.virtual.models import DEFAULT_MODEL, DEFAULT_SUITE, check_suite, find_model
from lanpi.virtual.operator_apt import read_operator_apt
from lanpi.virtual.record import KEY, STATE, VirtualPi, get
from lanpi.virtual.requirements import check_requirements
from lanpi.virtual.shell import file_lock, run, wait_until


def _quiet(_step: str) -> None:
    pass


def _global_lock() -> AbstractContextManager[None]:
    return file_lock(STATE / "lock")


def _pi_lock(name: str) -> AbstractContextManager[None]:
    return file_lock(STATE / "locks" / record.check_name(name))


def list_all() -> list[VirtualPi]:
    """All virtual Pis of this machine, by name."""
    return record.load_all()


def up(
    name: str = "pi",
    *,
    model: str | None = None,
    suite: str | None = None,
    passwordless_sudo: bool = False,
    card_mb: int | None = None,
    on_step: Callable[[str], None] = _quiet,
) -> VirtualPi:
    """A running virtual Pi of that name: made, started, or left alone where it runs already.

    Args:
        name: host name; see ``record.check_name``.
        model: a key of ``MODELS``; for a Pi that exists None means what it is.
        suite: trixie or bookworm; likewise.
        passwordless_sudo: sudo asks for no password.
        card_mb: size of the card in MB; None: as large as this machine's disk.
        on_step: told what happens, in one line each.

    Raises:
        LanpiError: MISSING (this machine lacks something), BAD_INPUT (an unknown name, model or suite, or one that
            the existing Pi of this name does not have), FAILED (it does not boot).
    """
    record.check_name(name)
    wanted_model = find_model(model or DEFAULT_MODEL).name
    wanted_suite = check_suite(suite or DEFAULT_SUITE)
    check_requirements()
    with _pi_lock(name):
        existing = record.load(name)
        if existing is not None and not existing.host_key:
            _destroy(existing)  # an `up` was killed before it was done
            existing = None
        if existing is not None:
            _check_same(existing, model, suite)
            return existing if existing.running else _boot(existing, on_step)
        recipe = image.recipe_for(wanted_suite, read_operator_apt())
        base = image.ensure_image(recipe, {pi.base for pi in record.load_all()}, on_step)
        on_step(f"Creating virtual Pi {name} ({wanted_model}, {wanted_suite})")
        pi = _create(name, wanted_model, wanted_suite, base, passwordless_sudo, card_mb)
        try:
            _prepare(pi)
            return _boot(pi, on_step)
        except BaseException:  # Ctrl-C included: half a Pi must not stay
            _destroy(pi)
            raise


def start(name: str, *, on_step: Callable[[str], None] = _quiet) -> VirtualPi:
    """Start a stopped Pi again; one that runs is left alone.

    Raises:
        LanpiError: BAD_INPUT when there is none, FAILED when it does not boot.
    """
    check_requirements()
    with _pi_lock(name):
        pi = get(name)
        if not pi.host_key:
            raise LanpiError(
                "this virtual Pi was not completely created",
                host=name,
                next_step=f"Run: lanpi virtual up {name}",
                exit_code=ExitCode.BAD_INPUT,
            )
        return pi if pi.running else _boot(pi, on_step)


def move(name: str, model: str, *, on_step: Callable[[str], None] = _quiet) -> VirtualPi:
    """Put its card into a Pi of another model: shut down in order, and started there.

    Raises:
        LanpiError: BAD_INPUT when there is no such Pi or model, FAILED when it does not boot.
    """
    wanted = find_model(model).name
    check_requirements()
    with _pi_lock(name):
        pi = get(name)
        if pi.running:
            on_step(f"Shutting down {name}")
            container.stop(pi)
        return _boot(record.update(get(name), model=wanted), on_step)


def kill(name: str) -> VirtualPi:
    """Cut its power: every process ends at once, files stay as they are.

    What the Pi's programs had written but not synced is still there, unlike on a real card.
    """
    check_requirements()
    with _pi_lock(name):
        return container.cut_power(get(name))


def reboot(name: str, *, on_step: Callable[[str], None] = _quiet) -> VirtualPi:
    """Reboot it in order and wait until it is back.

    Raises:
        LanpiError: BAD_INPUT when there is none, FAILED when it does not run or come back.
    """
    check_requirements()
    with _pi_lock(name):
        pi = get(name)
        before = pi.leader_pid
        container.inside(pi, ["systemctl", "--no-block", "reboot"])
        on_step(f"Rebooting {name}")
        if not wait_until(lambda: pi.leader_pid not in (before, None), seconds=container.POWEROFF_SECONDS * 2):
            raise LanpiError("it did not reboot", host=name, next_step=f"See {pi.console}")
        wait_ready(pi)
        return pi


def down(name: str) -> None:
    """Shut it down and remove all of it; the network too, with the last one.

    Raises:
        LanpiError: BAD_INPUT when there is none.
    """
    check_requirements()
    with _pi_lock(name):
        pi = get(name)
        container.stop(pi)
        _destroy(pi)


def wait_ready(pi: VirtualPi, *, seconds: float = container.BOOT_SECONDS) -> None:
    """Return once all its services have started (or failed) and sshd answers.

    Raises:
        LanpiError: FAILED when that takes longer, with the end of its console.
    """
    seen = "no answer"

    def ready() -> bool:
        nonlocal seen
        if not pi.running:
            return True
        if pi.leader_pid is None:
            return False
        try:
            state = container.inside(pi, ["systemctl", "is-system-running"], check=False).strip()
        except LanpiError as error:  # it went away between the two lines
            seen = error.what
            return False
        seen = state or seen
        return state in ("running", "degraded") and _sshd_answers(pi.address)

    if not wait_until(ready, seconds=seconds) or not pi.running:
        tail = pi.console.read_text(errors="replace").splitlines()[-5:] if pi.console.exists() else []
        raise LanpiError(f"it did not boot in {seconds:g} s ({seen}): {' / '.join(tail)}", host=pi.name)


def _sshd_answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            connection.settimeout(5)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _check_same(pi: VirtualPi, model: str | None, suite: str | None) -> None:
    for what, wanted, has in (("model", model, pi.model), ("suite", suite, pi.suite)):
        if wanted is not None and wanted != has:
            raise LanpiError(
                f"virtual Pi {pi.name!r} already exists with {what} {has}, not {wanted}",
                next_step=f"Remove it first with: lanpi virtual down {pi.name}. Or choose another name",
                exit_code=ExitCode.BAD_INPUT,
            )


def _create(name: str, model: str, suite: str, base: Path, passwordless_sudo: bool, card_mb: int | None) -> VirtualPi:
    """Reserve name and address, with the network under them."""
    leftover = record.folder(name)
    if leftover.exists():  # without a record: a `down` was killed before it was done
        container.unmount(leftover)
        shutil.rmtree(leftover)
    with _global_lock():
        if not KEY.exists():
            KEY.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lanpi virtual Pis", "-f", str(KEY)])
        subnet = network.ensure()
        taken = {pi.address for pi in record.load_all()}
        alphabet = string.ascii_letters + string.digits
        pi = VirtualPi(
            name=name, model=model, suite=suite,
            address=network.choose_address(subnet, taken), user=image.USER,
            password="".join(secrets.choice(alphabet) for _ in range(16)), key_path=str(KEY), host_key="",
            base=str(base), card_mb=card_mb, passwordless_sudo=passwordless_sudo, memory_capped=False,
            supervisor_pid=0, supervisor_start=0,
        )  # fmt: skip
        return record.save(pi)


def _prepare(pi: VirtualPi) -> None:
    """What the imager would put on the card: name, network, login, key."""
    container.create_disk(pi)
    container.mount(pi)
    root = pi.root
    with _global_lock():
        subnet = network.ensure()
    (root / "etc/hostname").write_text(f"{pi.name}\n")
    (root / "etc/hosts").write_text(container.render_hosts(pi.name, {}))
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    servers = network.upstream_nameservers()
    (root / "etc/resolv.conf").write_text("".join(f"nameserver {server}\n" for server in servers))
    prefix = ipaddress.ip_network(subnet).prefixlen
    (root / "etc/systemd/network").mkdir(parents=True, exist_ok=True)
    (root / "etc/systemd/network/10-host0.network").write_text(
        f"[Match]\nName=host0\n\n[Link]\nMACAddress={network.hardware_address(pi.address)}\n"
        # The bridge forwards nothing larger; a Pi that announces more never gets its large packets.
        f"MTUBytes={network.uplink_mtu()}\n\n"
        f"[Network]\nAddress={pi.address}/{prefix}\nGateway={network.gateway(subnet)}\n"
        "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )
    # On stdin, so that no process list ever shows it.
    run(["chroot", str(root), "chpasswd"], stdin=f"{pi.user}:{pi.password}\n")
    home = root / "home" / pi.user
    (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    (home / ".ssh/authorized_keys").write_text(KEY.with_suffix(".pub").read_text())
    (home / ".ssh/authorized_keys").chmod(0o600)
    run(["chroot", str(root), "chown", "-R", f"{pi.user}:", f"/home/{pi.user}/.ssh"])
    if pi.passwordless_sudo:
        rule = root / "etc/sudoers.d/010_pi-nopasswd"
        rule.write_text(f"{pi.user} ALL=(ALL) NOPASSWD: ALL\n")
        rule.chmod(0o440)
    for other in record.load_all():
        if other.suite == pi.suite:
            archives.harvest(other)
    archives.seed(pi)


def _boot(pi: VirtualPi, on_step: Callable[[str], None]) -> VirtualPi:
    with _global_lock():
        network.ensure()
    on_step(f"Booting {pi.name} at {pi.address}")
    if Path(f"/sys/class/net/vb-{pi.name}").exists() or Group(pi.name).processes():
        container.cut_power(pi)  # left by a supervisor that was killed
    pi = container.start(pi)
    wait_ready(pi)
    host_key = " ".join((pi.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2])
    pi = record.update(pi, host_key=host_key)
    pi.known_hosts.write_text(f"{pi.address} {host_key}\n")
    _introduce()
    return pi


def _introduce() -> None:
    """Tell every mounted Pi the names of the others."""
    with _global_lock():
        everybody = record.load_all()
        for pi in everybody:
            hosts = pi.root / "etc/hosts"
            if not hosts.exists():
                continue
            others = {other.name: other.address for other in everybody if other.name != pi.name}
            before = hosts.read_text()
            after = container.replace_neighbours(before, others)
            if after != before:
                temporary = hosts.with_name("hosts.lanpi-virtual")
                temporary.write_text(after)
                temporary.chmod(0o644)
                temporary.replace(hosts)


def _destroy(pi: VirtualPi) -> None:
    container.cut_power(pi)
    archives.harvest(pi)
    container.unmount(pi.folder)
    shutil.rmtree(pi.folder)
    with _global_lock():
        if not record.load_all():
            network.remove()
    _introduce()
