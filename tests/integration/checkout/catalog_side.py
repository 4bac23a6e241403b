"""What catalog tells checkout: merchants, their accounts and staff, deals and their versions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from services.checkout.consumers import copies
from shared.clock import Clock
from shared.contracts.catalog import (
    CashVoucherTerms,
    CodeSource,
    DealChanged,
    DealForm,
    DealKind,
    DealVersionPublished,
    DeliveryMode,
    DeliveryTerms,
    MerchantChanged,
    MerchantState,
    PayoutAccountChanged,
    PayoutAccountState,
    Rail,
    RefundPolicy,
    StaffChanged,
    StaffRole,
)
from shared.contracts.use_rules import UseRules
from shared.database import Database
from shared.ids import new_id


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as catalog's events tell of it."""

    deal_id: UUID = field(default_factory=new_id)
    merchant_id: UUID = field(default_factory=new_id)
    store_id: UUID = field(default_factory=new_id)
    kind: DealKind = DealKind.VOUCHER
    price_fen: int = 12_800
    quota: int = 100
    limit: int = 0
    fee_fen: int = 0
    form: DealForm | None = None
    uses: int = 1
    cash: CashVoucherTerms | None = None
    code_source: CodeSource | None = None
    policy: RefundPolicy = RefundPolicy.ANY_TIME
    terms: DeliveryTerms | None = None

    @property
    def delivery(self) -> DeliveryTerms | None:
        if self.kind is DealKind.VOUCHER or self.terms is not None:
            return self.terms
        return DeliveryTerms(modes=(DeliveryMode.COURIER,), fee_fen=self.fee_fen, weight_g=500, category="fruit")


@dataclass(slots=True)
class CatalogSide:
    """Catalog's events, handled as if they had just arrived."""

    db: Database
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()

    async def sell(self, deal: Deal | None = None) -> Deal:
        """A verified merchant with a verified account puts a deal on sale."""
        deal = deal or Deal()
        await self.keep_merchant(deal)
        await self.keep_account(deal)
        await self.keep_version(deal)
        await self.keep_deal(deal)
        return deal

    async def keep_merchant(
        self, deal: Deal, state: MerchantState = MerchantState.VERIFIED, *, version: int = 1
    ) -> None:
        event = MerchantChanged(
            occurred_at=self.now(), version=version, merchant_id=deal.merchant_id, name="老码头火锅",
            phone="02812345678", state=state,
        )  # fmt: skip
        await copies.keep_merchant(event, self.db)

    async def keep_account(
        self, deal: Deal, state: PayoutAccountState = PayoutAccountState.VERIFIED, *, version: int = 1,
        sub_merchant_id: str | None = "2088123412341234",
    ) -> None:  # fmt: skip
        event = PayoutAccountChanged(
            occurred_at=self.now(), version=version, merchant_id=deal.merchant_id, state=state, rail=Rail.ZHIFUTONG,
            sub_merchant_id=sub_merchant_id, sealed_account="sealed",
        )  # fmt: skip
        await copies.keep_payout_account(event, self.db)

    async def keep_version(self, deal: Deal, deal_version: int = 1, *, price_fen: int | None = None) -> None:
        event = DealVersionPublished(
            occurred_at=self.now(), version=deal_version, deal_id=deal.deal_id, deal_version=deal_version,
            merchant_id=deal.merchant_id, kind=deal.kind, title="双人火锅套餐", cover="hotpot",
            price_fen=deal.price_fen if price_fen is None else price_fen, original_price_fen=26_800,
            per_buyer_limit=deal.limit, sale_from=self.now() - timedelta(days=1),
            sale_until=self.now() + timedelta(days=300), rules=UseRules(valid_days=30), delivery=deal.delivery,
            form=deal.form, uses_per_unit=deal.uses, cash=deal.cash, code_source=deal.code_source,
            refund_policy=deal.policy,
        )  # fmt: skip
        await copies.keep_deal_version(event, self.db)

    async def keep_deal(
        self, deal: Deal, *, version: int = 1, deal_version: int = 1, online: bool = True, quota: int | None = None,
        store_ids: tuple[UUID, ...] | None = None,
    ) -> None:  # fmt: skip
        event = DealChanged(
            occurred_at=self.now(), version=version, deal_id=deal.deal_id, deal_version=deal_version,
            merchant_id=deal.merchant_id, online=online, total_quota=deal.quota if quota is None else quota,
            store_ids=(deal.store_id,) if store_ids is None else store_ids,
        )  # fmt: skip
        await copies.keep_deal(event, self.db)

    async def staff(self, deal: Deal | None, role: StaffRole, *store_ids: UUID) -> str:
        """Somebody who works for the deal's merchant, or (None) for the platform."""
        subject = f"staff-{uuid4().hex[:8]}"
        event = StaffChanged(
            occurred_at=self.now(), staff_id=new_id(), subject=subject,
            merchant_id=deal.merchant_id if deal else None, role=role, active=True, store_ids=store_ids,
        )  # fmt: skip
        await copies.keep_staff(event, self.db)
        return subject

    async def operator(self) -> str:
        return await self.staff(None, StaffRole.OPERATOR)
