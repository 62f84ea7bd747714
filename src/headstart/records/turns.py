"""What a call adds to its conversation. Conversations are a layer above; they fill in `Turns`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from headstart.security.principal import Principal
from headstart.serving.requests import Message


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer, on their way into a conversation."""

    conversation_id: str
    question: Message | None  # None when the answer is another one to an earlier question
    answer: dict[str, Any]  # OpenAI's assistant message
    complete: bool  # false for an answer that was stopped
    record_id: str | None  # None when the call is not recorded
    alternative_to: str | None  # the record whose answer this is an alternative to
    created_at: float


class Turns(Protocol):
    """Where turns go."""

    def require(self, id: str, principal: Principal) -> object:
        """Raises `NotFound` unless there is such a conversation that this caller may add to."""

    def append_turn(self, session: Session, turn: Turn) -> None:
        """Add it within the session's transaction; a conversation that is gone stays gone."""
