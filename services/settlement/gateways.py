"""The outside world: rails that pay merchants, of which 直付通 (Alipay's settle.confirm) is the one in use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.settlement.domain.payouts import Instruction, Terms
from shared.alipay import AlipayClient, Answer, Outcome
from shared.contracts.catalog import Rail
from shared.money import fen, yuan
from shared.observability import log

_CONFIRM = "alipay.trade.settle.confirm"

# For these Alipay's documents say that the call may have worked, and to make the same call again.
_MAY_HAVE_WORKED = frozenset({"ACQ.TRADE_SETTLE_ERROR"})


@dataclass(frozen=True, slots=True)
class RailAnswer:
    """What is known after a payment was ordered; `fee_fen` is what the channel says it kept, if it says so."""

    outcome: Outcome
    code: str = ""
    text: str = ""
    fee_fen: int | None = None


class PayoutRail(Protocol):
    """A way to pay merchants. `pay` may be repeated with the same instruction and pays once; it never raises for what
    the channel or the network does. A transfer from the platform's own account would be a rail with
    `pays_third_parties` false: for self-operated shops only, since anything else is unlicensed clearing (二清)."""

    @property
    def pays_third_parties(self) -> bool: ...

    @property
    def partial_confirms(self) -> bool:
        """Whether one trade may be paid out in several parts; otherwise only at once, when its last use is final."""
        ...

    async def pay(self, instruction: Instruction) -> RailAnswer: ...


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
        outcome = Outcome.UNKNOWN if answer.sub_code in _MAY_HAVE_WORKED else answer.outcome
        return RailAnswer(outcome, answer.sub_code or answer.code, answer.text)


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


@dataclass(frozen=True, slots=True)
class World:
    """What routes and timers of this service may call, and the terms it works by."""

    terms: Terms
    rails: Mapping[Rail, PayoutRail]

    @property
    def paying_rails(self) -> list[Rail]:
        """The rails on which third parties may be paid."""
        return [name for name, rail in self.rails.items() if rail.pays_third_parties]

    @property
    def rails_in_parts(self) -> list[Rail]:
        return [name for name, rail in self.rails.items() if rail.partial_confirms]
