"""Ids of calls: unguessable, with OpenAI's prefix."""

from __future__ import annotations

import secrets


def new_call_id(prefix: str) -> str:
    return f"{prefix}-{secrets.token_hex(12)}"
