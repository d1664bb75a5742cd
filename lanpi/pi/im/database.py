"""What ejabberd's database says of people, read without ejabberd: its API logs two lines for each question.

SQLite is opened read-only and only while ejabberd has it open; PostgreSQL answers through psql, as its own user.
"""

import contextlib
import os
import sqlite3
import subprocess
from dataclasses import dataclass

from lanpi.pi.im.api import DATABASE, is_open
from lanpi.pi.im.problem import Problem

_PSQL = ["runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1"]
SECONDS = 30.0

USED_TOKENS = "SELECT token, invitee FROM invite_token WHERE server_host = {domain} AND invitee <> ''"
LAST_SEEN = "SELECT username, seconds FROM last WHERE server_host = {domain}"
ARCHIVED = "SELECT username, COUNT(*) FROM archive WHERE server_host = {domain} GROUP BY username"
# ban_account keeps its mark in the account's private storage (NS_BANNED in mod_admin_extra.erl).
DISABLED = "SELECT username FROM private_storage WHERE server_host = {domain} AND namespace = 'jabber:ejabberd:banned'"


@dataclass(frozen=True)
class Database:
    """ejabberd's database.

    Attributes:
        kind: ``sqlite`` or ``postgresql``.
        domain: whose rows.
        path: of SQLite's file.
    """

    kind: str
    domain: str
    path: str = DATABASE

    def select(self, query: str) -> list[tuple[str, ...]]:
        """Rows of a query in which ``{domain}`` stands for the domain; each value as text.

        Raises:
            Problem: the database does not answer.
        """
        return self._psql(query) if self.kind == "postgresql" else self._sqlite(query)

    def pairs(self, query: str) -> dict[str, str]:
        """Rows of two columns: first -> second."""
        return {row[0]: row[1] for row in self.select(query)}

    def changed(self) -> tuple[int, ...] | None:
        """Something that differs after each write, None where that is unknown."""
        if self.kind == "postgresql":
            return None
        marks: list[int] = []
        for path in (self.path, f"{self.path}-wal"):
            with contextlib.suppress(OSError):
                found = os.stat(path)  # noqa: PTH116 - called every second
                marks += [found.st_mtime_ns, found.st_size]
        return tuple(marks)

    def _sqlite(self, query: str) -> list[tuple[str, ...]]:
        if not is_open(self.path):
            raise Problem("ejabberd's database is not open", "Run `lanpi doctor`", bad_input=False)
        try:
            connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=SECONDS)
            try:
                found = connection.execute(query.format(domain=":domain"), {"domain": self.domain}).fetchall()
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise Problem(f"ejabberd's database cannot be read: {error}", bad_input=False) from error
        return [tuple(str(value) for value in row) for row in found]

    def _psql(self, query: str) -> list[tuple[str, ...]]:
        command = [*_PSQL, "-v", f"domain={self.domain}", "ejabberd"]
        done = subprocess.run(
            command,
            input=query.format(domain=":'domain'"),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode:
            raise Problem(f"PostgreSQL refused a question: {done.stderr.strip()}", bad_input=False)
        return [tuple(line.split("\t")) for line in done.stdout.splitlines() if line]
