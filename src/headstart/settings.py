"""One typed `Settings`, read once: environment over `headstart.toml` over defaults.

Every field can be set as `HEADSTART_<FIELD>` or under `[server]` in `headstart.toml`. What the
file says about endpoints, knowledge and apps is not a setting: `apps/declaration.py` reads that.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from headstart.errors import SettingsError

DECLARATION_NAME = "headstart.toml"


class Settings(BaseSettings):
    """What the server process needs to know before it starts."""

    model_config = SettingsConfigDict(env_prefix="HEADSTART_", extra="forbid", frozen=True)

    home: Path = Field(
        default_factory=lambda: Path.home() / ".headstart",
        description="Folder of the database, objects, indexes, models and logs.",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    admin_key: SecretStr | None = Field(
        None, min_length=16, description="The admin API key to use instead of a generated one."
    )
    insecure_bind: bool = Field(
        False, description="Allow an address other than loopback without TLS."
    )
    tls_certificate: Path | None = Field(None, description="PEM certificate chain of the server.")
    tls_key: Path | None = Field(None, description="PEM private key of the certificate.")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL; default: SQLite in the home."
    )
    objects_url: str | None = Field(
        None, description="fsspec URL of uploaded files; default: a folder in the home."
    )
    record: bool = Field(True, description="Keep a record of every call.")
    hf_endpoint: str = Field("https://huggingface.co", description="Hugging Face hub or mirror.")
    hf_token: SecretStr | None = Field(None, description="Token for gated Hugging Face models.")
    max_upload_bytes: int = Field(512 * 2**20, gt=0, description="Largest file of an upload.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @model_validator(mode="after")
    def _refuse_unsafe_bind(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together; set both or neither")
        if self.tls_certificate is None and not self.insecure_bind and not is_loopback(self.host):
            raise ValueError(
                f"refusing to listen on {self.host} without TLS: API keys would cross the network "
                "in the clear. Set tls_certificate and tls_key, or put a TLS proxy in front and "
                "pass --insecure-bind (HEADSTART_INSECURE_BIND=1)."
            )
        return self

    @property
    def sql_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'headstart.db'}"

    @property
    def objects(self) -> str:
        return self.objects_url or str(self.home / "objects")

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def indexes(self) -> Path:
        return self.home / "indexes"

    @property
    def logs(self) -> Path:
        return self.home / "logs"


def load(declaration: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings: `overrides` (command line) over environment over file over defaults."""
    table = read_toml(declaration).get("server", {}) if declaration else {}
    if not isinstance(table, dict):
        raise SettingsError(f"{declaration}: [server] must be a table")
    from_file = {k: v for k, v in table.items() if f"HEADSTART_{k.upper()}" not in os.environ}
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**{**from_file, **given})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "settings"
        raise SettingsError(f"{where}: {first['msg']}", param=where) from error


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from error


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
