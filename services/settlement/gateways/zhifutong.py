"""直付通, the rail for third parties: the sub-merchant's money waits in the trade until it is confirmed."""

from dataclasses import dataclass

from services.settlement.domain.payouts import Instruction
from services.settlement.gateways.port import RailAnswer
from shared.alipay import AlipayClient, Answer, Outcome
from shared.money import fen, yuan
from shared.observability import log

_CONFIRM = "alipay.trade.settle.confirm"

# For these Alipay's documents say that the call may have worked, and to make the same call again.
_MAY_HAVE_WORKED = frozenset({"ACQ.TRADE_SETTLE_ERROR"})


@dataclass(frozen=True, slots=True)
class Zhifutong:
    """直付通: the sub-merchant's money waits in the trade until it is confirmed (alipay.trade.settle.confirm)."""

    alipay: AlipayClient
    partial_confirms: bool
    pays_third_parties: bool = True

    async def pay(self, instruction: Instruction) -> RailAnswer:
        """Confirm the gross amount to the trade's own sub-merchant; Alipay keeps its fee of it."""
        answer = await self.alipay.call(
            _CONFIRM,
            {
                "out_request_no": instruction.number,
                "trade_no": instruction.trade_no,
                "settle_info": {
                    "settle_detail_infos": [
                        {"trans_in_type": "defaultSettle", "amount": yuan(instruction.gross_fen)},
                    ]
                },
            },
        )
        if answer.outcome is Outcome.OK:
            return RailAnswer(Outcome.OK, answer.code, answer.text, _fee_kept(instruction, answer))
        if answer.sub_code in _MAY_HAVE_WORKED:
            return RailAnswer(Outcome.UNKNOWN, answer.sub_code, answer.text, denied=True)
        return RailAnswer(answer.outcome, answer.sub_code or answer.code, answer.text)


def _fee_kept(instruction: Instruction, answer: Answer) -> int | None:
    """The fee, when Alipay's `settle_amount` names what arrived; None when it repeats what was asked for."""
    try:
        settled_fen = fen(str(answer.fields.get("settle_amount", "")))
    except ValueError:
        return None
    if settled_fen == instruction.gross_fen:
        return None
    if not 0 <= settled_fen < instruction.gross_fen:
        log.error("settle_amount_is_strange", instruction=instruction.number, settled_fen=settled_fen)
        return None
    return instruction.gross_fen - settled_fen
