"""One line of Alipay's book, and what the lines add up to."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement; `amount_fen` is positive and before the fee, the kind says its direction.

    payment: buyer → Alipay; refund: → buyer; clawback: sub-merchant → Alipay (the part of a refund that was already
    confirmed); settle: Alipay → sub-merchant, less `fee_fen`; withdrawal: sub-merchant's Alipay balance → bank;
    transfer: the platform's own money → another account (`out_request_no` is its out_biz_no).
    """

    seq: int
    kind: str
    trade_no: str
    out_trade_no: str
    out_request_no: str
    amount_fen: int
    fee_fen: int
    smid: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Sums:
    """The book added up, in fen: received + clawed back = refunded + settled + fee + held, at every moment. Settled is
    what reached merchants, by a confirm or by a transfer."""

    received_fen: int
    refunded_fen: int
    clawed_back_fen: int
    settled_fen: int
    fee_fen: int

    @property
    def held_fen(self) -> int:
        return self.received_fen + self.clawed_back_fen - self.refunded_fen - self.settled_fen - self.fee_fen
