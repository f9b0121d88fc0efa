"""Writes the migration that backend/store/tables.py now asks for, for a person to check: `make migration m="…"`."""

import sys
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from trips_mcp.backend.store.schema import SCHEMA, configured, upgrade


def main(change: str) -> int:
    if not change.strip():
        print('Say what changes: make migration m="trips have a budget"', file=sys.stderr)
        return 2
    with create_engine("sqlite://").begin() as db:
        config = configured(SCHEMA, db)
        number = f"{len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1:04}"
        upgrade(db, SCHEMA)
        command.revision(config, change, autogenerate=True, rev_id=number)
    print(f'Check it in {SCHEMA.migrations.relative_to(Path.cwd())}, then make "{number}" the newest in schema.py.')
    return 0


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
