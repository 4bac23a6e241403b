"""A merchant's code issuer: the port, and its client over signed HTTP."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Protocol
from uuid import UUID

import httpx
from pydantic import BaseModel, Field, ValidationError

from services.redemption.domain.signing import signed_headers
from services.redemption.domain.third_party import LONGEST, Asked
from services.redemption.gateways.addresses import AddressRefused, Resolve, address_of, check_url, resolve

TIMEOUT_S = 10.0
_LARGEST_ANSWER = 65_536


class Outcome(StrEnum):
    """What is known after a call. Whatever it is, the same call may be made again."""

    OK = "OK"
    REFUSED = "REFUSED"
    """Definitely not done."""
    UNKNOWN = "UNKNOWN"
    """Done or not, nobody knows."""


@dataclass(frozen=True, slots=True)
class IssuerAccount:
    """Where to call, and the secret with which both sides sign."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Issued:
    """The codes that came at once, by unit; what is missing may follow. `why` is for the log."""

    outcome: Outcome
    codes: tuple[tuple[UUID, str], ...] = ()
    why: str = ""


class CodeIssuer(Protocol):
    """Makes codes for units. A unit that is asked for twice gets the code that it got first."""

    async def issue(self, account: IssuerAccount, asked: Asked) -> Issued: ...

    async def void(self, account: IssuerAccount, order_id: UUID, unit_ids: Sequence[UUID]) -> Outcome: ...


class _Code(BaseModel):
    unit_id: UUID
    code: Annotated[str, Field(min_length=1, max_length=LONGEST)]


class _Answer(BaseModel):
    codes: Annotated[list[_Code], Field(max_length=10)] = []


class HttpIssuer:
    """POSTs signed JSON to whatever address the merchant named, if that is a public one."""

    def __init__(self, http: httpx.AsyncClient, *, allow_loopback: bool, resolver: Resolve = resolve) -> None:
        self._http = http
        self._allow_loopback = allow_loopback
        self._resolver = resolver

    async def issue(self, account: IssuerAccount, asked: Asked) -> Issued:
        """Ask for a code for each unit."""
        outcome, raw, why = await self._post(
            account,
            {
                "type": "issue",
                "merchant_id": str(asked.merchant_id),
                "order_id": str(asked.order_id),
                "deal_id": str(asked.deal_id),
                "title": asked.title,
                "unit_ids": [str(unit_id) for unit_id in asked.unit_ids],
                "due_at": asked.due_at.isoformat(),
            },
        )
        if outcome is not Outcome.OK:
            return Issued(outcome, why=why)
        try:
            answer = _Answer.model_validate_json(raw or b"{}")
        except ValidationError:
            return Issued(Outcome.UNKNOWN, why="unreadable")
        wanted = set(asked.unit_ids)
        return Issued(Outcome.OK, tuple((one.unit_id, one.code) for one in answer.codes if one.unit_id in wanted))

    async def void(self, account: IssuerAccount, order_id: UUID, unit_ids: Sequence[UUID]) -> Outcome:
        """Take back whatever was made for these units."""
        outcome, _, _ = await self._post(
            account, {"type": "void", "order_id": str(order_id), "unit_ids": [str(unit_id) for unit_id in unit_ids]}
        )
        return outcome

    async def _post(self, account: IssuerAccount, content: dict[str, Any]) -> tuple[Outcome, bytes, str]:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            url = check_url(account.url, allow_loopback=self._allow_loopback)
            address = await address_of(url, allow_loopback=self._allow_loopback, resolver=self._resolver)
            # The connection goes to the address that was checked; the name is what the certificate must be for.
            request = self._http.build_request(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers={
                    **signed_headers(account.secret, url.path, body, datetime.now(UTC)),
                    "host": url.netloc.decode(),
                    "content-type": "application/json",
                },
                timeout=httpx.Timeout(TIMEOUT_S, connect=3.0),
                extensions={"sni_hostname": url.host},
            )
            answer = await self._http.send(request, stream=True, follow_redirects=False)
            try:
                return await _read(answer)
            finally:
                await answer.aclose()
        except AddressRefused:
            return Outcome.REFUSED, b"", "address_refused"
        except (httpx.HTTPError, OSError) as error:
            return Outcome.UNKNOWN, b"", type(error).__name__


async def _read(answer: httpx.Response) -> tuple[Outcome, bytes, str]:
    why = f"http_{answer.status_code}"
    if answer.is_client_error and answer.status_code not in (408, 425, 429):
        return Outcome.REFUSED, b"", why
    if answer.status_code not in (200, 202):
        return Outcome.UNKNOWN, b"", why
    raw = b""
    async for piece in answer.aiter_bytes():
        raw += piece
        if len(raw) > _LARGEST_ANSWER:
            return Outcome.UNKNOWN, b"", "too_large"
    return Outcome.OK, raw if answer.status_code == 200 else b"", why
