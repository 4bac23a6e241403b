"""Who is calling (a bearer JWT says only that) and what they may do (the service's own copy of catalog's staff)."""

import asyncio
import time
from typing import Annotated, Any
from uuid import UUID

import httpx
import jwt
from fastapi import Depends, Request

from shared.contracts.catalog import StaffChanged, StaffRole
from shared.database import Transaction
from shared.errors import Forbidden, Unauthenticated, Unavailable

AUDIENCE = "groupbuy"
ALGORITHMS = ("ES256", "RS256")
LONGEST_S = 600
_REFETCH_S = 5


class Tokens:
    """Verifies bearer tokens against one issuer's published keys."""

    def __init__(self, issuer: str, jwks_url: str, client: httpx.AsyncClient) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._client = client
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = 0.0
        self._lock = asyncio.Lock()

    async def subject(self, token: str) -> str:
        """The subject of a valid token. Raises Unauthenticated for any other, Unavailable if keys cannot be had."""
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(str(header.get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(ALGORITHMS),
                audience=AUDIENCE,
                issuer=self._issuer,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
                leeway=5,
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated from error
        if claims["exp"] - claims["iat"] > LONGEST_S or not 0 < len(claims["sub"]) <= 200:
            raise Unauthenticated
        return str(claims["sub"])

    async def _key(self, key_id: str) -> jwt.PyJWK:
        if key_id not in self._keys:
            async with self._lock:
                # An unknown key id may be a new key, or a stranger's attempt to make us fetch without end.
                if key_id not in self._keys and time.monotonic() - self._fetched_at > _REFETCH_S:
                    await self._fetch()
        try:
            return self._keys[key_id]
        except KeyError as error:
            raise Unauthenticated from error

    async def _fetch(self) -> None:
        try:
            answer = await self._client.get(self._jwks_url, timeout=5)
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        except (httpx.HTTPError, ValueError, jwt.PyJWTError) as error:
            raise Unavailable from error
        self._keys = {str(key.key_id): key for key in keys}
        self._fetched_at = time.monotonic()


async def _caller(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    tokens: Tokens = request.app.state.tokens
    return await tokens.subject(token)


Caller = Annotated[str, Depends(_caller)]
"""The subject of the verified token: who, and nothing about what they may do."""


async def keep_staff(tx: Transaction, event: StaffChanged) -> None:
    """Keep the newest state of one person's place, whatever the order in which the events arrive."""
    await tx.execute(
        """insert into staff (staff_id, version, subject, merchant_id, role, store_ids, active)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (staff_id) do update set version = excluded.version, subject = excluded.subject,
             merchant_id = excluded.merchant_id, role = excluded.role, store_ids = excluded.store_ids,
             active = excluded.active
           where staff.version < excluded.version""",
        event.staff_id,
        event.version,
        event.subject,
        event.merchant_id,
        event.role.value,
        list(event.store_ids),
        event.active,
    )


async def is_operator(tx: Transaction, subject: str) -> bool:
    """Whether this person works for the platform, as of now."""
    return bool(
        await tx.value(
            "select exists (select from staff where subject = $1 and merchant_id is null and role = $2 and active)",
            subject,
            StaffRole.OPERATOR.value,
        )
    )


async def require_operator(tx: Transaction, subject: str) -> None:
    """Raise Forbidden unless this person works for the platform."""
    if not await is_operator(tx, subject):
        raise Forbidden


async def require_staff(tx: Transaction, subject: str, merchant_id: UUID, *roles: StaffRole) -> None:
    """Raise Forbidden unless this person works for the merchant now, in one of the roles (any, if none is named)."""
    allowed = await tx.value(
        """select exists (select from staff where subject = $1 and merchant_id = $2 and active
                          and (cardinality($3::text[]) = 0 or role = any($3)))""",
        subject,
        merchant_id,
        [role.value for role in roles],
    )
    if not allowed:
        raise Forbidden
