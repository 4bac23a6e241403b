"""A merchant who is to be paid, orders and uses as the events tell of them, and a rail that answers as a test says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from services.settlement import consumers
from services.settlement.domain.payouts import Instruction
from services.settlement.gateways import RailAnswer, World
from services.settlement.store.runs import SEND_INSTRUCTION
from services.settlement.use_cases import run
from shared.alipay import Outcome
from shared.clock import Clock, business_day, start_of_day
from shared.contracts import Event
from shared.contracts.catalog import (
    DealKind,
    MerchantChanged,
    MerchantState,
    PayoutAccountChanged,
    PayoutAccountState,
    Rail,
    StaffChanged,
    StaffRole,
)
from shared.contracts.checkout import OrderPaid, RefundCause, RefundedUnit, RefundSucceeded, Unit, UseValue
from shared.contracts.dispatch import ParcelReceived
from shared.contracts.redemption import CertificateUsed, UseFinal
from shared.contracts.use_rules import UseRules
from shared.database import Database
from shared.ids import new_id
from shared.messaging.timers import Due

E = TypeVar("E", bound=Event)
OK = RailAnswer(Outcome.OK, "10000")
UNKNOWN = RailAnswer(Outcome.UNKNOWN)
NOT_SENT = RailAnswer(Outcome.NOT_SENT)
REFUSED = RailAnswer(Outcome.REFUSED, "ACQ.TRADE_STATUS_ERROR", "交易状态不合法")


@dataclass
class ScriptedRail:
    """Pays what it is asked to, once per number; `script` overrides the next answers (UNKNOWN may or may not pay)."""

    pays_third_parties: bool = True
    partial_confirms: bool = True
    script: list[RailAnswer] = field(default_factory=list)
    paid: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    async def pay(self, instruction: Instruction) -> RailAnswer:
        self.calls.append(instruction.number)
        answer = self.script.pop(0) if self.script else OK
        if answer.outcome is Outcome.OK:
            assert self.paid.setdefault(instruction.number, instruction.gross_fen) == instruction.gross_fen
        return answer


@dataclass(frozen=True, slots=True)
class Merchant:
    merchant_id: UUID = field(default_factory=new_id)
    store_id: UUID = field(default_factory=new_id)
    finance: str = field(default_factory=lambda: f"finance-{uuid4().hex[:8]}")


@dataclass(slots=True)
class Stage:
    """What a test does to settlement, and how it looks at the outcome."""

    db: Database
    http: httpx.AsyncClient
    world: World
    rail: ScriptedRail
    clock: Clock
    app: FastAPI

    def now(self) -> datetime:
        return self.clock.now()

    def today(self) -> date:
        return business_day(self.now())

    def go_to_noon_of(self, day: date) -> None:
        """Move business time to the middle of a business day."""
        noon = start_of_day(day) + timedelta(hours=12)
        self.clock.move_to_offset((noon - datetime.now(UTC)).total_seconds())

    def next_day(self) -> None:
        self.go_to_noon_of(self.today() + timedelta(days=1))

    async def merchant(self, *, account: PayoutAccountState = PayoutAccountState.VERIFIED) -> Merchant:
        """A verified merchant with one finance clerk."""
        merchant = Merchant()
        await self.set_merchant(merchant)
        await self.set_account(merchant, account)
        await self.staff(merchant.finance, merchant.merchant_id, StaffRole.FINANCE)
        return merchant

    async def set_merchant(
        self, merchant: Merchant, state: MerchantState = MerchantState.VERIFIED, version: int = 1
    ) -> None:
        event = MerchantChanged(
            occurred_at=self.now(), version=version, merchant_id=merchant.merchant_id, name="老码头火锅",
            phone="02812345678", state=state,
        )  # fmt: skip
        await consumers.keep_merchant(event, self.db)

    async def set_account(
        self,
        merchant: Merchant,
        state: PayoutAccountState,
        version: int = 1,
        sealed_account: str = "1.settlement.k1.AAAA",
        sealed_holder: str | None = None,
    ) -> None:
        event = PayoutAccountChanged(
            occurred_at=self.now(), version=version, merchant_id=merchant.merchant_id, state=state,
            rail=Rail.ZHIFUTONG, sub_merchant_id="2088123412341234", sealed_account=sealed_account,
            sealed_holder=sealed_holder,
        )  # fmt: skip
        await consumers.keep_payout_account(event, self.db)

    async def staff(self, subject: str, merchant_id: UUID | None, role: StaffRole, *, active: bool = True) -> None:
        event = StaffChanged(
            occurred_at=self.now(), staff_id=new_id(), subject=subject, merchant_id=merchant_id, role=role,
            active=active,
        )  # fmt: skip
        await consumers.keep_staff(event, self.db)

    async def operator(self) -> str:
        subject = f"operator-{uuid4().hex[:8]}"
        await self.staff(subject, None, StaffRole.OPERATOR)
        return subject

    def order(
        self, merchant: Merchant, *paid_fen: int, uses: int = 1, kind: DealKind = DealKind.VOUCHER, **facts: Any
    ) -> OrderPaid:
        """A paid order with one unit per amount (12800 if none is given), which may have arrived or not."""
        amounts = paid_fen or (12_800,)
        units = tuple(
            Unit(unit_id=new_id(), original_price_fen=26_800, uses=(UseValue(paid_fen=amount // uses),) * uses)
            for amount in amounts
        )
        wanted = {
            "occurred_at": self.now(), "order_id": new_id(), "order_no": "20261122000001", "buyer": "buyer-an",
            "merchant_id": merchant.merchant_id, "deal_id": new_id(), "deal_version": 1, "kind": kind,
            "title": "双人火锅套餐", "units": units, "paid_fen": sum(amounts), "paid_at": self.now(),
            "rules": UseRules(valid_days=30), "store_ids": (merchant.store_id,), "rail": Rail.ZHIFUTONG,
            "sub_merchant_id": "2088123412341234", "out_trade_no": uuid4().hex, "trade_no": uuid4().hex,
        }  # fmt: skip
        return OrderPaid(**{**wanted, **facts})

    async def pay(self, merchant: Merchant, *paid_fen: int, uses: int = 1, **facts: Any) -> OrderPaid:
        """An order that has arrived."""
        order = self.order(merchant, *paid_fen, uses=uses, **facts)
        await consumers.record_order(order, self.db)
        return order

    def used(self, order: OrderPaid, unit: int = 0, use_no: int = 1) -> CertificateUsed:
        return CertificateUsed(
            occurred_at=self.now(), use_id=use_id_of(order, unit, use_no), unit_id=order.units[unit].unit_id,
            use_no=use_no, order_id=order.order_id, merchant_id=order.merchant_id, store_id=order.store_ids[0],
            used_at=self.now(), reversible_until=self.now() + timedelta(hours=1),
        )  # fmt: skip

    def final(self, used: CertificateUsed) -> UseFinal:
        return UseFinal(
            occurred_at=self.now(), use_id=used.use_id, unit_id=used.unit_id, use_no=used.use_no,
            order_id=used.order_id, merchant_id=used.merchant_id, store_id=used.store_id, used_at=used.used_at,
        )  # fmt: skip

    async def use(self, order: OrderPaid, unit: int = 0, use_no: int = 1, *, final: bool = True) -> None:
        """One certificate is used and, unless a test says no, final."""
        event = self.used(order, unit, use_no)
        await consumers.record_use(event, self.db)
        if final:
            await consumers.finalise_use(self.final(event), self.db)

    def received(self, order: OrderPaid) -> ParcelReceived:
        return ParcelReceived(
            occurred_at=self.now(), parcel_id=new_id(), order_id=order.order_id, merchant_id=order.merchant_id,
            store_id=order.store_ids[0], unit_ids=tuple(unit.unit_id for unit in order.units),
            received_at=self.now(), automatic=False,
        )  # fmt: skip

    def refund(self, order: OrderPaid, units: Sequence[int] = (0,), amount_fen: int | None = None) -> RefundSucceeded:
        """The refund of whole units, or of another amount for each of them."""
        refunded = tuple(
            RefundedUnit(
                unit_id=order.units[unit].unit_id,
                amount_fen=sum(use.paid_fen for use in order.units[unit].uses) if amount_fen is None else amount_fen,
            )
            for unit in units
        )
        return RefundSucceeded(
            occurred_at=self.now(), refund_id=new_id(), order_id=order.order_id, kind=order.kind, units=refunded,
            amount_fen=sum(unit.amount_fen for unit in refunded), cause=RefundCause.BUYER,
        )  # fmt: skip

    async def run(self, day: date | None = None) -> None:
        """The run of a day (today's unless given). It also claims what other tests left due."""
        assert await run.run(self.db, day or self.today(), self.world, within_s=600)

    async def send(self, instruction_id: UUID, world: World | None = None) -> None:
        """What the timer of an instruction does."""
        due = Due(SEND_INSTRUCTION, str(instruction_id), self.now(), {}, 1)
        await consumers.send_instruction(due, self.db, world or self.world)

    async def send_all(self, merchant: Merchant) -> None:
        for row in await self.instructions(merchant):
            if row["state"] in ("DUE", "SENT", "UNKNOWN"):
                await self.send(row["instruction_id"])

    async def settle(self, merchant: Merchant) -> None:
        """Tomorrow's run, sent."""
        self.next_day()
        await self.run()
        await self.send_all(merchant)

    async def instructions(self, merchant: Merchant) -> list[Any]:
        """Every instruction of a merchant, as the table has it, oldest first."""
        async with self.db.transaction() as tx:
            return await tx.fetch(
                """select i.* from instructions i join payouts p using (payout_id) where i.merchant_id = $1
                   order by p.run_date, p.sequence, i.changed_at, i.instruction_id""",
                merchant.merchant_id,
            )

    async def states(self, order: OrderPaid) -> list[str]:
        """The states of an order's uses, in the order of units and uses."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch("select unit_id, use_no, state from uses where order_id = $1", order.order_id)
        found = {(row["unit_id"], row["use_no"]): row["state"] for row in rows}
        return [found[unit.unit_id, no] for unit in order.units for no in range(1, len(unit.uses) + 1) if found]

    async def postings(self, order: OrderPaid) -> dict[str, int]:
        """What an order left on each account, in fen; debits are positive."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                """select account, sum(amount_fen)::bigint as fen from postings join posting_sets using (set_id)
                   where order_id = $1 group by account having sum(amount_fen) <> 0""",
                order.order_id,
            )
        return {row["account"]: row["fen"] for row in rows}

    async def said(self, event: type[E], aggregate_id: object) -> list[E]:
        """The events of this kind that settlement has said about something, oldest first."""
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                "select payload from history where topic = $1 and aggregate_id = $2 order by event_id",
                event.topic,
                str(aggregate_id),
            )
        return [event.model_validate_json(row["payload"]) for row in rows]

    async def get(self, path: str, caller: str, **query: Any) -> Any:
        """A successful answer's body."""
        answer = await self.http.get(path, params=query, headers=as_(caller))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def misfits(self) -> list[Any]:
        """What the audit finds wrong in the whole ledger."""
        found = await self.get("/admin/money", await self.operator())
        return list(found["misfits"])


def use_id_of(order: OrderPaid, unit: int, use_no: int) -> UUID:
    """The id that redemption would give this use."""
    return UUID(int=(order.units[unit].unit_id.int + use_no) % 2**128)


def as_(subject: str) -> dict[str, str]:
    """The header of somebody's request."""
    return {"Authorization": f"Bearer {subject}"}
