"""Alipay's side of a test: a real sandbox process, trades that buyers have paid, and the book that must agree."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from shared.clock import Clock
from shared.money import yuan
from tests.integration.sandbox.stage import SandboxProcess, Shop, client_for, wire


@dataclass(frozen=True, slots=True)
class Channel:
    """The sandbox as Alipay, seen from outside settlement."""

    process: SandboxProcess

    def paid_trade(self, amount_fen: int) -> dict[str, Any]:
        """A 直付通 trade that its buyer has paid: the facts of an order_paid about it."""
        client = client_for(self.process, Shop(self.process.url))
        # Payable for long, because tests move the clock that the channel goes by.
        expiry = wire(days=60)
        trade = client.paid(uuid4().hex, yuan(amount_fen), scenario="no_notify", time_expire=expiry)
        return {"trade_no": trade["trade_no"], "out_trade_no": trade["out_trade_no"]}

    def own_trade(self, amount_fen: int) -> dict[str, Any]:
        """A trade whose money is the platform's own: without a sub-merchant."""
        client = client_for(self.process, Shop(self.process.url))
        number = uuid4().hex
        body = {"pay_url": client.pay_url(number, yuan(amount_fen), time_expire=wire(days=60)), "scenario": "no_notify"}
        trade = self._http().post("/_sim/alipay/pay", json=body).raise_for_status().json()
        return {"trade_no": trade["trade_no"], "out_trade_no": number, "sub_merchant_id": None}

    def transferred(self, number: str) -> list[int]:
        """The amounts that the channel's book has moved under one number."""
        return [
            entry["amount_fen"]
            for entry in self._entries()
            if entry["kind"] == "transfer" and entry["out_request_no"] == number
        ]

    def sums(self) -> dict[str, int]:
        """The channel's book added up."""
        book = self._http().get("/_sim/alipay/book", params={"limit": 0}).json()
        return {name: fen for name, fen in book.items() if name.endswith("_fen")}

    def settled(self, trade_no: str) -> list[tuple[int, int]]:
        """(gross, fee) of every confirm of a trade in the channel's own book."""
        return [
            (entry["amount_fen"], entry["fee_fen"])
            for entry in self._entries()
            if entry["kind"] == "settle" and entry["trade_no"] == trade_no
        ]

    def script(self, fault: str, operation: str = "alipay.trade.settle.confirm", **details: Any) -> None:
        """Let the next call of an operation go wrong."""
        body = [{"operation": operation, "fault": fault, **details}]
        self._http().put("/_sim/faults/alipay", json=body).raise_for_status()

    def forget_scripts(self) -> None:
        """Nothing goes wrong any more."""
        self._http().delete("/_sim/faults/alipay").raise_for_status()

    def advance_clock(self, seconds: float) -> None:
        """Move business time of everything that follows the sandbox."""
        self._http().post("/clock/advance", json={"seconds": seconds}).raise_for_status()

    def offset_s(self) -> float:
        """How far the channel's business time is from real time."""
        return float(self._http().get("/clock").json()["offset_s"])

    def lead(self, clock: Clock) -> None:
        """Let a clock show the channel's time."""
        clock.move_to_offset(self.offset_s())

    def refund(self, out_trade_no: str, amount_fen: int, number: str) -> None:
        """Somebody gives money back at the channel itself."""
        body = {"out_trade_no": out_trade_no, "amount_fen": amount_fen, "out_request_no": number}
        self._http().post("/_sim/alipay/external-refund", json=body).raise_for_status()

    def _entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        since: int | None = 0
        while since is not None:
            page = self._http().get("/_sim/alipay/book", params={"since": since, "limit": 1000}).json()
            entries += page["entries"]
            since = page["next_since"]
        return entries

    def _http(self) -> httpx.Client:
        return httpx.Client(base_url=self.process.url, trust_env=False, timeout=30)
