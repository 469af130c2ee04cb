"""The schema's versions, by Alembic."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from octavia.store.engine import Database
from octavia.store.tables import deployment

MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = database.engine
    return config


def head() -> str | None:
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def version(database: Database) -> str | None:
    """The version that the database has; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database) -> None:
    """The database has this code's schema, and its one deployment row."""
    if version(database) != head():
        command.upgrade(configuration(database), "head")
    database.write(ensure_deployment)


def ensure_deployment(connection: sa.Connection) -> None:
    if connection.scalar(sa.select(deployment.c.id)) is None:
        connection.execute(deployment.insert().values(id=1, epoch=1))
