"""The base image: a small Debian much like a fresh Raspberry Pi OS Lite, made once per suite."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from lanpi.virtual.operator_apt import OperatorApt
from lanpi.virtual.record import CACHE
from lanpi.virtual.shell import file_lock, run

USER = "pi"
# The part of Raspberry Pi OS Lite that a message server's machine could meet; no Python packages.
PACKAGES = (
    "apt-utils", "ca-certificates", "cron", "dbus", "debian-archive-keyring", "iproute2", "iputils-ping",
    "kmod", "less", "libpam-systemd", "logrotate", "nano", "netbase", "openssh-server", "procps",
    "python3", "sudo", "systemd", "systemd-sysv", "systemd-timesyncd", "tzdata",
)  # fmt: skip
# What a suite has beyond that: since trixie the kernel settings that let users ping are a package.
_SUITE_PACKAGES = {"trixie": ("linux-sysctl-defaults",)}
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BUILD_SECONDS = 900
_IMAGE_NAME = re.compile(r"[a-z]+-[0-9a-f]{12}")

# As on Raspberry Pi OS: the image has no host keys, each card makes its own at first boot.
_HOST_KEYS_UNIT = """[Unit]
Description=Regenerate SSH host keys
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
"""
# One line, as the firmware demands; what Raspberry Pi Imager leaves on a card.
_CMDLINE = (
    "console=serial0,115200 console=tty1 root=PARTUUID=9f3b2c11-02 rootfstype=ext4 fsck.repair=yes "
    "rootwait cfg80211.ieee80211_regdom=GB\n"
)
_CONFIG = "dtparam=audio=on\narm_64bit=1\n\n[all]\n"


@dataclass(frozen=True)
class Recipe:
    """All that decides what is in a base image; a different recipe is a different image."""

    suite: str
    archive: str
    security: str
    options: tuple[str, ...]
    certificates: tuple[str, ...]
    packages: tuple[str, ...]
    files: str = _HOST_KEYS_UNIT + _CMDLINE + _CONFIG
    revision: int = 1  # raise it when the code below changes what it makes

    @property
    def digest(self) -> str:
        """Short name of this recipe."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    @property
    def path(self) -> Path:
        """Where the image is, or will be."""
        return CACHE / f"{self.suite}-{self.digest}"


def recipe_for(suite: str, apt: OperatorApt) -> Recipe:
    """The recipe of a suite with this machine's package sources."""
    return Recipe(
        suite,
        apt.archive,
        apt.security,
        apt.options,
        apt.certificates,
        PACKAGES + _SUITE_PACKAGES.get(suite, ()),
    )


def render_sources(recipe: Recipe) -> str:
    """The Pi's /etc/apt/sources.list.d/debian.sources (deb822, as on today's images)."""
    return (
        f"Types: deb\nURIs: {recipe.archive}\nSuites: {recipe.suite} {recipe.suite}-updates\n"
        f"Components: main contrib non-free non-free-firmware\nSigned-By: {_KEYRING}\n\n"
        f"Types: deb\nURIs: {recipe.security}\nSuites: {recipe.suite}-security\n"
        f"Components: main contrib non-free non-free-firmware\nSigned-By: {_KEYRING}\n"
    )


def ensure_image(recipe: Recipe, in_use: set[str], on_step: Callable[[str], None]) -> Path:
    """The base image, made now if it is not there; several callers wait for one build.

    Args:
        recipe: what goes into it.
        in_use: images that Pis stand on; others of the suite, of older recipes, are removed.
        on_step: told in one line what takes long.

    Raises:
        LanpiError: FAILED when it cannot be made, with the bootstrap's last words.
    """
    if recipe.path.is_dir():
        return recipe.path
    CACHE.mkdir(parents=True, exist_ok=True)
    with file_lock(CACHE / f".{recipe.suite}.lock"):
        if not recipe.path.is_dir():
            on_step(f"Building the {recipe.suite} base image (only once)")
            _build(recipe)
            for old in CACHE.glob(f"{recipe.suite}-*"):
                if _IMAGE_NAME.fullmatch(old.name) and old != recipe.path and str(old) not in in_use:
                    shutil.rmtree(old)
    return recipe.path


def _build(recipe: Recipe) -> None:
    for stale in CACHE.glob(f".building-{recipe.suite}-*"):  # a killed build's; the lock says it is nobody's
        shutil.rmtree(stale)
    workplace = Path(tempfile.mkdtemp(prefix=f".building-{recipe.suite}-", dir=CACHE))
    root = workplace / "root"
    try:
        sources = [
            f"deb [signed-by={_KEYRING}] {recipe.archive} {suite} main"
            for suite in (recipe.suite, f"{recipe.suite}-updates")
        ]
        sources.append(f"deb [signed-by={_KEYRING}] {recipe.security} {recipe.suite}-security main")
        options = [f"--aptopt={line}" for line in recipe.options]
        run(
            ["mmdebstrap", "--mode=root", "--variant=minbase", "--quiet",
             f"--include={','.join(recipe.packages)}", *options, recipe.suite, str(root), *sources],
            timeout_seconds=BUILD_SECONDS,
        )  # fmt: skip
        _customise(root, recipe)
        root.chmod(0o755)
        root.rename(recipe.path)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _customise(root: Path, recipe: Recipe) -> None:
    def put(path: str, text: str) -> None:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o644)

    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    put("etc/apt/sources.list.d/debian.sources", render_sources(recipe))
    if recipe.options:
        put("etc/apt/apt.conf.d/90network", "\n".join(recipe.options) + "\n")
    for number, certificate in enumerate(recipe.certificates, 1):
        put(f"usr/local/share/ca-certificates/operator-{number}.crt", certificate)
    if recipe.certificates:
        run(["chroot", str(root), "update-ca-certificates"])
    put("etc/systemd/system/regenerate_ssh_host_keys.service", _HOST_KEYS_UNIT)
    put("boot/firmware/cmdline.txt", _CMDLINE)
    put("boot/firmware/config.txt", _CONFIG)
    put("etc/default/locale", "LANG=C.UTF-8\n")
    run(["chroot", str(root), "useradd", "-m", "-s", "/bin/bash", "-G", "sudo,adm,users", USER])
    units = ["regenerate_ssh_host_keys.service", "systemd-networkd.service", "ssh.service"]
    run(["systemctl", f"--root={root}", "enable", *units])
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    put("etc/machine-id", "")  # systemd makes one at first boot; "uninitialized" would also ask questions
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)
