"""快递100 tells no cancel fee: it is what the contract says, and unknown without one."""

import httpx
import pytest

from services.dispatch.domain.attempts import AttemptState
from services.dispatch.gateways.kuaidi100 import Kuaidi100
from services.dispatch.gateways.port import CancelReason, ProviderRef

REF = ProviderRef("d" * 32, "task/order")


@pytest.mark.parametrize("by_contract", [None, 0, 150])
async def test_a_cancelled_order_costs_what_the_contract_says(by_contract: int | None) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        told = {"result": True, "returnCode": "200", "message": "成功", "data": {"status": 9}}
        return httpx.Response(200, json=told)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        carrier = Kuaidi100(cancel_fee_fen=by_contract).open(http)
        cancelled = await carrier.cancel(REF, CancelReason.MERCHANT)
        assert cancelled.value is not None
        assert cancelled.value.fee_fen == by_contract
        seen = await carrier.query(REF)
        assert seen.value is not None
        assert (seen.value.state, seen.value.cancel_fee_fen) == (AttemptState.CANCELLED, by_contract)
