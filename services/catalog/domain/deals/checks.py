"""What no deal may say: the rules of forms and categories, each with its refusal."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

from services.catalog.domain import refusals
from services.catalog.domain.deals.content import Category, DealContent
from services.catalog.domain.deals.templates import Catering, Tourism
from services.catalog.domain.deals.usability import ever_usable
from shared.clock import business_day
from shared.contracts.catalog import DealForm, DeliveryMode, DeliveryTerms, RefundPolicy
from shared.contracts.use_rules import use_window

_MOMENT = timedelta(microseconds=1)


def check_content(content: DealContent) -> None:
    """Raise the first reason why no deal could be sold like this."""
    for check in _CHECKS:
        check(content)


def _check_prices(content: DealContent) -> None:
    if content.price_fen > content.original_price_fen:
        raise refusals.PriceAboveOriginal


def _check_windows(content: DealContent) -> None:
    rules = content.rules
    moments = (content.sale_from, content.sale_until, rules.use_from, rules.use_until)
    # Far from here, adding days to a moment, or taking it to Shanghai, is beyond the calendar.
    if not all(2000 <= moment.year < 2100 for moment in moments if moment is not None):
        raise refusals.MomentOutOfRange
    if content.sale_until <= content.sale_from:
        raise refusals.SaleWindowEmpty
    # Whoever buys in the last minute must still be able to use what was bought.
    if rules.use_until is not None and rules.use_until < content.sale_until:
        raise refusals.UseEndsBeforeSale


def _check_days_and_hours(content: DealContent) -> None:
    rules = content.rules
    if any(one.opens in {one.closes, "24:00"} for one in (*rules.usable_hours, *rules.blackout_hours)):
        raise refusals.HoursEmpty
    # From the first purchase's first day to the last purchase's last day.
    window, last = use_window(rules, content.sale_from), _last_moment(content)
    if window.until <= window.starts_at:
        raise refusals.UseWindowEmpty
    if any(not business_day(window.starts_at) <= one <= business_day(last) for one in rules.blackout_dates):
        raise refusals.BlackoutOutsideUseWindow
    if not ever_usable(rules, window.starts_at, last):
        raise refusals.NeverUsable


def _last_moment(content: DealContent) -> datetime:
    return use_window(content.rules, content.sale_until - _MOMENT).until - _MOMENT


def _check_items(content: DealContent) -> None:
    if content.form is not DealForm.CASH_VOUCHER and not content.items:
        raise refusals.ItemsNeeded


def _check_booking(content: DealContent) -> None:
    if content.booking.hours_ahead and not content.booking.needed:
        raise refusals.BookingNotNeeded


def _check_cash(content: DealContent) -> None:
    cash = content.cash
    if content.form is not DealForm.CASH_VOUCHER:
        if cash is not None:
            raise refusals.CashTermsNotAllowed
        return
    if cash is None:
        raise refusals.CashTermsNeeded
    if content.rules.max_count is None:
        raise refusals.StackingNeeded
    if content.original_price_fen != cash.face_value_fen:
        raise refusals.OriginalPriceNotFaceValue
    if 0 < cash.threshold_fen < cash.face_value_fen:
        raise refusals.ThresholdBelowFaceValue


def _check_uses(content: DealContent) -> None:
    if content.form is not DealForm.TIMES_CARD:
        if content.uses_per_unit != 1:
            raise refusals.UsesNotAllowed
        return
    if content.uses_per_unit < 2:
        raise refusals.UsesNeeded
    # Every use is settled on its own, and nothing below one fen can be.
    if content.price_fen < content.uses_per_unit:
        raise refusals.PriceBelowUses(uses=content.uses_per_unit)


def _check_code_source(content: DealContent) -> None:
    third_party = content.form is DealForm.THIRD_PARTY_CODE
    if third_party and content.code_source is None:
        raise refusals.CodeSourceNeeded
    if not third_party and content.code_source is not None:
        raise refusals.CodeSourceNotAllowed


def _check_goods(content: DealContent) -> None:
    if content.form is not DealForm.GOODS:
        if content.delivery is not None:
            raise refusals.DeliveryTermsNotAllowed
        return
    if content.delivery is None:
        raise refusals.DeliveryTermsNeeded
    if content.category is not Category.OTHER:
        raise refusals.CategoryNotForGoods
    # Goods never expire: with a refund on expiry only they could never be given back.
    if content.refund_policy is not RefundPolicy.ANY_TIME:
        raise refusals.RefundPolicyNotForGoods
    _check_delivery(content.delivery)


def _check_delivery(terms: DeliveryTerms) -> None:
    fees = [one.mode for one in terms.mode_fees]
    if len(set(terms.modes)) != len(terms.modes):
        raise refusals.DeliveryModeTwice
    if terms.hot_food and DeliveryMode.COURIER in terms.modes:
        raise refusals.HotFoodNotByCourier
    if not set(fees) <= set(terms.modes):
        raise refusals.ModeFeeNotOffered
    if len(set(fees)) != len(fees):
        raise refusals.ModeFeeTwice


def _check_template(content: DealContent) -> None:
    templates = {
        Category.CATERING: content.catering,
        Category.HOTEL: content.hotel,
        Category.TOURISM: content.tourism,
    }
    own = templates.pop(content.category, None)
    if any(template is not None for template in templates.values()):
        raise refusals.TemplateNotAllowed
    # A cash voucher pays any bill of the shop: there is nothing to describe.
    described = content.form not in {DealForm.CASH_VOUCHER, DealForm.GOODS}
    if described and own is None and content.category is not Category.OTHER:
        raise refusals.TemplateNeeded(category=content.category.value)


def _check_catering(content: DealContent) -> None:
    if content.catering is None:
        return
    _check_party(content.catering)
    for item in content.items:
        if not item.portion:
            raise refusals.PortionNeeded(item=item.name)


def _check_hotel(content: DealContent) -> None:
    if content.hotel is None:
        return
    ranges = sorted((one.from_date, one.until_date) for one in content.hotel.surcharges)
    if any(until < first for first, until in ranges):
        raise refusals.SurchargeRangeEmpty
    if any(later <= until for (_, until), (later, _) in pairwise(ranges)):
        raise refusals.SurchargesOverlap


def _check_tourism(content: DealContent) -> None:
    if content.tourism is None:
        return
    _check_party(content.tourism)
    if len(content.tourism.itinerary) < content.tourism.days:
        raise refusals.ItineraryTooShort(days=content.tourism.days)
    if not content.tourism.cancellation.strip():
        raise refusals.CancellationNeeded


def _check_party(template: Catering | Tourism) -> None:
    if template.party_min > template.party_max:
        raise refusals.PartyRangeEmpty


_CHECKS: tuple[Callable[[DealContent], None], ...] = (
    _check_prices,
    _check_windows,
    _check_days_and_hours,
    _check_items,
    _check_booking,
    _check_cash,
    _check_uses,
    _check_code_source,
    _check_goods,
    _check_template,
    _check_catering,
    _check_hotel,
    _check_tourism,
)
