"""One virtual Pi's container: its file system, its processes, its end."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from lanpi.errors import LanpiError
from lanpi.virtual import record, supervisor
from lanpi.virtual.cgroup import Group, choose_cores
from lanpi.virtual.models import MODELS
from lanpi.virtual.record import VirtualPi
from lanpi.virtual.shell import run, wait_until

FAKES_INSIDE = "/run/host/lanpi-fake"  # under nspawn's own /run/host, out of the way of the Pi's folders
MARK = "# other virtual Pis"
BOOT_SECONDS = 90.0
POWEROFF_SECONDS = 30.0


def nspawn_argv(pi: VirtualPi) -> list[str]:
    """The systemd-nspawn command that boots a Pi."""
    fakes = pi.folder / "fake"
    argv = [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
        f"--machine={pi.name}", f"--hostname={pi.name}", f"--directory={pi.root}",
        "--network-bridge=lanpi0", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
        "--system-call-filter=@swap", "--console=read-only",
        f"--bind-ro={fakes}:{FAKES_INSIDE}",
    ]  # fmt: skip
    # fake/proc and fake/sys/class need the supervisor's help; see there.
    argv.append(f"--bind-ro={fakes / 'sys/firmware'}:/sys/firmware")
    return argv


def render_hosts(name: str, others: dict[str, str]) -> str:
    """A Pi's /etc/hosts: Debian's own lines, then the other Pis.

    Args:
        name: this Pi.
        others: name -> address.
    """
    lines = ["127.0.0.1\tlocalhost", "::1\t\tlocalhost ip6-localhost ip6-loopback", "ff02::1\t\tip6-allnodes",
             "ff02::2\t\tip6-allrouters", "", f"127.0.1.1\t{name}"]  # fmt: skip
    return "\n".join(lines) + "\n" + render_neighbours(others)


def render_neighbours(others: dict[str, str]) -> str:
    """The marked lines that name the other Pis."""
    return "".join(f"{address}\t{name}\t{MARK}\n" for name, address in sorted(others.items()))


def replace_neighbours(hosts: str, others: dict[str, str]) -> str:
    """An /etc/hosts with its marked lines replaced and every other line left alone."""
    kept = [line for line in hosts.splitlines(keepends=True) if not line.rstrip().endswith(MARK)]
    return "".join(kept) + render_neighbours(others)


def may_lower_oom_score(status: str) -> bool:
    """Whether a process with this /proc/PID/status holds CAP_SYS_RESOURCE (24, capabilities(7))."""
    effective = re.search(r"^CapEff:\s+([0-9a-f]+)$", status, re.MULTILINE)
    return effective is not None and bool(int(effective[1], 16) >> 24 & 1)


def create_disk(pi: VirtualPi) -> None:
    """Make the folders, and the card where the Pi has one of a given size."""
    for name in ("root", "disk", "fake/proc", "fake/sys/firmware/devicetree/base"):
        (pi.folder / name).mkdir(mode=0o755, parents=True, exist_ok=True)
    # As the firmware writes it: ended by a NUL.
    title = MODELS[pi.model].title
    (pi.folder / "fake/sys/firmware/devicetree/base/model").write_bytes(title.encode() + b"\0")
    if pi.card_mb is not None:
        card = pi.folder / "card.img"
        with card.open("wb") as handle:
            handle.truncate(pi.card_mb * 1024 * 1024)
        run(["mkfs.ext4", "-q", "-m", "0", str(card)])


def mount(pi: VirtualPi) -> None:
    """Mount its file system, if this process's mount namespace has not got it yet.

    Raises:
        LanpiError: FAILED when the kernel refuses.
    """
    if os.path.ismount(pi.root):
        return
    disk = pi.folder / "disk"
    if pi.card_mb is not None and not os.path.ismount(disk):
        run(["mount", "-o", "loop", str(pi.folder / "card.img"), str(disk)])
    for name in ("upper", "work"):
        (disk / name).mkdir(exist_ok=True)
    layers = f"lowerdir={pi.base},upperdir={disk / 'upper'},workdir={disk / 'work'}"
    run(["mount", "-t", "overlay", f"lanpi-{pi.name}", "-o", layers, str(pi.root)])


def unmount(folder: Path) -> None:
    """Unmount what a Pi's folder has mounted; nothing when nothing is."""
    for path in (folder / "root", folder / "disk"):
        if os.path.ismount(path):
            # Killed processes let go of their files a moment after they are gone from /proc.
            last: list[str] = []

            def tried(path: Path = path, last: list[str] = last) -> bool:
                try:
                    run(["umount", str(path)])
                except LanpiError as error:
                    last[:] = [error.what]
                    return False
                return True

            if not wait_until(tried, seconds=10):
                raise LanpiError(f"cannot unmount {path}: {last[0]}")


