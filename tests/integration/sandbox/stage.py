"""The people of the sandbox's tests: its process, a shop that receives notifies, an independent Alipay client."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import httpx
import pytest
from alipay import AliPay

APP_ID = "2021000000000001"
SMID = "2088123412341234"
SHANGHAI = ZoneInfo("Asia/Shanghai")
T = TypeVar("T")
QUICK = "[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]"


def until(probe: Callable[[], T], what: str, timeout_s: float = 20.0) -> T:
    """The first true answer of `probe`; fails with `what` when none comes in time."""
    deadline = time.monotonic() + timeout_s
    while not (answer := probe()):
        if time.monotonic() > deadline:
            pytest.fail(f"never happened: {what}")
        time.sleep(0.02)
    return answer


@dataclass
class Received:
    """One request that the sandbox sent to the shop."""

    path: str
    content_type: str
    body: str

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body, keep_blank_values=True))


@dataclass
class Shop:
    """Answers every callback with `answers[path]` (a list is used up, its last entry stays), or "success"."""

    url: str
    received: list[Received] = field(default_factory=list)
    answers: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    def wait_for(self, path: str, count: int = 1, timeout_s: float = 20.0) -> list[Received]:
        """At least `count` requests at `path`."""
        return until(
            lambda: found if len(found := self.at(path)) >= count else [], f"{count} requests at {path}", timeout_s
        )

    def answer_to(self, path: str) -> tuple[int, str]:
        scripted = self.answers.get(path)
        if not scripted:
            return 200, "success"
        return scripted.pop(0) if len(scripted) > 1 else scripted[0]


@dataclass
class SandboxProcess:
    """`python -m services.sandbox` on a free port, with its own state file and keys."""

    directory: Path
    keys: Path
    port: int
    extra: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GROUPBUY_")},
            "GROUPBUY_SANDBOX_STATE": str(self.directory / "state.sqlite3"),
            "GROUPBUY_SANDBOX_KEYS": str(self.keys),
            "GROUPBUY_SANDBOX_PORT": str(self.port),
            "GROUPBUY_SANDBOX_PUBLIC_URL": self.url,
            "GROUPBUY_SANDBOX_ALIPAY_NOTIFY_INTERVALS_S": QUICK,
            "GROUPBUY_SANDBOX_DADA__CALLBACK_INTERVALS_S": QUICK,
            "GROUPBUY_SANDBOX_ISHANSONG__CALLBACK_INTERVALS_S": QUICK,
            "GROUPBUY_SANDBOX_KUAIDI100__CALLBACK_INTERVALS_S": QUICK,
            "GROUPBUY_SANDBOX_CARRIERS_STEP_S": "0.1",
            **self.extra,
        }
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.sandbox"], env=environment, stdout=log, stderr=log
            )
        until(self._answers, "the sandbox answers /readyz", timeout_s=60)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def ask_to_stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """End it as an operator would; its exit status."""
        assert self.process is not None
        self.ask_to_stop()
        return self.process.wait(timeout=30)

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"the sandbox ended: {self.log()}")
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False


@dataclass
class ShopSide:
    """The shop's half of Alipay's protocol, spoken by an independent SDK."""

    http: httpx.Client
    sdk: Any
    shop: Shop

    def pay_url(self, out_trade_no: str, amount: str = "128.00", **terms: Any) -> str:
        signed = self.sdk.api_alipay_trade_wap_pay(
            subject=terms.pop("subject", "老码头双人火锅套餐"),
            out_trade_no=out_trade_no,
            total_amount=amount,
            return_url=f"{self.shop.url}/return",
            notify_url=f"{self.shop.url}/notify/{out_trade_no}",
            **{"time_expire": wire(minutes=15), **terms},
        )
        return f"{self.http.base_url}/alipay/gateway.do?{signed}"

    def page_url(self, out_trade_no: str, amount: str = "128.00", **terms: Any) -> str:
        """The same for the browser of a desk."""
        return f"{self.http.base_url}/alipay/gateway.do?{self._signed('page', out_trade_no, amount, **terms)}"

    def app_order(self, out_trade_no: str, amount: str = "128.00", **terms: Any) -> str:
        """What an app hands to Alipay's app."""
        return str(self._signed("app", out_trade_no, amount, **terms))

    def _signed(self, way: str, out_trade_no: str, amount: str, **terms: Any) -> str:
        sign = getattr(self.sdk, f"api_alipay_trade_{way}_pay")
        back = {} if way == "app" else {"return_url": f"{self.shop.url}/return"}
        terms = {"time_expire": wire(minutes=15), "notify_url": f"{self.shop.url}/notify/{out_trade_no}"} | back | terms
        return str(sign(subject="老码头双人火锅套餐", out_trade_no=out_trade_no, total_amount=amount, **terms))

    def precreated(self, out_trade_no: str, amount: str = "128.00", **terms: Any) -> dict[str, Any]:
        """The node that answers a precreate, which the SDK signs as any call."""
        content = {
            "out_trade_no": out_trade_no,
            "total_amount": amount,
            "subject": "老码头双人火锅套餐",
            "time_expire": wire(minutes=15),
            **terms,
        }
        notify_url = f"{self.shop.url}/notify/{out_trade_no}"
        signed = self.sdk.client_api("alipay.trade.precreate", biz_content=content, notify_url=notify_url)
        answer = self.http.post("/alipay/gateway.do", data=dict(parse_qsl(signed)))
        return self.verified("alipay.trade.precreate", answer)

    def pay_url_for_merchant(self, out_trade_no: str, amount: str = "128.00", **terms: Any) -> str:
        settle = {"settle_detail_infos": [{"trans_in_type": "defaultSettle", "amount": amount}]}
        return self.pay_url(out_trade_no, amount, sub_merchant={"merchant_id": SMID}, settle_info=settle, **terms)

    def call(self, method: str, **content: Any) -> dict[str, Any]:
        """The node of a gateway answer whose signature the SDK accepted."""
        answer = self.http.post("/alipay/gateway.do", data=self.signed_form(method, **content))
        return self.verified(method, answer)

    def signed_form(self, method: str, **content: Any) -> dict[str, str]:
        return dict(parse_qsl(self.sdk.client_api(method, biz_content=content)))

    def verified(self, method: str, answer: httpx.Response) -> dict[str, Any]:
        node = self.sdk._verify_and_return_sync_response(answer.text, f"{method.replace('.', '_')}_response")
        assert isinstance(node, dict)
        return node

    def accepts(self, form: dict[str, str]) -> bool:
        """Whether the SDK takes a notify's or return's parameters for Alipay's."""
        params = dict(form)
        return bool(self.sdk.verify(params, params.pop("sign")))

    def paid(
        self, out_trade_no: str, amount: str = "128.00", scenario: str = "success", **terms: Any
    ) -> dict[str, Any]:
        """A 直付通 trade that its buyer has finished."""
        body = {"pay_url": self.pay_url_for_merchant(out_trade_no, amount, **terms), "scenario": scenario}
        answer = self.http.post("/_sim/alipay/pay", json=body)
        assert answer.status_code == 200, answer.text
        trade = answer.json()
        assert isinstance(trade, dict)
        return trade


def client_for(process: SandboxProcess, shop: Shop) -> ShopSide:
    sdk = AliPay(
        appid=APP_ID,
        app_private_key_string=(process.keys / "app_private.pem").read_text(),
        alipay_public_key_string=(process.keys / "alipay_public.pem").read_text(),
    )
    return ShopSide(httpx.Client(base_url=process.url, trust_env=False, timeout=30), sdk, shop)


StartSandbox = Callable[..., SandboxProcess]


def wire(*, minutes: float = 0, days: float = 0) -> str:
    """A time from now, as Alipay writes it."""
    moment = datetime.now(UTC) + timedelta(minutes=minutes, days=days)
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


def as_json(text: str) -> dict[str, Any]:
    read = json.loads(text)
    assert isinstance(read, dict)
    return read
