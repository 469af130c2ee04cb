"""A connection to MariaDB that sends nothing which is not needed, and that outlives being dropped while it was idle.

What goes over the wire, which is most of what a request costs here: one packet for each statement, and one more to end
a transaction (of a snapshot, too: the next one must not see it). A statement in autocommit is one packet in all. No
BEGIN, as InnoDB begins with the first statement; no ROLLBACK where nothing was begun, although SQLAlchemy asks for one
each time that a connection goes back to the pool; and no ping before each use: a stale connection is found by using it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from pymysql.connections import Connection
from pymysql.cursors import Cursor
from pymysql.err import MySQLError

if TYPE_CHECKING:
    Base = Connection[Cursor]
else:
    # Generic for the type checker alone.
    Base = Connection

COLLATION: Final = "utf8mb4_nopad_bin"
"""Of all tables and connections: bytes are compared as SQLite does it, trailing spaces included."""
PATIENCE: Final = 60.0
"""Seconds after which a server that says nothing counts as gone."""
# Too long a text is an error, not a shorter text.
SESSION: Final = "SET SESSION sql_mode = 'TRADITIONAL', innodb_lock_wait_timeout = 5, time_zone = '+00:00'"
Purpose = Literal["asking", "reading", "writing", "migrating"]
ISOLATION: Final[Mapping[Purpose, str]] = {
    "asking": "REPEATABLE READ",
    "reading": "REPEATABLE READ",
    # Those who write take the lock that they go by, and read after it. More isolation would only lock what is beside
    # the rows that they write as well, so that others wait who have nothing to do with it: half the creates a second.
    "writing": "READ COMMITTED",
    "migrating": "READ COMMITTED",
}
LOST: Final = frozenset({0, 1053, 1927, 2006, 2013, 2055, 4031})
"""The server or the way to it went away: closed here, shutting down, killed, gone, lost, lost, idle for too long."""
PASSING: Final = frozenset({1020, 1205, 1213})
"""Somebody else was faster: a row that has changed, a lock that took too long, a deadlock."""


class Steady(Base):
    """Knows whether a transaction may be open. Where none is, a lost connection is made anew, and nobody notices."""

    def __init__(self, *, isolation: str, **options: Any) -> None:
        self._begun = False
        self._isolation = isolation
        super().__init__(**options)

    def connect(self, sock: Any = None) -> None:
        super().connect(sock)
        for statement in (SESSION, f"SET SESSION TRANSACTION ISOLATION LEVEL {self._isolation}"):
            super().query(statement)
        self._begun = False

    def query(self, sql: Any, unbuffered: bool = False) -> Any:
        """A first statement that met a dead connection is sent once more: what it may have done was not committed."""
        first, self._begun = not self._begun, not self.autocommit_mode
        try:
            return super().query(sql, unbuffered)
        except MySQLError as error:
            # A reading one alone may have been done twice without harm in autocommit.
            if not first or not lost(error) or (self.autocommit_mode and not reads(sql)):
                raise
        if self.open:
            self.close()
        self.connect()
        self._begun = not self.autocommit_mode
        return super().query(sql, unbuffered)

    def commit(self) -> None:
        self._end(super().commit)

    def rollback(self) -> None:
        self._end(super().rollback)

    def _end(self, how: Any) -> None:
        if self._begun:
            how()
            self._begun = False


def code_of(error: BaseException | None) -> int | None:
    code = error.args[0] if isinstance(error, MySQLError) and error.args else None
    return code if isinstance(code, int) else None


def lost(error: BaseException | None) -> bool:
    """Whether the connection is gone, and with it what it had not committed."""
    return code_of(error) in LOST


def reads(sql: Any) -> bool:
    text = sql if isinstance(sql, str) else bytes(sql[:16]).decode(errors="replace")
    return text.lstrip()[:6].upper() == "SELECT"


def connect(arguments: Mapping[str, Any], purpose: Purpose) -> Steady:
    """A connection for these arguments of the URL. Migrations wait for statements however long they take."""
    wait = None if purpose == "migrating" else PATIENCE
    options: dict[str, Any] = {"charset": "utf8mb4", "connect_timeout": 5, "read_timeout": wait, "write_timeout": wait}
    if "unix_socket" in arguments:
        # To prepare for TLS costs 20 ms for each connection, and this one does not leave the machine.
        options["ssl_disabled"] = True
    options |= arguments
    options |= {"collation": COLLATION, "autocommit": purpose == "asking"}
    return Steady(isolation=ISOLATION[purpose], **options)
