"""`/v1/conversations`: chats that persist. OpenAI's resource, plus a list and titles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from openai.types.conversations import ConversationDeletedResource
from pydantic import BaseModel, ConfigDict, Field

from headstart.api.deps import CurrentPrincipal, CurrentServices
from headstart.api.feedback import Feedback
from headstart.api.lists import After, Limit, ListOf
from headstart.conversations import items
from headstart.storage.paging import Order
from headstart.storage.tables import ConversationRow

router = APIRouter(tags=["conversations"])

Role = Literal["user", "assistant", "system", "developer", "tool"]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(max_length=16),
]
_MAX_TEXT = 1_000_000


class Conversation(BaseModel):
    id: str
    object: Literal["conversation"] = "conversation"
    created_at: int
    updated_at: int
    title: str | None = Field(description="null until there is a first message.")
    metadata: dict[str, str]


class UrlCitation(BaseModel):
    url: str
    title: str
    start_index: int
    end_index: int


class FileCitation(BaseModel):
    """Where a citation's passage stands."""

    model_config = ConfigDict(extra="allow")

    number: int
    store_id: str
    file_id: str
    filename: str
    chunk_id: str
    page: int | None = None
    start: int
    end: int
    quote: str
    headings: list[str] = []


class Annotation(BaseModel):
    model_config = ConfigDict(extra="allow")

    type: str = "url_citation"
    url_citation: UrlCitation | None = None
    file_citation: FileCitation | None = None


class Content(BaseModel):
    type: Literal["input_text", "output_text", "refusal"]
    text: str = ""
    refusal: str | None = None
    annotations: list[Annotation] = []


class Item(BaseModel):
    """A message. Answers to the same question name the one they are an alternative to."""

    id: str
    type: Literal["message"] = "message"
    role: Role
    status: Literal["completed", "incomplete"]
    content: list[Content]
    record_id: str | None
    alternative_to: str | None
    feedback: list[Feedback] = Field(description="The caller's own.")
    created_at: int


class NewContent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["input_text", "output_text"]
    text: str = Field(max_length=_MAX_TEXT)
    annotations: list[dict[str, Any]] = []


class NewItem(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Literal["message"] = "message"
    role: Role
    content: Annotated[str, Field(max_length=_MAX_TEXT)] | list[NewContent]
    status: Literal["completed"] = "completed"


class NewItems(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[NewItem] = Field(min_length=1, max_length=20)


class NewConversation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(default=None, max_length=1000)
    metadata: Metadata | None = None
    items: list[NewItem] | None = Field(default=None, max_length=20)


class ConversationUpdate(BaseModel):
    """What is given replaces what there was."""

    model_config = ConfigDict(extra="forbid")

    title: str | None = Field(None, max_length=1000)
    metadata: Metadata | None = None


@router.get("/v1/conversations")
def list_conversations(
    principal: CurrentPrincipal,
    services: CurrentServices,
    limit: Limit = 20,
    after: After = None,
    order: Order = "desc",
) -> ListOf[Conversation]:
    """The caller's own, the last used first."""
    page = services.conversations.list(principal, after=after, limit=limit, order=order)
    return ListOf.of([_view(row) for row in page.data], page.has_more)


@router.post("/v1/conversations")
def create_conversation(
    principal: CurrentPrincipal, services: CurrentServices, body: NewConversation | None = None
) -> Conversation:
    """Name its id as `conversation` in chat calls, and they become part of it."""
    new = body or NewConversation()
    row = services.conversations.create(
        principal,
        title=new.title or "",
        metadata=new.metadata,
        items=[_new_item(item) for item in new.items or []],
    )
    return _view(row)


@router.get("/v1/conversations/{id}")
def get_conversation(
    id: str, principal: CurrentPrincipal, services: CurrentServices
) -> Conversation:
    return _view(services.conversations.require(id, principal))


@router.post("/v1/conversations/{id}")
def update_conversation(
    id: str, body: ConversationUpdate, principal: CurrentPrincipal, services: CurrentServices
) -> Conversation:
    row = services.conversations.update(id, principal, title=body.title, metadata=body.metadata)
    return _view(row)


@router.delete("/v1/conversations/{id}")
def delete_conversation(
    id: str, principal: CurrentPrincipal, services: CurrentServices
) -> ConversationDeletedResource:
    """The records of its calls stay: they are not the conversation's."""
    services.conversations.delete(id, principal)
    return ConversationDeletedResource(id=id, deleted=True, object="conversation.deleted")


@router.get("/v1/conversations/{id}/items")
def list_items(
    id: str,
    principal: CurrentPrincipal,
    services: CurrentServices,
    limit: Limit = 20,
    after: After = None,
    order: Order = "desc",
) -> ListOf[Item]:
    """As with OpenAI, the newest first unless `order=asc`."""
    page = services.conversations.items(id, principal, after=after, limit=limit, order=order)
    return ListOf.of([_view_item(item) for item in page.data], page.has_more)


@router.post("/v1/conversations/{id}/items")
def create_items(
    id: str, body: NewItems, principal: CurrentPrincipal, services: CurrentServices
) -> ListOf[Item]:
    added = services.conversations.add_items(
        id, principal, [_new_item(item) for item in body.items]
    )
    return ListOf.of([_view_item(item) for item in added])


@router.get("/v1/conversations/{id}/items/{item_id}")
def get_item(id: str, item_id: str, principal: CurrentPrincipal, services: CurrentServices) -> Item:
    return _view_item(services.conversations.item(id, item_id, principal))


@router.delete("/v1/conversations/{id}/items/{item_id}")
def delete_item(
    id: str, item_id: str, principal: CurrentPrincipal, services: CurrentServices
) -> Conversation:
    services.conversations.delete_item(id, item_id, principal)
    return _view(services.conversations.require(id, principal))


def _view(row: ConversationRow) -> Conversation:
    return Conversation(
        id=row.id,
        created_at=row.created_at,
        updated_at=int(row.updated_at),
        title=row.title or None,
        metadata=row.attributes,
    )


def _view_item(item: items.Item) -> Item:
    row = item.row
    return Item.model_validate(
        {
            **{name: getattr(row, name) for name in Item.model_fields if hasattr(row, name)},
            "feedback": [Feedback.of(each) for each in item.feedback],
        }
    )


def _new_item(item: NewItem) -> items.NewItem:
    if isinstance(item.content, str):
        make = items.output_text if item.role == "assistant" else items.input_text
        return items.NewItem(item.role, [make(item.content)])
    return items.NewItem(item.role, [part.model_dump() for part in item.content])
