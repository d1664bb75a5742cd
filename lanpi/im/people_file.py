"""A list of people as CSV: read with a reason for each line that is wrong, written for a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lanpi.errors import ExitCode, LanpiError
from lanpi.im.names import new_name

COLUMNS = ("name", "person", "group", "password")
PASSWORD_MIN = 8


@dataclass(frozen=True)
class Row:
    """One person of the file.

    Attributes:
        line: in the file, from 1.
        name: local part, normalized; empty where it is wrong, or for an invitation that leaves the choice.
        person: for whom it is, in the operator's words.
        groups: to be joined.
        password: to be set; empty generates one.
        problem: what is wrong with the line; empty when nothing is.
    """

    line: int
    name: str
    person: str
    groups: tuple[str, ...]
    password: str
    problem: str = ""


def read_people(text: str, domain: str, *, names_needed: bool) -> list[Row]:
    """The people of a CSV file whose first line names its columns.

    Args:
        text: the file.
        domain: of the server.
        names_needed: a line without a name is wrong, as for accounts; an invitation leaves the choice to the person.

    Raises:
        LanpiError: BAD_INPUT when the file as a whole is wrong.
    """
    # A spreadsheet may write a byte order mark, and semicolons where the comma divides decimals.
    lines = text.removeprefix("\ufeff")
    first = lines.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(lines), delimiter=delimiter)
    header = [column.strip().lower() for column in reader.fieldnames or []]
    unknown = [column for column in header if column not in COLUMNS]
    if not header or unknown or not {"name", "person"} & set(header):
        found = f"it has the unknown column {unknown[0]!r}" if unknown else "its first line names no column"
        raise LanpiError(
            f"the file is not a list of people: {found}",
            next_step=f"Begin it with the line {','.join(COLUMNS)}; only name is required",
            exit_code=ExitCode.BAD_INPUT,
        )
    reader.fieldnames = header
    rows: list[Row] = []
    seen: dict[str, int] = {}
    try:
        for record in reader:
            cells = {key: (value or "").strip() for key, value in record.items() if isinstance(key, str)}
            if not any(cells.values()):
                continue
            row = _row(reader.line_num, cells, None in record, domain, names_needed)
            if row.name in seen:
                row = Row(row.line, row.name, row.person, (), "", f"{row.name} is in line {seen[row.name]} already")
            elif row.name:
                seen[row.name] = row.line
            rows.append(row)
    except csv.Error as error:
        raise LanpiError(f"line {reader.line_num} is not CSV: {error}", exit_code=ExitCode.BAD_INPUT) from error
    if not rows:
        raise LanpiError("the file names nobody", exit_code=ExitCode.BAD_INPUT)
    return rows


def _row(line: int, cells: dict[str, str], surplus: bool, domain: str, names_needed: bool) -> Row:
    groups = tuple(part.strip() for part in cells.get("group", "").split("|") if part.strip())
    person, password, name, problem = cells.get("person", ""), cells.get("password", ""), cells.get("name", ""), ""
    if surplus:
        problem = "it has more fields than there are columns"
    elif name or names_needed:
        try:
            name = new_name(name, domain)
        except LanpiError as error:
            name, problem = "", error.what
    if not problem and password and len(password) < PASSWORD_MIN:
        problem = f"the password is shorter than {PASSWORD_MIN} characters"
    return Row(line, name, person, groups, password, problem)


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """CSV for a spreadsheet; a cell that a spreadsheet would run as a formula is quoted as text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell
