"""What a deal is and how it may be used, in words: pure rules over what catalog says of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.web.formats import Language, day, last_day, short_price
from services.web.gateways.catalog.deals import CashTerms, Deal, Form
from services.web.hour_words import dates, hours_lines, weekdays
from services.web.texts import Speech
from shared.contracts.catalog import DeliveryMode, delivery_fee
from shared.contracts.use_rules import DEFAULT_VALID_DAYS, UseRules

Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one deal in one language."""

    deal: Deal
    language: Language

    @property
    def worth(self) -> str:
        """What one unit is worth where its items do not say so: a voucher's face value, a card's uses."""
        deal = self.deal
        if deal.sold_as == "CASH_VOUCHER" and deal.cash:
            return f"{cash_words(deal.cash, self.language)} · {stacking_words(deal.rules.max_count, self.language)}"
        if deal.sold_as == "TIMES_CARD":
            return uses_words(deal.uses_per_unit, deal.price_fen, self.language)
        return ""

    @property
    def tags(self) -> list[Line]:
        """Tone and word of each short promise under the title."""
        t = Speech(self.language)
        return [(tone, t(key)) for tone, key in _tag_keys(self.deal)]

    @property
    def rules(self) -> list[Line]:
        """Name and content of every line of 购买须知."""
        t = Speech(self.language)
        deal = self.deal
        lines = [(t("rules.sale"), f"{day(deal.sale_from)} – {last_day(deal.sale_until)}")]
        if deal.kind == "VOUCHER":
            lines += list(_use_lines(deal.rules, self.language))
            lines += list(_booking_lines(deal, t))
        limit = deal.per_buyer_limit
        lines.append((t("rules.limit"), t("rules.limit_n", n=limit) if limit else t("rules.no_limit")))
        lines.append((t("rules.refund"), refund_words(deal, self.language)))
        return lines

    @property
    def catering(self) -> list[Line]:
        """For how many, and whether it can be taken away."""
        catering = self.deal.catering
        if catering is None:
            return []
        t = Speech(self.language)
        party = party_words(catering.party_min, catering.party_max, t)
        how = t("catering.dine_in" if catering.dine_in_only else "catering.take_away")
        return [(t("catering.party"), party)] * bool(party) + [(t("catering.how"), how)]

    @property
    def hotel(self) -> list[Line]:
        """Room, nights, guests, breakfast, and the hours of coming and going."""
        hotel = self.deal.hotel
        if hotel is None:
            return []
        t = Speech(self.language)
        lines = [
            (t("hotel.room"), hotel.room_type),
            (t("hotel.nights"), t("hotel.nights_n", n=hotel.nights)),
            (t("hotel.guests"), t("hotel.guests_n", n=hotel.guests) if hotel.guests else ""),
            (t("hotel.breakfast"), t("hotel.breakfast_n", n=hotel.breakfasts) if hotel.breakfasts else ""),
            (t("hotel.check_in"), t("hotel.check_in_from", time=hotel.check_in_from) if hotel.check_in_from else ""),
            (
                t("hotel.check_out"),
                t("hotel.check_out_until", time=hotel.check_out_until) if hotel.check_out_until else "",
            ),
        ]
        if not hotel.breakfasts:
            lines[3] = (t("hotel.breakfast"), t("hotel.no_breakfast"))
        return [(name, words) for name, words in lines if words]

    @property
    def surcharges(self) -> list[tuple[str, str, str]]:
        """Days, amount and note of what a night costs more."""
        found = self.deal.hotel.surcharges if self.deal.hotel else ()
        joint = " 至 " if self.language == "zh" else " – "
        return [
            (
                f"{one.from_date}{joint}{one.until_date}" if one.until_date > one.from_date else f"{one.from_date}",
                short_price(one.amount_fen),
                one.note,
            )
            for one in found
        ]

    @property
    def tourism(self) -> list[Line]:
        """How many days, for how many people."""
        tourism = self.deal.tourism
        if tourism is None:
            return []
        t = Speech(self.language)
        days = t("tourism.days_n", n=tourism.days) if tourism.days else ""
        lines = [(t("tourism.days"), days), (t("tourism.party"), party_words(tourism.party_min, tourism.party_max, t))]
        return [(name, words) for name, words in lines if words]

    @property
    def included(self) -> list[tuple[str, str, list[str]]]:
        """What a journey's price includes and what not: the heading, its mark, the lines."""
        tourism = self.deal.tourism
        if tourism is None:
            return []
        t = Speech(self.language)
        told = (
            (t("tourism.includes"), "check", tourism.includes),
            (t("tourism.excludes"), "cross", tourism.excludes),
        )
        return [(name, mark, [line for line in text.splitlines() if line.strip()]) for name, mark, text in told if text]

    @property
    def delivery(self) -> list[Line]:
        """Each way in which the goods may travel, and what that costs."""
        t = Speech(self.language)
        terms = self.deal.delivery
        if terms is None:
            return []
        fees = [(mode, delivery_fee(terms, mode, 0)) for mode in terms.modes]
        return [(t(f"mode.{mode}"), short_price(fee) if fee else t("rules.free_delivery")) for mode, fee in fees]

    @property
    def free_from(self) -> str:
        """From which amount of goods on the delivery is free."""
        terms = self.deal.delivery
        if terms is None or terms.free_from_fen is None:
            return ""
        return Speech(self.language)("rules.free_from", price=short_price(terms.free_from_fen))