def start(pi: VirtualPi) -> VirtualPi:
    """Start the container and return the Pi with its supervisor; the boot goes on after that."""
    mount(pi)
    group = Group(pi.name)
    model = MODELS[pi.model]
    # Should the Pi's memory run out, the kernel must choose inside the Pi, not nspawn around it. Lowering
    # a score takes a capability that root has not got on every machine.
    protected = may_lower_oom_score(Path("/proc/self/status").read_text())
    cores = choose_cores(model.cores, sorted(os.sched_getaffinity(0)), int(pi.address.rpartition(".")[2]))
    capped = group.create(model.memory_bytes, cores)
    order = {
        "argv": nspawn_argv(pi) + (["--oom-score-adjust=0"] if protected else []),
        "oom_score_adj": -1000 if protected else None,
        "environment": {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        "joins": group.joins(),
        "memory": group.memory_folder() if capped else "",
        "memory_bytes": model.memory_bytes,
        "fakes": str(pi.folder / "fake"),
        "fakes_inside": FAKES_INSIDE,
    }
    with pi.console.open("ab") as console:
        # A session of its own: it outlives this command and no Ctrl-C of the terminal reaches it.
        process = subprocess.Popen(
            [sys.executable, "-I", str(Path(supervisor.__file__)), json.dumps(order)],
            stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True, cwd="/",
        )  # fmt: skip
    return record.update(
        pi, supervisor_pid=process.pid, supervisor_start=record.start_ticks(process.pid), memory_capped=capped
    )


def inside(pi: VirtualPi, argv: list[str], *, check: bool = True, timeout_seconds: float = 30) -> str:
    """Run a command as root in the running Pi, without its SSH.

    Raises:
        LanpiError: FAILED when the Pi does not run or the command fails.
    """
    leader = pi.leader_pid
    if leader is None:
        raise LanpiError("the virtual Pi is not running", host=pi.name, next_step=f"Run: lanpi virtual start {pi.name}")
    enter = ["nsenter", "-t", str(leader), "-m", "-u", "-i", "-n", "-p", "-C", "--"]
    return run([*enter, *argv], check=check, timeout_seconds=timeout_seconds)


def stop(pi: VirtualPi) -> VirtualPi:
    """Shut down in order, then by force after a deadline; everything of it is gone afterwards."""
    if pi.running and pi.leader_pid is not None:
        inside(pi, ["systemctl", "--no-block", "poweroff"], check=False)
        wait_until(lambda: not pi.running, seconds=POWEROFF_SECONDS)
    return cut_power(pi)


def cut_power(pi: VirtualPi) -> VirtualPi:
    """End every process of it at once, with no chance to clean up; its files stay as they are."""
    supervisor_pid = pi.supervisor_pid if pi.running else 0
    if supervisor_pid:
        os.kill(supervisor_pid, 9)  # first: it must not start the Pi again
    group = Group(pi.name)
    group.kill()
    group.remove()
    if not wait_until(lambda: not pi.running, seconds=10):
        raise LanpiError(f"the supervisor of virtual Pi {pi.name} did not end on SIGKILL")
    link = Path(f"/sys/class/net/vb-{pi.name}")
    # The kernel takes the cable's outer end away a moment after the Pi's own end went.
    wait_until(lambda: not link.exists(), seconds=5)
    if link.exists():
        run(["ip", "link", "delete", link.name], check=False)
    return record.update(pi, supervisor_pid=0, supervisor_start=0)
