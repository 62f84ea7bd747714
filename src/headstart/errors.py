"""The few exceptions of Headstart.

Each is one kind of problem that a caller can act on. The message names the value that was
wrong and the next step; `api/errors.py` turns them into OpenAI's error envelope and
`cli/` prints the message alone. Anything else that escapes is a bug and becomes a 500.
"""

from __future__ import annotations

from typing import ClassVar


class HeadstartError(Exception):
    """Base of all errors that a user may see as they are."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


class BadRequest(HeadstartError):
    """The request cannot be carried out as written: a wrong value, an unsupported parameter."""

    status = 400
    type = "invalid_request_error"


class ContextTooLong(BadRequest):
    """The prompt does not fit the model's context window."""

    def __init__(self, prompt_tokens: int, context_length: int) -> None:
        super().__init__(
            f"The prompt has {prompt_tokens} tokens, but this model's context window is "
            f"{context_length} tokens. Shorten the messages, or use a model with a longer context.",
            param="messages",
            code="context_length_exceeded",
        )
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length


class Unauthenticated(HeadstartError):
    """No key, or a key that is not (or no longer) valid."""

    status = 401
    type = "authentication_error"


class Forbidden(HeadstartError):
    """A valid caller without the permission."""

    status = 403
    type = "permission_error"


class NotFound(HeadstartError):
    """A named thing does not exist."""

    status = 404
    type = "not_found_error"


class Conflict(HeadstartError):
    """The thing exists already, is in use, or another process holds it."""

    status = 409
    type = "conflict_error"


class Unavailable(HeadstartError):
    """What the call needs is not running or not reachable now; the same call may work later."""

    status = 503
    type = "service_unavailable_error"


class SettingsError(HeadstartError):
    """A setting, environment variable or `headstart.toml` entry that cannot be used."""

    status = 400
    type = "configuration_error"
