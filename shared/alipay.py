"""Alipay's open gateway: signed requests, answers checked on their raw text, and outcomes that never guess."""

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import BaseModel, Field

from shared.clock import SHANGHAI
from shared.observability import log

_PEM = b"-----BEGIN"
_CONNECT_S = 3.0
_SUCCESS = "10000"
_UNAVAILABLE = "20000"
_THROTTLED = "40005"
# Refusals by name that are none: Alipay itself does not know, and its documents say to query.
_UNKNOWN_SUB_CODES = frozenset({"ACQ.SYSTEM_ERROR", "SYSTEM_ERROR", "isp.unknow-error", "isp.unknown-error"})


class AlipaySettings(BaseModel):
    """Who we are at Alipay and where it is. Key files: PEM, or the bare base64 that Alipay's key tool writes."""

    gateway_url: str = "http://127.0.0.1:8006/alipay/gateway.do"
    page_gateway_url: str | None = Field(
        default=None, description="The gateway as browsers reach it, where that is another address than ours"
    )
    app_id: str = "2021000000000001"
    seller_id: str = Field(default="2088000000000001", description="The platform's own account, as notifies name it")
    app_private_key_file: Path = Path("var/keys/app_private.pem")
    alipay_public_key_file: Path = Path("var/keys/alipay_public.pem")
    notify_url: str = "http://127.0.0.1:8002/alipay/notify"
    return_url: str = Field(
        default="http://127.0.0.1:8000/orders",
        description="The orders' page; the buyer comes back to `/<order id>/result` below it. That proves nothing.",
    )
    timeout_s: float = Field(default=8.0, gt=0, le=20)


class Outcome(StrEnum):
    """What is known after a call. Only OK and REFUSED are facts about the trade."""

    OK = "OK"
    REFUSED = "REFUSED"
    """Definitely not done: branch on `sub_code`, never on the text."""
    NOT_SENT = "NOT_SENT"
    """Certainly not taken (no connection, or throttled): the same call may be made again at once."""
    UNKNOWN = "UNKNOWN"
    """Done or not, nobody knows: ask before repeating."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one call; `fields` is the response node as Alipay signed it (empty unless it answered)."""

    outcome: Outcome
    fields: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    sub_code: str = ""
    text: str = ""


class AlipayClient:
    """One application's view of the gateway. The HTTP client belongs to the caller."""

    def __init__(self, settings: AlipaySettings, http: httpx.AsyncClient) -> None:
        self.settings = settings
        self._http = http
        self._private_key = _private_key(settings.app_private_key_file.read_bytes())
        self._alipay_key = _public_key(settings.alipay_public_key_file.read_bytes())

    async def call(self, method: str, biz_content: Mapping[str, Any], notify_url: str = "") -> Answer:
        """Make one call. Never raises for what the network or Alipay does: the outcome says what is known.
        `notify_url` is for a call that opens a trade."""
        form = self._signed(method, biz_content, notify_url=notify_url)
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                response = await self._http.post(
                    self.settings.gateway_url,
                    data=form,
                    timeout=httpx.Timeout(self.settings.timeout_s, connect=_CONNECT_S),
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Answer(Outcome.NOT_SENT, text=repr(error))
        except (httpx.HTTPError, TimeoutError) as error:
            return Answer(Outcome.UNKNOWN, text=repr(error))
        if response.status_code != httpx.codes.OK:
            return Answer(Outcome.UNKNOWN, text=f"HTTP {response.status_code}")
        return self._read(method, response.content)

    def page_url(self, method: str, biz_content: Mapping[str, Any], return_url: str) -> str:
        """A signed link that opens a page of Alipay's, such as the cashier of `alipay.trade.wap.pay`."""
        form = self._signed(method, biz_content, notify_url=self.settings.notify_url, return_url=return_url)
        return f"{self.settings.page_gateway_url or self.settings.gateway_url}?{urlencode(form)}"

    def order_string(self, method: str, biz_content: Mapping[str, Any]) -> str:
        """What an app hands to Alipay's app, such as the order of `alipay.trade.app.pay`: signed, never sent by us."""
        return urlencode(self._signed(method, biz_content, notify_url=self.settings.notify_url))

    def verify_notify(self, fields: Mapping[str, str]) -> bool:
        """Whether Alipay signed exactly these decoded form fields. Unknown fields count; only the signature and its
        type stand outside it."""
        if fields.get("sign_type", "RSA2") != "RSA2":
            return False
        signed = {name: value for name, value in fields.items() if name not in ("sign", "sign_type")}
        return self._is_genuine(joined(signed).encode(), fields.get("sign", ""))

    def _signed(self, method: str, biz_content: Mapping[str, Any], **extra: str) -> dict[str, str]:
        form = {
            "app_id": self.settings.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            # Alipay compares it with its own clock, so this is real time even where business time is moved.
            "timestamp": wire_time(datetime.now(UTC)),
            "version": "1.0",
            "biz_content": json.dumps(biz_content, ensure_ascii=False, separators=(",", ":")),
            **extra,
        }
        form = {name: value for name, value in form.items() if value}
        signature = self._private_key.sign(joined(form).encode(), padding.PKCS1v15(), hashes.SHA256())
        return {**form, "sign": base64.b64encode(signature).decode()}

    def _read(self, method: str, body: bytes) -> Answer:
        try:
            raw, node, signature = read_envelope(body.decode(), method)
        except (ValueError, RecursionError) as error:
            return Answer(Outcome.UNKNOWN, text=f"unreadable answer: {error}"[:200])
        code, sub_code = str(node.get("code", "")), str(node.get("sub_code", ""))
        text = str(node.get("sub_msg") or node.get("msg") or "")
        # Like Alipay's own clients: a refusal by the gateway may come unsigned, a success never.
        if (signature or code == _SUCCESS) and not self._is_genuine(raw.encode(), signature):
            log.critical("alipay_answer_not_genuine", method=method, code=code, signed=bool(signature))
            return Answer(Outcome.UNKNOWN, text="the answer's signature does not hold")
        return Answer(_outcome(code, sub_code), node, code, sub_code, text)

    def _is_genuine(self, content: bytes, signature: str) -> bool:
        try:
            self._alipay_key.verify(
                base64.b64decode(signature, validate=True), content, padding.PKCS1v15(), hashes.SHA256()
            )
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def joined(fields: Mapping[str, str]) -> str:
    """The text that RSA2 signs: non-empty fields, sorted by name, as `k=v&k=v`."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name] != "")


def wire_time(moment: datetime) -> str:
    """A moment as Alipay writes it: `yyyy-MM-dd HH:mm:ss` on the wall clock of Shanghai."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def read_wire_time(text: str) -> datetime:
    """The opposite of `wire_time`, in UTC; fractions of a second are dropped. Raises ValueError."""
    return datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI).astimezone(UTC)


