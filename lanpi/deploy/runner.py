"""A playbook run on a Pi, over the connection that lanpi already has, as a stream of events."""

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lanpi import paths
from lanpi.deploy.bridge import bridge
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host


@dataclass(frozen=True)
class Event:
    """Something that happened in a run.

    Attributes:
        kind: start, done or failed of a task.
        task: its name.
        changed: whether it changed the Pi (or would, in check mode).
        result: what its module returned, without secrets.
    """

    kind: Literal["start", "done", "failed", "skipped"]
    task: str
    changed: bool = False
    result: dict[str, Any] = field(default_factory=dict)


_KINDS: dict[str, Literal["start", "done", "failed", "skipped"]] = {
    "playbook_on_task_start": "start",
    "runner_on_ok": "done",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "failed",
    "runner_on_skipped": "skipped",
}


def parse_event(raw: dict[str, Any]) -> Event | None:
    """One of ansible-runner's events as ours; None for those that say nothing new."""
    kind = _KINDS.get(raw.get("event", ""))
    if kind is None:
        return None
    data = raw.get("event_data", {})
    result = data.get("res") or {}
    return Event(kind=kind, task=data.get("task", ""), changed=bool(result.get("changed", False)), result=result)


def lost_result(event: Event) -> bool:
    """Whether a task's result did not arrive: each has at least "changed".

    ansible-runner empties a result above 700,000 characters without a word (display_callback, MAX_EVENT_RES).
    """
    return event.kind == "done" and not event.result


@contextmanager
def own_signals() -> Iterator[None]:
    """Give Ctrl-C and SIGTERM back their meaning when the block ends.

    ansible-runner takes both to cancel its run (utils.signal_handler) and keeps them: what follows a playbook
    could no longer be interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # ansible-runner leaves them alone then
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_playbook(
    host: Host,
    playbook: str,
    variables: dict[str, Any],
    on_event: Callable[[Event], None],
    *,
    check: bool = False,
    verbosity: int = 0,
    log: Path | None = None,
) -> tuple[Event, ...]:
    """Run one of lanpi's playbooks.

    Args:
        host: the Pi; its connection is used, as root.
        playbook: file name in playbooks/.
        variables: the play's variables; no secrets (those stay on the Pi).
        on_event: called as things happen.
        check: report what would change, and change nothing.
        verbosity: Ansible's own -v count, for the log.
        log: where Ansible's own output goes; nowhere when None.

    Returns:
        The events in order.

    Raises:
        LanpiError: FAILED with the failing task's message, UNREACHABLE when the connection was lost.
    """
    import ansible_runner

    events: list[Event] = []

    def handle(raw: dict[str, Any]) -> bool:
        if raw.get("stdout") and log:
            with log.open("a") as file:
                file.write(raw["stdout"] + "\n")
        event = parse_event(raw)
        if event:
            events.append(event)
            on_event(event)
        return False  # ansible-runner then keeps no copy of the event on disk

    folder = Path(tempfile.mkdtemp(prefix="lanpi-"))
    try:
        with bridge(host, folder) as (served, socket_path), own_signals():
            os.chmod(socket_path, 0o600)  # noqa: PTH101 - a socket, not a file Path would open
            variables_file = folder / "variables.json"
            variables_file.write_text(json.dumps(variables))
            options = f"--extra-vars @{variables_file}" + (" --check --diff" if check else " --diff")
            runner = ansible_runner.run(
                private_data_dir=str(folder),
                playbook=str(paths.playbooks() / playbook),
                inventory={
                    "all": {
                        "hosts": {
                            "pi": {
                                "ansible_connection": "lanpi",
                                "ansible_python_interpreter": "/usr/bin/python3",
                            }
                        }
                    }
                },
                cmdline=options,
                envvars=_environment(socket_path, folder),
                event_handler=handle,
                quiet=True,
                verbosity=verbosity or None,
                suppress_env_files=True,
            )
            lost = served.lost
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if lost:
        raise lost
    if runner.status == "canceled":
        raise KeyboardInterrupt
    failed = [event for event in events if event.kind == "failed"]
    if failed or runner.status != "successful":
        what = failed[0].result.get("msg", "no message") if failed else f"Ansible ended with the status {runner.status}"
        task = failed[0].task if failed else playbook
        raise LanpiError(
            f"{task}: {what}",
            host=host.name,
            next_step="Fix the problem and run the same command again: it continues where it stopped",
            exit_code=ExitCode.FAILED,
        )
    lost_results = [event.task for event in events if lost_result(event)]
    if lost_results:
        raise LanpiError(
            f"{lost_results[0]}: what was done did not arrive here, so nothing can be said about it",
            host=host.name,
            next_step="This is a mistake in lanpi: please report it with the log of this run",
            exit_code=ExitCode.FAILED,
        )
    return tuple(events)


def _environment(socket_path: Path, folder: Path) -> dict[str, str]:
    """What Ansible needs to know; nothing of the operator's own Ansible configuration is read."""
    playbooks = paths.playbooks()
    return {
        "ANSIBLE_CONFIG": str(playbooks / "ansible.cfg"),
        "ANSIBLE_LIBRARY": str(playbooks / "library"),
        "ANSIBLE_MODULE_UTILS": str(playbooks / "module_utils"),
        "ANSIBLE_CONNECTION_PLUGINS": str(playbooks / "plugins" / "connection"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "LANPI_BRIDGE": str(socket_path),
        # The ansible-playbook installed beside this Python, whether or not its folder is on PATH.
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
    }
