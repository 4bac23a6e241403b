"""Random lives of a certificate as redemption would tell of them: uses made, reversed, made again, final."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from hypothesis import strategies as st

from shared.contracts.redemption import CertificateUsed, UseFinal, UseReversed
from shared.ids import new_id

Told = CertificateUsed | UseReversed | UseFinal


class End(StrEnum):
    """What one number of a certificate is when everything was told."""

    FREE = "FREE"
    USED = "USED"
    FINAL = "FINAL"


@dataclass
class CardLife:
    """One certificate with some uses. What is told of it is in `told`, in the order in which it happened."""

    unit_id: UUID
    order_id: UUID
    merchant_id: UUID
    store_id: UUID
    uses: int
    now: datetime
    told: list[Told] = field(default_factory=list)
    reversals: int = 0
    live: dict[int, CertificateUsed] = field(default_factory=dict)
    final: set[int] = field(default_factory=set)

    def use(self, _: int) -> None:
        """The lowest free number is used."""
        free = [no for no in range(1, self.uses + 1) if no not in self.live]
        if free:
            used = CertificateUsed(
                occurred_at=self._next(), use_id=new_id(), unit_id=self.unit_id, use_no=free[0],
                order_id=self.order_id, merchant_id=self.merchant_id, store_id=self.store_id, used_at=self.now,
                reversible_until=self.now + timedelta(hours=1), cycle=self.reversals,
            )  # fmt: skip
            self.live[used.use_no] = used
            self.told.append(used)

    def reverse(self, which: int) -> None:
        """One of the live uses that are not final is undone."""
        open_ = [no for no in sorted(self.live) if no not in self.final]
        if open_ and self.reversals < 10:
            used = self.live.pop(open_[which % len(open_)])
            self.reversals += 1
            self.told.append(
                UseReversed.model_validate(
                    {**used.model_dump(exclude={"event_id"}), "occurred_at": self._next(), "reversed_at": self.now}
                )
            )

    def finish(self, which: int) -> None:
        """One of the live uses becomes final."""
        open_ = [no for no in sorted(self.live) if no not in self.final]
        if open_:
            used = self.live[open_[which % len(open_)]]
            self.final.add(used.use_no)
            facts = {**used.model_dump(exclude={"event_id"}), "occurred_at": self._next()}
            self.told.append(UseFinal.model_validate(facts))

    def end_of(self, use_no: int) -> End:
        """What has become of this number."""
        if use_no in self.final:
            return End.FINAL
        return End.USED if use_no in self.live else End.FREE

    def live_use_id(self, use_no: int) -> UUID | None:
        """The use that counts for this number."""
        return self.live[use_no].use_id if use_no in self.live else None

    def _next(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


STEPS = st.lists(
    st.tuples(st.sampled_from(["use", "use", "reverse", "reverse", "finish"]), st.integers(0, 9)),
    min_size=1,
    max_size=14,
)
"""What happens to a card, step by step."""


@st.composite
def orders_of(draw: st.DrawFn, told: list[Told]) -> list[Told]:
    """The same in any order, some of it twice: as the same message, or as a new one with the same content."""
    twice = draw(st.lists(st.tuples(st.sampled_from(told), st.booleans()), max_size=5)) if told else []
    copies = [event.model_copy(update={"event_id": new_id()}) if anew else event for event, anew in twice]
    return draw(st.permutations([*told, *copies]))
