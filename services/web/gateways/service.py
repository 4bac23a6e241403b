"""How the pages ask a service: token, language and correlation id out; a parsed answer, a refusal or silence in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from services.web.formats import Language
from shared.observability import correlation_id, log


class View(BaseModel):
    """What a page reads of an answer; services may say more."""

    model_config = ConfigDict(extra="ignore", frozen=True)


@dataclass(frozen=True, slots=True)
class Asker:
    """On whose behalf, in which language, and from which address a service is asked."""

    token: str | None
    language: Language
    address: str | None = None


class Refused(Exception):
    """The service understood and said no. `code` is stable; `title` is in the asker's language."""

    def __init__(self, status: int, code: str, title: str, facts: Mapping[str, Any]) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title
        self.facts = facts


class Silent(Exception):
    """No usable answer: the service is down, too slow or broken. Whether it acted is unknown."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


def _if_match(seen: int | None) -> dict[str, str]:
    return {} if seen is None else {"if-match": f'"{seen}"'}


@dataclass(frozen=True, slots=True)
class File:
    """Bytes that a page shows as they are."""

    content: bytes
    content_type: str


class Service:
    """One service's HTTP API."""

    def __init__(self, name: str, base_url: str, http: httpx.AsyncClient) -> None:
        self._name = name
        self._base_url = base_url.rstrip("/")
        self._http = http

    async def get(self, asker: Asker, path: str, **params: str | float | None) -> Any:
        return await self._ask(asker, "GET", path, {}, params={k: v for k, v in params.items() if v is not None})

    async def put(self, asker: Asker, path: str, body: Mapping[str, Any], *, seen: int | None = None) -> Any:
        """`seen` is the version that the visitor decided on; the service refuses if it has moved on (If-Match)."""
        return await self._ask(asker, "PUT", path, _if_match(seen), json=body)

    async def delete(self, asker: Asker, path: str, *, seen: int | None = None) -> Any:
        """`seen` as for `put`."""
        return await self._ask(asker, "DELETE", path, _if_match(seen))

    async def post(self, asker: Asker, path: str, body: Mapping[str, Any]) -> Any:
        return await self._ask(asker, "POST", path, {}, json=body)

    async def file(self, asker: Asker, path: str) -> File:
        answer = await self._answer(asker, "GET", path, {})
        if not answer.is_success:
            self._understand(answer)
        return File(answer.content, answer.headers.get("content-type", ""))

    async def download(self, asker: Asker, path: str, **params: str | None) -> httpx.Response:
        """An answer of any length, whose body the caller reads piece by piece, and closes."""
        wanted = {name: value for name, value in params.items() if value is not None}
        answer = await self._answer(asker, "GET", path, {}, in_pieces=True, params=wanted)
        if not answer.is_success:
            await answer.aread()
            self._understand(answer)
        return answer

    async def _ask(self, asker: Asker, method: str, path: str, headers: dict[str, str], **sent: Any) -> Any:
        return self._understand(await self._answer(asker, method, path, headers, **sent))

    async def _answer(
        self, asker: Asker, method: str, path: str, headers: dict[str, str], *, in_pieces: bool = False, **sent: Any
    ) -> httpx.Response:
        headers |= {"accept-language": asker.language, "x-correlation-id": correlation_id()}
        if asker.token:
            headers["authorization"] = f"Bearer {asker.token}"
        if asker.address:
            headers["x-forwarded-for"] = asker.address
        try:
            return await self._send(method, path, headers, sent, in_pieces=in_pieces)
        except httpx.HTTPError as error:
            log.warning("service_silent", service_asked=self._name, method=method, reason=type(error).__name__)
            raise Silent(self._name) from error

    async def _send(
        self, method: str, path: str, headers: dict[str, str], sent: Mapping[str, Any], *, in_pieces: bool
    ) -> httpx.Response:
        request = self._http.build_request(method, self._base_url + path, headers=headers, **sent)
        try:
            return await self._http.send(request, stream=in_pieces)
        except (httpx.ConnectError, httpx.RemoteProtocolError):
            # A kept connection that the other side just closed. Every act is a PUT under the client's own id or a
            # question, so that asking twice is safe.
            return await self._http.send(request, stream=in_pieces)

    def _understand(self, answer: httpx.Response) -> Any:
        if answer.status_code >= 500:
            log.warning("service_failed", service_asked=self._name, status=answer.status_code)
            raise Silent(self._name)
        if answer.status_code == 204:
            return None
        try:
            body = answer.json()
        except ValueError as error:
            raise Silent(self._name) from error
        if answer.is_success:
            return body
        known = {"type", "title", "status", "code", "instance", "trace_id", "detail"}
        raise Refused(
            status=answer.status_code,
            code=str(body.get("code", "refused")),
            title=str(body.get("title", "")),
            facts={name: value for name, value in body.items() if name not in known},
        )
