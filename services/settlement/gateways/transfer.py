"""A transfer from the platform's own Alipay account: for self-operated shops only, whose money it is already."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from services.settlement.domain.payouts import Instruction
from services.settlement.gateways.port import RailAnswer
from shared.alipay import AlipayClient, Answer, Outcome
from shared.money import yuan
from shared.observability import log
from shared.sealed import CannotOpen, Seals

_TRANSFER = "alipay.fund.trans.uni.transfer"
_QUERY = "alipay.fund.trans.common.query"
_USER_ID = re.compile(r"2088[0-9]{12}")

# What a transfer's `status` says. Anything else, such as DEALING or WAIT_PAY, is not decided.
_STATUS = {"SUCCESS": Outcome.OK, "FAIL": Outcome.REFUSED, "CLOSED": Outcome.REFUSED, "REFUND": Outcome.REFUSED}
# Refusals by name that are none: the transfer may be on its way.
_MAY_HAVE_WORKED = frozenset({"REQUEST_PROCESSING", "PAYMENT_INFO_INCONSISTENCY"})


@dataclass(frozen=True, slots=True)
class Transfer:
    """alipay.fund.trans.uni.transfer, from the platform's own money to a self-operated shop's account.

    What is refused here, before any call, has certainly not moved: a merchant who is not self-operated, an amount
    outside the limits, an account that does not open. An operator mends the setting or the account, and retries.
    """

    alipay: AlipayClient
    seals: Seals
    self_operated: Collection[UUID]
    minimum_fen: int
    cap_fen: int
    pays_third_parties: bool = False
    partial_confirms: bool = True

    async def pay(self, instruction: Instruction) -> RailAnswer:
        """Transfer what is left after the offset. A call that was made before is asked about first, by its number, and
        is repeated under it only when Alipay knows of none."""
        if instruction.net_fen == 0:
            return RailAnswer(Outcome.OK, "paid_off", "nothing left to transfer")
        if instruction.attempts > 1:
            known = await self._find(instruction)
            if known is not None:
                return known
        if (refused := self._refusal(instruction)) is not None:
            # An earlier call, by other settings, may still be on its way: then asking goes on for a while.
            return refused if instruction.attempts <= 1 else replace(refused, outcome=Outcome.UNKNOWN, denied=True)
        try:
            account = self.seals.open(instruction.sealed_payee or "")
            sealed_name = instruction.sealed_payee_name
            name = self.seals.open(sealed_name) if sealed_name else instruction.payee_name or ""
        except CannotOpen:
            return RailAnswer(Outcome.REFUSED, "account_does_not_open", "no key for the payout account")
        return _read(instruction, await self.alipay.call(_TRANSFER, _content(instruction, account, name)))

    async def _find(self, instruction: Instruction) -> RailAnswer | None:
        """What became of an earlier call; None if Alipay knows of none."""
        answer = await self.alipay.call(
            _QUERY,
            {
                "product_code": "TRANS_ACCOUNT_NO_PWD",
                "biz_scene": "DIRECT_TRANSFER",
                "out_biz_no": instruction.number,
            },
        )
        if answer.sub_code == "ORDER_NOT_EXIST":
            return None
        if answer.outcome is Outcome.OK:
            return _read(instruction, answer)
        # That a question was refused says nothing of the payment.
        return RailAnswer(Outcome.UNKNOWN, answer.sub_code or answer.code, answer.text)

    def _refusal(self, instruction: Instruction) -> RailAnswer | None:
        if instruction.merchant_id not in self.self_operated:
            return RailAnswer(Outcome.REFUSED, "not_self_operated", "transfers are for self-operated shops only")
        if instruction.net_fen > self.cap_fen:
            return RailAnswer(Outcome.REFUSED, "above_transfer_cap", f"{instruction.net_fen} > {self.cap_fen} fen")
        if instruction.net_fen < self.minimum_fen:
            return RailAnswer(Outcome.REFUSED, "below_transfer_minimum", f"{instruction.net_fen} fen")
        return None


def _content(instruction: Instruction, account: str, name: str) -> dict[str, object]:
    by_number = _USER_ID.fullmatch(account) is not None
    payee = {"identity": account, "identity_type": "ALIPAY_USER_ID" if by_number else "ALIPAY_LOGON_ID"}
    if not by_number:
        payee["name"] = name
    return {
        "out_biz_no": instruction.number,
        "trans_amount": yuan(instruction.net_fen),
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "order_title": "团购货款结算",
        "payee_info": payee,
    }


def _read(instruction: Instruction, answer: Answer) -> RailAnswer:
    if answer.outcome is not Outcome.OK:
        outcome = Outcome.UNKNOWN if answer.sub_code in _MAY_HAVE_WORKED else answer.outcome
        return RailAnswer(outcome, answer.sub_code or answer.code, answer.text)
    status = str(answer.fields.get("status", ""))
    if str(answer.fields.get("out_biz_no", "")) != instruction.number:
        log.error("transfer_answer_is_strange", instruction=instruction.number)
        return RailAnswer(Outcome.UNKNOWN, "other_number", "the answer is about another transfer")
    return RailAnswer(_STATUS.get(status, Outcome.UNKNOWN), str(answer.fields.get("error_code", status)), status)
