"""Whether a certificate and a key that somebody put on the Pi can be served: looked at before they are."""

import json
import re
import ssl
import subprocess
import sys
import time
from pathlib import Path

from lanpi.pi.im.users import can_read

TIMEOUT_SECONDS = 10


def mistakes(certificate: str, key: str, domain: str, now: float) -> list[str]:
    """What is wrong with them, in the order in which somebody would fix it; nothing where they can be served.

    Args:
        certificate: path of the chain (PEM).
        key: path of the private key (PEM).
        domain: that it must be valid for.
        now: seconds since the epoch.
    """
    found = [f"{path} does not exist" for path in (certificate, key) if not Path(path).is_file()]
    if found:
        return found
    told = _openssl("x509", "-in", certificate, "-noout", "-enddate", "-checkhost", domain, "-pubkey")
    if told is None:
        return [f"{certificate} holds no certificate in PEM form"]
    public = _openssl("pkey", "-in", key, "-passin", "pass:", "-pubout")
    if public is None:
        return [f"{key} holds no private key in PEM form, or one with a passphrase"]
    if public.strip() not in told:
        found.append(f"{key} is not the key of {certificate}")
    if "does match" not in told:
        found.append(f"{certificate} is not valid for {domain}")
    end = re.search(r"^notAfter=(.+)$", told, re.MULTILINE)
    if end and ssl.cert_time_to_seconds(end[1]) <= now:
        found.append(f"{certificate} expired on {end[1]}")
    found += [f"the user {user} cannot read {path}" for user, path in _unreadable(certificate, key)]
    return found


def _unreadable(*paths: str) -> list[tuple[str, str]]:
    return [("ejabberd", path) for path in paths if can_read("ejabberd", path) is False]


def _openssl(*arguments: str) -> str | None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS)
    return done.stdout if done.returncode == 0 else None


def main() -> None:
    """Command line: certificate, key, domain; prints a list as JSON."""
    certificate, key, domain = sys.argv[1:]
    json.dump(mistakes(certificate, key, domain, time.time()), sys.stdout)
