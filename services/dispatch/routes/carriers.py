"""Carriers as merchants and operators see them: preferences, accounts that are left out, and how each provider does."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.dispatch.domain.eligibility import Contract
from services.dispatch.store import accounts, scorecards
from services.dispatch.store.preferences import Preferences
from services.dispatch.use_cases import preferring
from shared.auth import Caller, require_operator
from shared.http import Db
from shared.paging import Cursor, Limit, page_of, read_cursor
from shared.service import World

router = APIRouter(tags=["carriers"])

Provider = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
Name = Annotated[str, Query(max_length=64)]


class PreferencesBody(BaseModel):
    carrier_order: Annotated[list[Provider], Field(max_length=20)] = []
    own_riders: bool = False
    own_radius_m: Annotated[int, Field(strict=True, ge=100, le=50_000)] = 3_000
    most_fee_fen: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    tip_fen: Annotated[int, Field(strict=True, ge=0, le=10_000, multiple_of=100)] = 200
    confirm_above_fen: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 0


class PreferencesView(PreferencesBody):
    version: int


class AlertView(BaseModel):
    provider: str
    account: str
    balance_short_since: datetime | None
    disabled_since: datetime | None


class Alerts(BaseModel):
    items: list[AlertView]


class ScorecardLine(BaseModel):
    provider: str
    zone: str = Field(description="South-west corner of a square of 0.05°: latitude,longitude")
    hour: int = Field(description="Of the day in Shanghai")
    delivered: int
    no_rider: int
    provider_cancelled: int
    called_off: int
    refused: int
    went_wrong: int
    rider_wait_s: int | None = Field(description="On average, until a rider took it")
    fee_fen: int
    penalty_fen: int


class Scorecard(BaseModel):
    items: list[ScorecardLine]
    next_cursor: str | None


def _view(found: Preferences) -> PreferencesView:
    contract = found.contract
    return PreferencesView(
        version=found.version,
        carrier_order=list(contract.order),
        own_riders=contract.own_riders,
        own_radius_m=contract.own_radius_m,
        most_fee_fen=contract.most_fee_fen,
        tip_fen=contract.tip_fen,
        confirm_above_fen=contract.confirm_above_fen,
    )


@router.get("/merchants/{merchant_id}/delivery-preferences")
async def show_preferences(merchant_id: UUID, caller: Caller, db: Db) -> PreferencesView:
    """What the merchant wants; version 0 when nothing was ever said."""
    async with db.transaction(read_only=True) as tx:
        return _view(await preferring.show(tx, caller, merchant_id))


@router.put("/merchants/{merchant_id}/delivery-preferences")
async def set_preferences(
    merchant_id: UUID, body: PreferencesBody, caller: Caller, db: Db, world: World
) -> PreferencesView:
    """Set all of them: by whom (in this order, nobody else; empty: whoever is best), own riders, tip and limits."""
    contract = Contract(
        order=tuple(dict.fromkeys(body.carrier_order)),
        own_riders=body.own_riders,
        own_radius_m=body.own_radius_m,
        most_fee_fen=body.most_fee_fen,
        tip_fen=body.tip_fen,
        confirm_above_fen=body.confirm_above_fen,
    )
    async with db.transaction() as tx:
        return _view(await preferring.choose(tx, world, caller, merchant_id, contract))


@router.get("/board/alerts")
async def show_alerts(merchant_id: UUID, caller: Caller, db: Db, world: World) -> Alerts:
    """Accounts among the merchant's carriers that get no orders now: out of money, or not known at the carrier."""
    async with db.transaction(read_only=True) as tx:
        found = await preferring.alerts(tx, world, caller, merchant_id)
    return Alerts(items=[AlertView.model_validate(one, from_attributes=True) for one in found])


@router.get("/admin/carrier-accounts", tags=["admin"])
async def list_accounts_left_out(caller: Caller, db: Db) -> Alerts:
    """Every account that gets no orders now."""
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        found = await accounts.alerts(tx)
    return Alerts(items=[AlertView.model_validate(one, from_attributes=True) for one in found])


@router.delete("/admin/carrier-accounts/{provider}/{account}", tags=["admin"], status_code=204)
async def clear_account(
    provider: Provider, account: Annotated[str, Field(max_length=64)], caller: Caller, db: Db
) -> None:
    """It was topped up, or its key set right: the account gets orders again."""
    async with db.transaction() as tx:
        await require_operator(tx, caller)
        await accounts.clear(tx, provider, account)


@router.get("/admin/scorecard", tags=["admin"])
async def show_scorecard(
    caller: Caller, db: Db, provider: Name | None = None, zone: Name | None = None, cursor: Cursor = None,
    limit: Limit = 50,
) -> Scorecard:  # fmt: skip
    """How each provider did in each zone at each hour of the day, over the last four weeks."""
    after = read_cursor(cursor or None, str, str, int)
    async with db.transaction(read_only=True) as tx:
        await require_operator(tx, caller)
        found = await scorecards.lines(tx, provider, zone, after, limit + 1)
    page = page_of(found, limit, lambda line: (line.provider, line.zone, line.hour))
    return Scorecard(items=[_line(one) for one in page.items], next_cursor=page.next_cursor)


def _line(line: scorecards.Line) -> ScorecardLine:
    return ScorecardLine(
        provider=line.provider,
        zone=line.zone,
        hour=line.hour,
        delivered=line.delivered,
        no_rider=line.no_rider,
        provider_cancelled=line.provider_cancelled,
        called_off=line.called_off,
        refused=line.refused,
        went_wrong=line.went_wrong,
        rider_wait_s=line.rider_wait_s // line.riders if line.riders else None,
        fee_fen=line.fee_fen,
        penalty_fen=line.penalty_fen,
    )
