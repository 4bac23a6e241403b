"""The port of a rail: a way to pay merchants, and what it can do."""

from dataclasses import dataclass
from typing import Protocol

from services.settlement.domain.payouts import Instruction
from shared.alipay import Outcome


@dataclass(frozen=True, slots=True)
class RailAnswer:
    """What is known after a payment was ordered; `fee_fen` is what the channel says it kept, if it says so."""

    outcome: Outcome
    code: str = ""
    text: str = ""
    fee_fen: int | None = None
    denied: bool = False
    """UNKNOWN, although the channel has answered: it denies having paid and asks for the same call again. One that
    denies every repetition of a number has not paid under it, since it answers a number that has worked with yes."""


class PayoutRail(Protocol):
    """A way to pay merchants. `pay` may be repeated with the same instruction and pays once; it never raises for what
    the channel or the network does. A transfer from the platform's own account is a rail with `pays_third_parties`
    false: for self-operated shops only, since anything else is unlicensed clearing (二清)."""

    @property
    def pays_third_parties(self) -> bool: ...

    @property
    def partial_confirms(self) -> bool:
        """Whether one trade may be paid out in several parts; otherwise only at once, when its last use is final."""
        ...

    async def pay(self, instruction: Instruction) -> RailAnswer: ...