def cash_words(cash: CashTerms, language: Language) -> str:
    """`面值 ¥100 · 满 ¥200 可用`."""
    return " · ".join(
        (Speech(language)("cash.face", price=short_price(cash.face_value_fen)), bill_words(cash, language))
    )


def bill_words(cash: CashTerms, language: Language) -> str:
    """`满 ¥200 可用`, or that any bill takes it."""
    t = Speech(language)
    threshold = cash.threshold_fen
    return t("cash.threshold", price=short_price(threshold)) if threshold else t("cash.any_bill")


def party_words(low: int | None, high: int | None, t: Speech) -> str:
    """For how many people; empty when nothing was said."""
    if low and high:
        return t("party.exact", n=low) if low == high else t("party.range", low=low, high=high)
    if low:
        return t("party.at_least", n=low)
    return t("party.at_most", n=high) if high else ""


def stacking_words(max_count: int | None, language: Language) -> str:
    """How many may be used together."""
    t = Speech(language)
    if max_count == 1:
        return t("rules.no_stacking")
    return t("rules.stacking", n=max_count) if max_count else t("rules.any_stacking")


def uses_words(uses: int, price_fen: int, language: Language) -> str:
    """`共 5 次 · 合每次 ¥19.80`; rounded up, so that a card never looks cheaper than it is."""
    return Speech(language)("times.each", n=uses, price=short_price(-(-price_fen // max(1, uses))))


def refund_words(deal: Deal, language: Language) -> str:
    """When the money comes back."""
    t = Speech(language)
    if deal.kind == "GOODS":
        return t("rules.refund_text.GOODS")
    return t("rules.refund_text.ON_EXPIRY" if deal.refund_policy == "ON_EXPIRY" else "rules.refund_text.VOUCHER")


def fee_of(deal: Deal, mode: str, quantity: int) -> int:
    """What the delivery of so many units costs by a mode, by the rule that checkout charges; 0 for what is no mode."""
    if deal.delivery is None or mode not in {one.value for one in deal.delivery.modes}:
        return 0
    return delivery_fee(deal.delivery, DeliveryMode(mode), deal.price_fen * quantity)


def _tag_keys(deal: Deal) -> Iterator[Line]:
    form: Form = deal.sold_as
    yield "blue", f"form.{form}"
    if form == "GOODS":
        yield "green", "deal.refund_before_dispatch"
        yield from (("red", f"mode.{mode}") for mode in (deal.delivery.modes if deal.delivery else ()))
        return
    if deal.refund_policy == "ANY_TIME":
        yield "green", "deal.refund_anytime"
    yield "green", "deal.refund_on_expiry"
    yield "red", "deal.in_store"
    rules = deal.rules
    if not (rules.blackout_dates or rules.blackout_weekdays):
        yield "red", "deal.any_day"
    if deal.booking is not None:
        yield ("orange", "deal.booking") if deal.booking.needed else ("red", "deal.no_booking")
    if deal.catering is not None and deal.catering.dine_in_only:
        yield "grey", "catering.dine_in"


def _use_lines(rules: UseRules, language: Language) -> Iterator[Line]:
    t = Speech(language)
    yield t("rules.use"), _validity(rules, t)
    closed = [weekdays(rules.blackout_weekdays, language), dates(rules.blackout_dates, language)]
    yield t("rules.blackout"), t("list.comma").join(part for part in closed if part) or t("rules.no_blackout")
    semicolon = t("list.semicolon")
    if rules.usable_hours:
        yield t("rules.usable_hours"), semicolon.join(hours_lines(rules.usable_hours, language))
    if rules.blackout_hours:
        yield t("rules.blackout_hours"), semicolon.join(hours_lines(rules.blackout_hours, language))
    if rules.max_count is not None:
        yield t("rules.stacking_name"), stacking_words(rules.max_count, language)


def _validity(rules: UseRules, t: Speech) -> str:
    parts = []
    if rules.use_from:
        parts.append(t("rules.from", day=day(rules.use_from)))
    if rules.valid_days:
        parts.append(t("rules.valid_days", n=rules.valid_days))
    if rules.use_until:
        parts.append(t("rules.until", day=last_day(rules.use_until)))
    if not rules.valid_days and not rules.use_until:
        parts.append(t("rules.valid_days", n=DEFAULT_VALID_DAYS))
    return t("list.comma").join(parts)


def _booking_lines(deal: Deal, t: Speech) -> Iterator[Line]:
    booking = deal.booking
    if booking is None:
        return
    if not booking.needed:
        words = t("booking.none")
    elif booking.hours_ahead:
        words = t("booking.ahead", n=booking.hours_ahead)
    else:
        words = t("booking.needed")
    yield t("booking.title"), " · ".join(part for part in (words, booking.hint) if part)
