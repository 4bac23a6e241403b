"""One good deal of each form."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from services.catalog.domain.deals import Category, Catering, DealContent, DealItem, Hotel, Surcharge, Tourism
from shared.contracts.catalog import CashVoucherTerms, CodeSource, DealForm, DeliveryMode, DeliveryTerms
from shared.contracts.use_rules import UseRules

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

SET = DealContent(
    form=DealForm.SET,
    category=Category.CATERING,
    title="双人套餐",
    cover="hotpot",
    items=(DealItem(name="锅底", quantity=1, price_fen=6800, portion="1 锅"),),
    price_fen=12800,
    original_price_fen=26800,
    total_quota=100,
    per_buyer_limit=10,
    sale_from=NOW - DAY,
    sale_until=NOW + DAY,
    rules=UseRules(valid_days=90),
    store_ids=(UUID(int=1),),
    catering=Catering(party_min=2, party_max=2),
)
CASH = SET.model_copy(
    update={
        "form": DealForm.CASH_VOUCHER,
        "items": (),
        "catering": None,
        "price_fen": 8800,
        "original_price_fen": 10000,
        "cash": CashVoucherTerms(face_value_fen=10000, threshold_fen=20000),
        "rules": UseRules(valid_days=90, max_count=3),
    }
)
TIMES = SET.model_copy(update={"form": DealForm.TIMES_CARD, "uses_per_unit": 10})
CODES = SET.model_copy(update={"form": DealForm.THIRD_PARTY_CODE, "code_source": CodeSource.POOL})
TERMS = DeliveryTerms(modes=(DeliveryMode.SELF, DeliveryMode.COURIER), fee_fen=0, weight_g=100, category="fruit")
GOODS = SET.model_copy(update={"form": DealForm.GOODS, "category": Category.OTHER, "catering": None, "delivery": TERMS})
SPRING = Surcharge(from_date=date(2027, 2, 6), until_date=date(2027, 2, 12), amount_fen=30000)
ROOM = Hotel(
    room_type="海景大床房",
    nights=1,
    guests=2,
    breakfasts=2,
    check_in_from="14:00",
    check_out_until="12:00",
    surcharges=(SPRING,),
)
HOTEL = SET.model_copy(update={"category": Category.HOTEL, "catering": None, "hotel": ROOM})
JOURNEY = Tourism(party_min=1, party_max=8, days=2, itinerary=("到达", "返程"), cancellation="出发前 3 天可退")
TOURISM = SET.model_copy(update={"category": Category.TOURISM, "catering": None, "tourism": JOURNEY})
