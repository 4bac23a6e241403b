"""How goods travel, and what that costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.web.forms.parts import Block, Field, Reading, Typed, found, put
from services.web.forms.values import CHOICES, FLAG, LINE, WHOLE, YUAN, Unreadable

MODES = ("SELF", "INSTANT", "COURIER")
_FEE_MOST = 10_000


@dataclass(frozen=True, slots=True)
class ModeFees:
    """A fee of its own for each way of delivery that does not cost the common one."""

    path: str = "delivery.mode_fees"

    def names(self) -> Iterable[str]:
        return (self.path, *(f"{self.path}.{mode}" for mode in MODES))

    def read(self, reading: Reading) -> None:
        fees = []
        for mode in MODES:
            name = f"{self.path}.{mode}"
            try:
                fee_fen = YUAN.read(reading.typed.get(name, []))
            except Unreadable as unreadable:
                reading.wrong[name] = unreadable.key
                continue
            if fee_fen is not None:
                fees.append({"mode": mode, "fee_fen": fee_fen})
        put(reading.body, self.path, fees)

    def fill(self, said: Mapping[str, Any], typed: Typed) -> None:
        for one in found(said, self.path) or ():
            typed[f"{self.path}.{one['mode']}"] = YUAN.write(one["fee_fen"])


DELIVERY = Block(
    "delivery",
    (
        Field("delivery.modes", CHOICES, needed=True, options=MODES),
        Field("delivery.fee_fen", YUAN, needed=True, most=_FEE_MOST, half=True),
        Field("delivery.free_from_fen", YUAN, half=True),
        ModeFees(),
        Field("delivery.weight_g", WHOLE, needed=True, least=1, most=100_000, half=True),
        Field("delivery.category", LINE, needed=True, most=60, half=True),
        Field("delivery.hot_food", FLAG),
    ),
)
