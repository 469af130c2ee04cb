"""What is in a database on the MariaDB server is kept, and put back as it was."""

from collections.abc import Mapping

import pymysql

from tools.mariadb import Server


class Kept:
    """A database and a copy of it beside it."""

    def __init__(self, server: Server, database: str) -> None:
        self._server = server
        self._database = database
        self._copy = f"{database}_kept"
        self._sums: Mapping[str, int] = {}

    def keep(self) -> None:
        """There is a copy of every table. Nobody writes meanwhile."""
        self._server.create(self._copy)
        with self._server.connect(self._database) as connection, connection.cursor() as cursor:
            for table in tables(cursor):
                cursor.execute(f"CREATE TABLE `{self._copy}`.`{table}` LIKE `{table}`")
                cursor.execute(f"INSERT INTO `{self._copy}`.`{table}` SELECT * FROM `{table}`")
                cursor.execute(f"ANALYZE TABLE `{table}`")
            connection.commit()
            self._sums = sums(cursor)

    def restore(self) -> None:
        """Every row is what it was; tables that nobody changed are not touched."""
        with self._server.connect(self._database) as connection, connection.cursor() as cursor:
            cursor.execute("SET foreign_key_checks = 0")
            for table in (name for name, value in sums(cursor).items() if value != self._sums[name]):
                cursor.execute(f"DELETE FROM `{table}`")
                cursor.execute(f"INSERT INTO `{table}` SELECT * FROM `{self._copy}`.`{table}`")
            connection.commit()


def tables(cursor: pymysql.cursors.Cursor) -> list[str]:
    cursor.execute("SHOW TABLES")
    return [name for (name,) in cursor.fetchall()]


def sums(cursor: pymysql.cursors.Cursor) -> dict[str, int]:
    """A checksum of the rows of each table."""
    names = tables(cursor)
    cursor.execute("CHECKSUM TABLE " + ", ".join(f"`{name}`" for name in names))
    return dict(zip(names, (value for _, value in cursor.fetchall()), strict=True))
