"""The relational schema: every table of Headstart on one page.

Rows are stored as given; ids and timestamps are made by the layer that owns the noun. Times are
Unix seconds. Migrations under `migrations/` bring an existing database to exactly this schema
(a test compares the two).
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        dict[str, Any]: JSON,
        list[Any]: JSON,
        int: BigInteger,  # sizes above 2 GB, times after 2038
    }


# --- security ---------------------------------------------------------------------------------


class ApiKey(Table):
    """A key that a caller presents. Only the SHA-256 of the secret is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)  # key_…
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    redacted: Mapped[str]  # "hs-abc…wxyz", enough to recognise it by
    role: Mapped[str]  # "admin" | "member"
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    last_used_at: Mapped[int | None]
    revoked_at: Mapped[int | None]


class BrowserSession(Table):
    """A signed-in browser, or (while `one_time`) a sign-in link that was not opened yet."""

    __tablename__ = "browser_sessions"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    one_time: Mapped[bool]
    created_at: Mapped[int]
    expires_at: Mapped[int]


# --- serving ----------------------------------------------------------------------------------


class EndpointRow(Table):
    """A deployed model: what should run. What does run is the supervisor's knowledge."""

    __tablename__ = "endpoints"

    id: Mapped[str] = mapped_column(primary_key=True)  # ep_…
    name: Mapped[str] = mapped_column(unique=True)
    model: Mapped[str]
    engine: Mapped[str]  # as asked for: "auto" or an engine's name
    idle_timeout: Mapped[float | None]  # seconds
    options: Mapped[dict[str, Any]]
    created_at: Mapped[int]


# --- knowledge --------------------------------------------------------------------------------


class FileRow(Table):
    """An uploaded or ingested file; its bytes are in the object store under `id`."""

    __tablename__ = "files"

    id: Mapped[str] = mapped_column(primary_key=True)  # file-…
    filename: Mapped[str]
    purpose: Mapped[str]
    bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(index=True)
    created_at: Mapped[int]


class VectorStoreRow(Table):
    __tablename__ = "vector_stores"

    id: Mapped[str] = mapped_column(primary_key=True)  # vs_…
    name: Mapped[str] = mapped_column(index=True)
    embedding_model: Mapped[str]
    paths: Mapped[list[Any]]  # folders and files that a sync follows; empty when fed by upload
    attributes: Mapped[dict[str, Any]]  # OpenAI's `metadata`
    created_at: Mapped[int]
    last_active_at: Mapped[int]


class VectorStoreFileRow(Table):
    """A file's membership in a vector store, and how its ingestion went."""

    __tablename__ = "vector_store_files"

    store_id: Mapped[str] = mapped_column(
        ForeignKey("vector_stores.id", ondelete="CASCADE"), primary_key=True
    )
    file_id: Mapped[str] = mapped_column(ForeignKey("files.id"), primary_key=True)
    path: Mapped[str | None] = mapped_column(
        index=True
    )  # source on disk, when synced from a folder
    modified_ns: Mapped[int | None]  # of that source, when it was last looked at
    status: Mapped[str]  # "in_progress" | "completed" | "failed" | "cancelled"
    error_code: Mapped[str | None]
    error: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]]
    chunking: Mapped[dict[str, Any]]
    chunks: Mapped[int]
    usage_bytes: Mapped[int]
    created_at: Mapped[int]


# --- apps -------------------------------------------------------------------------------------


class AppVersionRow(Table):
    """One version of an app: immutable, found by the digest of what it says."""

    __tablename__ = "app_versions"

    id: Mapped[str] = mapped_column(primary_key=True)  # appv_…
    app: Mapped[str] = mapped_column(index=True)  # the app's name, which is its model name
    number: Mapped[int]
    digest: Mapped[str]
    spec: Mapped[dict[str, Any]]
    active: Mapped[bool]
    created_at: Mapped[int]


# --- conversations ----------------------------------------------------------------------------


class ConversationRow(Table):
    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_list", "key_id", "updated_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)  # conv_…
    title: Mapped[str]  # empty until the first user message
    attributes: Mapped[dict[str, Any]]  # OpenAI's `metadata`
    key_id: Mapped[str | None]
    created_at: Mapped[int]
    updated_at: Mapped[float]  # fractions keep the order of turns within a second


class ConversationItemRow(Table):
    __tablename__ = "conversation_items"
    __table_args__ = (Index("ix_conversation_items_order", "conversation_id", "position"),)

    id: Mapped[str] = mapped_column(primary_key=True)  # msg_…
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    position: Mapped[int]
    role: Mapped[str]
    status: Mapped[str]  # "completed" | "incomplete" (an answer that was stopped)
    content: Mapped[list[Any]]
    record_id: Mapped[str | None]
    alternative_to: Mapped[str | None]  # the record whose answer this one was regenerated from
    created_at: Mapped[int]


# --- records ----------------------------------------------------------------------------------


class RecordRow(Table):
    """One call, whole. `id` is the id that the client got."""

    __tablename__ = "records"
    __table_args__ = (  # one per way that the list is filtered, each in the list's order
        Index("ix_records_created", "created_at", "id"),
        Index("ix_records_model", "model", "created_at", "id"),
        Index("ix_records_app", "app", "created_at", "id"),
        Index("ix_records_key", "key_id", "created_at", "id"),
        Index("ix_records_status", "status", "created_at", "id"),
        Index("ix_records_conversation", "conversation_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # "chat" | "completion" | "embedding"
    created_at: Mapped[float]
    model: Mapped[str]  # the name that was called
    endpoint: Mapped[str | None]  # the endpoint that answered
    app: Mapped[str | None]
    key_id: Mapped[str | None]
    conversation_id: Mapped[str | None]
    alternative_to: Mapped[str | None]  # the record that this call regenerates
    status: Mapped[str]  # "completed" | "cancelled" | "failed"
    error: Mapped[str | None] = mapped_column(Text)
    request: Mapped[dict[str, Any]]
    prompt: Mapped[str | None] = mapped_column(Text)  # what the model saw, template applied
    passages: Mapped[list[Any]]
    steps: Mapped[list[Any]]
    output: Mapped[dict[str, Any]]  # OpenAI's `choices` and what hangs on them
    text: Mapped[str] = mapped_column(Text)  # last user message and answer, casefolded for search
    prompt_tokens: Mapped[int | None]  # unknown when the call did not get to its end
    completion_tokens: Mapped[int | None]
    first_token_ms: Mapped[float | None]
    duration_ms: Mapped[float]
    versions: Mapped[dict[str, Any]]  # app, model digest, engine, headstart


class FeedbackRow(Table):
    __tablename__ = "feedback"
    __table_args__ = (Index("ix_feedback_record_metric", "record_id", "metric"),)

    id: Mapped[str] = mapped_column(primary_key=True)  # fb_…
    record_id: Mapped[str] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"))
    metric: Mapped[str]  # "thumbs" | "rating" | "comment" | "correction" | "preference"
    value: Mapped[dict[str, Any]]  # {"value": …}: a JSON column that also holds scalars
    key_id: Mapped[str | None]
    created_at: Mapped[float] = mapped_column(index=True)
