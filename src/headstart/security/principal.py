"""Who is calling, and what they may do.

Users, projects and OIDC come later and will resolve to the same `Principal`; nothing below the
API needs to know how a caller proved who they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    ADMIN = "admin"  # everything
    MEMBER = "member"  # call models, search knowledge, give feedback, see own records


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller."""

    key_id: str
    name: str
    role: Role

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN
