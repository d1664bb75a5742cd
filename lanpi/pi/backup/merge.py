"""What belongs to one account or one room, and the SQL that copies it from a snapshot without duplicates.

Pure: merge_sqlite.py and merge_postgres.py run it. SQLite (since 3.39) and PostgreSQL understand the same text; the
snapshot's tables are in the schema `snapshot` of both. What both have stays as the live one has it. Both may be of
different ejabberd releases: only columns that both know are carried over.
"""

from dataclasses import dataclass

from lanpi.pi.backup.common import Problem

# Sessions, routes and the like: true only of the server that wrote them.
OF_A_MOMENT = {"sm", "route", "bosh", "proxy65", "muc_online_room", "muc_online_users", "oauth_token", "caps_features"}
# Waiting messages are in the archive too. Somebody who has fetched them already would get them twice.
ONLY_WITH_ACCOUNT = ("push_session", "spool")
# Columns of the tables that hold something of an account, and the values that they must have.
OF_ACCOUNT = {"username": "username", "server_host": "server_host"}
OF_ROOM = {
    "muc_room": {"name": "username", "host": "host"},
    "muc_room_subscribers": {"room": "username", "host": "host"},
    "archive": {"username": "jid", "server_host": "server_host"},
    "archive_prefs": {"username": "jid", "server_host": "server_host"},
}


