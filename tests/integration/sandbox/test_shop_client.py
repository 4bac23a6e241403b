"""The shop's own Alipay client and the sandbox, each written from the documents alone, understand each other."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.alipay import AlipayClient, AlipaySettings, Outcome
from tests.integration.sandbox.stage import SMID, SandboxProcess, Shop, wire


@pytest.fixture
async def client(sandbox: SandboxProcess, shop: Shop, out_no: str) -> AsyncIterator[AlipayClient]:
    settings = AlipaySettings(
        gateway_url=f"{sandbox.url}/alipay/gateway.do",
        app_private_key_file=sandbox.keys / "app_private.pem",
        alipay_public_key_file=sandbox.keys / "alipay_public.pem",
        notify_url=f"{shop.url}/notify/{out_no}",
    )
    async with httpx.AsyncClient(trust_env=False) as http:
        yield AlipayClient(settings, http)


@pytest.fixture
async def controls(sandbox: SandboxProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as http:
        yield http


def payment(out_no: str) -> dict[str, object]:
    return {
        "out_trade_no": out_no,
        "total_amount": "128.00",
        "subject": '老码头双人火锅套餐 {"a": "}"}',
        "product_code": "QUICK_WAP_PAY",
        "time_expire": wire(minutes=15),
        "sub_merchant": {"merchant_id": SMID},
        "settle_info": {"settle_detail_infos": [{"trans_in_type": "defaultSettle", "amount": "128.00"}]},
    }


async def test_a_trade_lives_from_its_pay_link_to_its_confirm(
    client: AlipayClient, controls: httpx.AsyncClient, shop: Shop, out_no: str
) -> None:
    unknown = await client.call("alipay.trade.query", {"out_trade_no": out_no})
    assert (unknown.outcome, unknown.sub_code) == (Outcome.REFUSED, "ACQ.TRADE_NOT_EXIST")

    pay_url = client.page_url("alipay.trade.wap.pay", payment(out_no), f"{shop.url}/return")
    (await controls.post("/_sim/alipay/pay", json={"pay_url": pay_url})).raise_for_status()
    [notify] = await asyncio.to_thread(shop.wait_for, f"/notify/{out_no}")
    assert client.verify_notify(notify.form)
    assert not client.verify_notify({**notify.form, "total_amount": "0.01"})

    paid = await client.call("alipay.trade.query", {"out_trade_no": out_no})
    assert (paid.outcome, paid.fields["trade_status"]) == (Outcome.OK, "TRADE_SUCCESS")
    refund = {"out_trade_no": out_no, "refund_amount": "28.00", "out_request_no": f"{out_no}r"}
    refunded = await client.call("alipay.trade.refund", refund)
    assert (refunded.outcome, refunded.fields["fund_change"]) == (Outcome.OK, "Y")
    detail = {"trans_in_type": "defaultSettle", "amount": "100.00"}
    confirm = {
        "trade_no": paid.fields["trade_no"],
        "out_request_no": f"{out_no}c",
        "settle_info": {"settle_detail_infos": [detail]},
    }
    assert (await client.call("alipay.trade.settle.confirm", confirm)).outcome is Outcome.OK


async def test_faults_come_out_as_what_can_be_known(
    client: AlipayClient, controls: httpx.AsyncClient, shop: Shop, out_no: str
) -> None:
    pay_url = client.page_url("alipay.trade.wap.pay", payment(out_no), f"{shop.url}/return")
    (await controls.post("/_sim/alipay/pay", json={"pay_url": pay_url})).raise_for_status()
    for fault, outcome in (
        ("commit_then_timeout", Outcome.UNKNOWN),
        ("http_500", Outcome.UNKNOWN),
        ("html_body", Outcome.UNKNOWN),
        ("bad_signature", Outcome.UNKNOWN),
        ("unknown_code", Outcome.UNKNOWN),
        ("throttle", Outcome.NOT_SENT),
    ):
        script = [{"operation": "trade.fastpay.refund.query", "fault": fault, "seconds": 0}]
        (await controls.put("/_sim/faults/alipay", json=script)).raise_for_status()
        ask = {"out_trade_no": out_no, "out_request_no": f"{out_no}r"}
        answer = await client.call("alipay.trade.fastpay.refund.query", ask)
        assert answer.outcome is outcome, fault
    (await controls.delete("/_sim/faults/alipay")).raise_for_status()
