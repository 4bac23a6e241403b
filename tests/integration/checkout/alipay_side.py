"""Alipay's notifies as an independent SDK signs them, so that a test may say what it likes in Alipay's name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alipay import AliPay

from tests.integration.checkout.stage import Purchase

APP_ID = "2021000000000001"
SELLER_ID = "2088000000000001"


@dataclass(frozen=True, slots=True)
class AlipayItself:
    """Holds Alipay's own key."""

    sdk: Any

    @classmethod
    def of(cls, keys: Path) -> "AlipayItself":
        alipay_private, app_public = (keys / "alipay_private.pem").read_text(), (keys / "app_public.pem").read_text()
        return cls(AliPay(APP_ID, None, alipay_private, app_public))

    def signed(self, facts: dict[str, str]) -> dict[str, str]:
        """The form of a notify: what is empty, and the signature with its type, stand outside the signature."""
        text = "&".join(f"{name}={facts[name]}" for name in sorted(facts) if facts[name])
        return {**facts, "sign_type": "RSA2", "sign": self.sdk._sign(text)}

    def has_signed(self, fields: dict[str, str]) -> bool:
        """Whether the application has signed these parameters of a request."""
        rest = dict(fields)
        signature = rest.pop("sign")
        text = "&".join(f"{name}={rest[name]}" for name in sorted(rest) if rest[name])
        return bool(self.sdk._verify(text, signature))


def payment_of(purchase: Purchase, **changes: str | None) -> dict[str, str]:
    """What Alipay says about a payment, with a field that nobody knows yet; None leaves a field out."""
    facts: dict[str, str | None] = {
        "notify_type": "trade_status_sync",
        "notify_id": "2036112200222120000000000000000001",
        "charset": "utf-8",
        "version": "1.0",
        "app_id": APP_ID,
        "seller_id": SELLER_ID,
        "out_trade_no": purchase.out_trade_no,
        "trade_no": "2036112222001412345678901234",
        "total_amount": "128.00",
        "trade_status": "TRADE_SUCCESS",
        "gmt_payment": "2036-11-22 12:00:00",
        "a_field_of_next_year": "新=字段&",
        **changes,
    }
    return {name: value for name, value in facts.items() if value is not None}