@dataclass(frozen=True)
class Part:
    """One account, or one room.

    Attributes:
        name, host: the two sides of its address.
        domain: the server's.
        room: whether it is a room.
    """

    name: str
    host: str
    domain: str
    room: bool = False

    @property
    def values(self) -> dict[str, str]:
        """What the statements call username, host, server_host, jid."""
        jid = f"{self.name}@{self.host}"
        return {"username": self.name, "host": self.host, "server_host": self.domain, "jid": jid}

    @property
    def itself(self) -> tuple[str, dict[str, str]]:
        """The table with one row for it, and the columns that name it."""
        return ("muc_room", OF_ROOM["muc_room"]) if self.room else ("users", OF_ACCOUNT)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: of the column.
        required: never NULL.
        counted: the database gives out its numbers by itself.
    """

    name: str
    required: bool
    counted: bool


Tables = dict[str, list[Column]]
"""The columns of each table."""
Statement = tuple[str, str]
"""The table that gets rows, "" where none does, and the SQL."""


@dataclass(frozen=True)
class Dialect:
    """What differs: the schema of the live tables, and how a statement refers to a value."""

    live: str
    value: str

    def matches(self, alias: str, where: dict[str, str]) -> str:
        """The condition that a row is of the owner."""
        return " AND ".join(f'{alias}."{column}" = {self.value.format(name)}' for column, name in where.items())

    def nowhere(self, table: str, condition: str) -> str:
        """The condition that no row `there` of a live table is like that."""
        return f'NOT EXISTS (SELECT 1 FROM {self.live}."{table}" AS there WHERE {condition})'


SQLITE = Dialect("main", ":{}")
POSTGRESQL = Dialect("public", ":'{}'")  # as psql quotes its variables


@dataclass(frozen=True)
class Family:
    """Rows with a number that other tables' rows refer to; the live database assigns a new number.

    Attributes:
        table, number: of the rows.
        key: columns that tell one from another.
        where: the owner's.
        with_new: tables whose rows come only with a row that was gone.
        always: tables whose rows come also into one that is there.
    """

    table: str
    number: str
    key: tuple[str, ...]
    where: dict[str, str]
    with_new: tuple[str, ...]
    always: tuple[str, ...] = ()


FAMILIES = (
    Family("privacy_list", "id", ("username", "server_host", "name"), OF_ACCOUNT, ("privacy_list_data",)),
    # What an account publishes itself: bookmarks, avatar, keys.
    Family(
        *("pubsub_node", "nodeid", ("host", "node"), {"host": "jid"}),
        *(("pubsub_node_option", "pubsub_node_owner", "pubsub_state"), ("pubsub_item",)),
    ),
)


def absent(part: Part) -> Problem:
    """The refusal when the account or room is not in the snapshot."""
    what = f"{'room' if part.room else 'account'} {part.name}@{part.host}"
    return Problem(
        f"the snapshot has no {what}", "Choose another --snapshot: `lanpi backup list` shows all", "bad-input"
    )


def shared(live: Tables, snapshot: Tables) -> Tables:
    """Tables and columns that both have, as the live one has them; each {table: [Column]}."""
    known = {table: {column.name for column in columns} for table, columns in snapshot.items()}
    return {
        table: [column for column in columns if column.name in known[table]]
        for table, columns in live.items()
        if table in known
    }


def statements(part: Part, tables: Tables, dialect: Dialect) -> list[Statement]:
    """The SQL in the order in which it must run: (table that gets rows or "", statement)."""
    if part.room:
        return [(table, _copy(dialect, table, tables[table], where)) for table, where in OF_ROOM.items()]
    families = [family for family in FAMILIES if family.table in tables]
    apart = OF_A_MOMENT | set(ONLY_WITH_ACCOUNT) | {family.table for family in families}
    whole = [table for table, columns in tables.items() if OF_ACCOUNT.keys() <= {column.name for column in columns}]
    # Before the account is added, while one can still see whether it was missing.
    found = [
        (table, _copy(dialect, table, tables[table], OF_ACCOUNT, unless="users"))
        for table in ONLY_WITH_ACCOUNT
        if table in whole
    ]
    found += [(table, _copy(dialect, table, tables[table], OF_ACCOUNT)) for table in sorted(set(whole) - apart)]
    for family in families:
        found += _family(dialect, family, tables)
    return found


def _copy(dialect: Dialect, table: str, columns: list[Column], where: dict[str, str], unless: str | None = None) -> str:
    """Rows that are not in the live table; one that would break a uniqueness is left as it is live.

    unless: a table; nothing is copied when the owner has a row in it.
    """
    plain = [column for column in columns if not column.counted]
    condition = f"{dialect.matches('here', where)} AND {dialect.nowhere(table, ' AND '.join(map(_same, plain)))}"
    if unless:
        condition += f" AND {dialect.nowhere(unless, dialect.matches('there', where))}"
    return _insert(dialect, table, columns, [column.name for column in plain], f'snapshot."{table}" AS here', condition)


def _same(column: Column) -> str:
    """PostgreSQL looks up what "=" compares by hash, and anything else row against row."""
    return f'there."{column.name}" {"=" if column.required else "IS NOT DISTINCT FROM"} here."{column.name}"'


def _family(dialect: Dialect, family: Family, tables: Tables) -> list[Statement]:
    number, parent = family.number, f'snapshot."{family.table}"'
    noted, found = f"missing_{family.table}", []
    one = f'here."{number}" IN (SELECT number FROM {noted})'
    known = " AND ".join(f'there."{name}" = here."{name}"' for name in family.key)
    condition = f"{dialect.matches('here', family.where)} AND {dialect.nowhere(family.table, known)}"
    found.append(
        ("", f'CREATE TEMP TABLE {noted} AS SELECT here."{number}" AS number FROM {parent} AS here WHERE {condition}')
    )
    columns = tables[family.table]
    plain = [column.name for column in columns if not column.counted]
    found.append((family.table, _insert(dialect, family.table, columns, plain, f"{parent} AS here", one)))
    tied = " AND ".join(f'there."{name}" = old."{name}"' for name in family.key)
    for table in (*family.with_new, *family.always):
        source = f'snapshot."{table}" AS here, {parent} AS old, {dialect.live}."{family.table}" AS there'
        condition = f'old."{number}" = here."{number}" AND {tied} AND {dialect.matches("old", family.where)}'
        if table in family.with_new:
            condition += f" AND {one}"
        plain = [column.name for column in tables[table] if not column.counted and column.name != number]
        found.append((table, _insert(dialect, table, tables[table], plain, source, condition, number)))
    return [*found, ("", f"DROP TABLE {noted}")]


def _insert(
    dialect: Dialect,
    table: str,
    columns: list[Column],
    carried: list[str],
    source: str,
    condition: str,
    renumbered: str | None = None,
) -> str:
    """In the order in which the snapshot had counted them: waiting messages are delivered in it.

    carried: names of the columns that are taken as they are.
    renumbered: a column that gets the number of the live row `there`.
    """
    names, values = list(carried), [f'here."{name}"' for name in carried]
    if renumbered:
        names.append(renumbered)
        values.append(f'there."{renumbered}"')
    into = ", ".join(f'"{name}"' for name in names)
    order = "".join(f'ORDER BY here."{column.name}" ' for column in columns if column.counted)
    return (
        f'INSERT INTO {dialect.live}."{table}" ({into}) SELECT {", ".join(values)} FROM {source} '
        f"WHERE {condition} {order}ON CONFLICT DO NOTHING"
    )
