"""Traffic support: some merchants are shown more often for a while."""

from dataclasses import dataclass
from datetime import datetime

from services.catalog.domain.refusals import SupportWindowEmpty


@dataclass(frozen=True, slots=True)
class Support:
    """How much more a merchant's videos weigh in the feed (1 to 10), from when until when."""

    weight: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The support that a merchant has, with its version: a number which no enrolment had before."""

    support: Support
    version: int


def check_support(support: Support) -> None:
    """Raise unless the support lasts some time."""
    if support.ends_at <= support.starts_at:
        raise SupportWindowEmpty
