"""`python -m headstart.storage.migrations "Add users"` writes the migration that `tables.py` needs.

It compares the tables with what the existing migrations build on an empty SQLite database. Read
what it wrote: a renamed column, for one, comes out as a dropped and an added one.
"""

from __future__ import annotations

import subprocess
import sys

from alembic import command
from alembic.script import Script, ScriptDirectory
from sqlalchemy import create_engine

from headstart.storage.database import migrations_config


def write_migration(message: str) -> None:
    config = migrations_config()
    number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
    with create_engine("sqlite://").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        script = command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
    if isinstance(script, Script):
        subprocess.run([sys.executable, "-m", "ruff", "format", script.path], check=True)


if __name__ == "__main__":
    write_migration(sys.argv[1])
