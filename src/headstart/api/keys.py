"""`/v1/organization/admin_api_keys`: make, list and revoke keys. For admins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from openai.types.admin.organization import AdminAPIKey, AdminAPIKeyDeleteResponse
from openai.types.admin.organization.admin_api_key import Owner
from pydantic import BaseModel, ConfigDict, Field

from headstart.api.deps import AdminPrincipal, CurrentServices
from headstart.api.lists import After, Limit, ListOf
from headstart.security.principal import Role
from headstart.storage.paging import Order
from headstart.storage.tables import ApiKey

router = APIRouter(tags=["keys"])

_TEN_YEARS_S = 10 * 365 * 24 * 60 * 60


class AdminApiKey(AdminAPIKey):
    """OpenAI's shape; `owner.role` is what the key may do. `value` is there only on creation."""

    value: Annotated[str | None, Field(description="The secret; shown once.")] = None


class NewKey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="What it is for.")
    role: Role = Field(Role.MEMBER, description="'admin' may do everything.")
    expires_in_seconds: int | None = Field(None, ge=1, le=_TEN_YEARS_S)


@router.get("/v1/organization/admin_api_keys")
def list_keys(
    _principal: AdminPrincipal,
    services: CurrentServices,
    limit: Limit = 20,
    after: After = None,
    order: Order = "asc",
) -> ListOf[AdminApiKey]:
    page = services.keys.list(after=after, limit=limit, order=order)
    return ListOf.of([_view(row) for row in page.data], page.has_more)


@router.post("/v1/organization/admin_api_keys")
def create_key(body: NewKey, _principal: AdminPrincipal, services: CurrentServices) -> AdminApiKey:
    """Make a key. Its `value` cannot be read again."""
    row, secret = services.keys.create(body.name, body.role, body.expires_in_seconds)
    return _view(row, value=secret)


@router.get("/v1/organization/admin_api_keys/{id}")
def get_key(id: str, _principal: AdminPrincipal, services: CurrentServices) -> AdminApiKey:
    return _view(services.keys.get(id))


@router.delete("/v1/organization/admin_api_keys/{id}")
def revoke_key(
    id: str, _principal: AdminPrincipal, services: CurrentServices
) -> AdminAPIKeyDeleteResponse:
    """Revoke a key, and end the browser sessions that it opened, at once."""
    services.keys.revoke(id)
    return AdminAPIKeyDeleteResponse(
        id=id, deleted=True, object="organization.admin_api_key.deleted"
    )


def _view(row: ApiKey, value: str | None = None) -> AdminApiKey:
    return AdminApiKey(
        id=row.id,
        object="organization.admin_api_key",
        name=row.name,
        redacted_value=row.redacted,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        owner=Owner(
            id=row.id,
            name=row.name,
            object="organization.service_account",
            type="service_account",
            role=row.role,
            created_at=row.created_at,
        ),
        value=value,
    )
