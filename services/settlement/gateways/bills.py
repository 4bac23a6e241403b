"""Alipay's bills of a day: asked for by name, fetched within the 30 seconds that the address lives."""

from dataclasses import dataclass
from datetime import date

import httpx

from services.settlement.domain.bills import BillKind
from shared.alipay import AlipayClient, Outcome
from shared.errors import Conflict, DomainError

_QUERY = "alipay.data.dataservice.bill.downloadurl.query"
_LARGEST_BYTES = 64 * 2**20
_FETCH_S = 20.0


class BillNotReady(Conflict):
    """Facts: answer."""

    code = "bill_not_ready"
    zh = "支付宝账单尚未生成，或当天没有任何流水（{answer}）"
    en = "Alipay has no bill of that day: it comes after 10:00 on the next one, and only if money has moved ({answer})"


class ChannelAway(DomainError):
    """Facts: answer."""

    status = 503
    code = "channel_away"
    zh = "支付宝暂时没有给出账单，请重试（{answer}）"
    en = "Alipay did not hand out the bill; ask again ({answer})"


@dataclass(frozen=True, slots=True)
class Bills:
    """Downloads through the same signed client as everything else; the zip itself comes from a plain address."""

    alipay: AlipayClient
    http: httpx.AsyncClient

    async def download(self, day: date, kind: BillKind) -> bytes:
        """The zip as Alipay packed it. Raises BillNotReady or ChannelAway."""
        answer = await self.alipay.call(_QUERY, {"bill_type": kind.value, "bill_date": day.isoformat()})
        if answer.outcome is Outcome.REFUSED:
            raise BillNotReady(answer=answer.sub_code or answer.code)
        if answer.outcome is not Outcome.OK:
            raise ChannelAway(answer=answer.sub_code or answer.text)
        try:
            return await self._fetch(str(answer.fields["bill_download_url"]))
        except (httpx.HTTPError, httpx.InvalidURL, KeyError) as error:
            raise ChannelAway(answer=type(error).__name__) from error

    async def _fetch(self, address: str) -> bytes:
        content = bytearray()
        async with self.http.stream("GET", address, timeout=_FETCH_S) as response:
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _LARGEST_BYTES:
                    raise ChannelAway(answer=f"more than {_LARGEST_BYTES} bytes")
        return bytes(content)