def read_envelope(text: str, method: str) -> tuple[str, dict[str, Any], str]:
    """The response node's raw text (what the signature covers), the node itself, and the signature ('' if none).

    Members are scanned as JSON, so braces and quotes inside values do not matter, and nothing is serialised again.
    Raises ValueError for anything that is not Alipay's envelope.
    """
    members = _members(text)
    name = f"{method.replace('.', '_')}_response"
    found = members.get(name) or members.get("error_response")
    if found is None or not isinstance(found[1], dict):
        raise ValueError("no response node")
    signature = members.get("sign", ("", ""))[1]
    return found[0], found[1], signature if isinstance(signature, str) else ""


def _members(text: str) -> dict[str, tuple[str, Any]]:
    decoder = json.JSONDecoder()
    members: dict[str, tuple[str, Any]] = {}
    position = _after_space(text, 0)
    separator = "{"
    while text[position : position + 1] == separator:
        name, end = decoder.raw_decode(text, _after_space(text, position + 1))
        colon = _after_space(text, end)
        if not isinstance(name, str) or name in members or text[colon : colon + 1] != ":":
            raise ValueError("not an object with distinct names")
        start = _after_space(text, colon + 1)
        value, end = decoder.raw_decode(text, start)
        members[name] = (text[start:end], value)
        position, separator = _after_space(text, end), ","
    if text[position:].strip() != "}":
        raise ValueError("not one object")
    return members


def _after_space(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t", "\r", "\n"):
        position += 1
    return position


def _outcome(code: str, sub_code: str) -> Outcome:
    if code == _SUCCESS:
        return Outcome.OK
    if code == _THROTTLED:
        return Outcome.NOT_SENT
    if code == _UNAVAILABLE or sub_code.removeprefix("aop.") in _UNKNOWN_SUB_CODES or not code.startswith("4"):
        return Outcome.UNKNOWN
    return Outcome.REFUSED


def _private_key(content: bytes) -> rsa.RSAPrivateKey:
    if content.lstrip().startswith(_PEM):
        key = load_pem_private_key(content, password=None)
    else:
        key = load_der_private_key(base64.b64decode(content), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("Alipay's RSA2 needs an RSA private key")
    return key


def _public_key(content: bytes) -> rsa.RSAPublicKey:
    if content.lstrip().startswith(_PEM):
        key = load_pem_public_key(content)
    else:
        key = load_der_public_key(base64.b64decode(content))
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("Alipay's RSA2 needs an RSA public key")
    return key
