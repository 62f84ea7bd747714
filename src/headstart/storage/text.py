"""Text that every database takes.

JSON can carry half a character (a lone surrogate, as when JavaScript cuts an emoji in two) and NUL;
SQLite refuses the one and PostgreSQL the other. JSON columns need no care: see `database.py`.
"""

from __future__ import annotations


def storable(text: str) -> str:
    """The text with replacement characters where no database can keep it."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
