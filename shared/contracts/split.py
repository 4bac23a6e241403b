"""How the price of a unit falls on its uses and on everybody who has a part in it: one pure function, no fen lost."""

from dataclasses import dataclass

from shared.contracts.checkout import UseValue
from shared.money import split_evenly

# What is taken out of the price for others than the merchant, in the order in which they come first.
_SHARES = ("commission_fen", "creator_share_fen", "agency_share_fen")
_ALONE = ("paid_fen", "delivery_fen", "merchant_subsidy_fen", "platform_subsidy_fen")
_WHOLE_BP = 10_000


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """What others than the merchant get of the price, in basis points of what was paid without the delivery fee. The
    platform takes nothing by default. Together at most the whole."""

    commission_bp: int = 0
    creator_bp: int = 0
    agency_bp: int = 0

    def __post_init__(self) -> None:
        parts = (self.commission_bp, self.creator_bp, self.agency_bp)
        if min(parts) < 0 or sum(parts) > _WHOLE_BP:
            raise ValueError(f"shares of {parts} basis points")


def split_unit(
    paid_fen: int,
    uses: int,
    terms: ShareTerms,
    *,
    delivery_fen: int = 0,
    merchant_subsidy_fen: int = 0,
    platform_subsidy_fen: int = 0,
) -> tuple[UseValue, ...]:
    """The values of the uses of one unit. Shares are rounded down; the remainder is the merchant's, who also has the
    delivery fee and the platform's subsidy."""
    base_fen = paid_fen - delivery_fen
    unit = UseValue(
        paid_fen=paid_fen,
        delivery_fen=delivery_fen,
        merchant_subsidy_fen=merchant_subsidy_fen,
        platform_subsidy_fen=platform_subsidy_fen,
        commission_fen=base_fen * terms.commission_bp // _WHOLE_BP,
        creator_share_fen=base_fen * terms.creator_bp // _WHOLE_BP,
        agency_share_fen=base_fen * terms.agency_bp // _WHOLE_BP,
    )
    return over_uses(unit, uses)


def over_uses(unit: UseValue, uses: int) -> tuple[UseValue, ...]:
    """The value of a unit over its uses: every amount sums to the unit's and differs by at most a fen between two uses;
    what does not divide is paid for the first ones.

    The shares are split as running totals. Split one by one, their remainders could meet in one use and exceed what
    was paid for it; a running total never exceeds a greater one, part by part, and the greatest is the price.
    """
    columns = {name: split_evenly(getattr(unit, name), uses) for name in _ALONE}
    before_fen, before = 0, (0,) * uses
    for name in _SHARES:
        before_fen += getattr(unit, name)
        until = split_evenly(before_fen, uses)
        columns[name] = tuple(total - earlier for total, earlier in zip(until, before, strict=True))
        before = until
    return tuple(UseValue(**{name: column[use] for name, column in columns.items()}) for use in range(uses))


def merchant_part_fen(use: UseValue) -> int:
    """What is left of a use for its merchant, before the payment fee: negative only if the shares exceed the price."""
    return use.paid_fen - use.commission_fen - use.creator_share_fen - use.agency_share_fen
