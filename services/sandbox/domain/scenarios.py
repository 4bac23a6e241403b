"""What a buyer can do at the cashier, and what Alipay then does wrong on purpose."""

from enum import StrEnum


class Scenario(StrEnum):
    SUCCESS = "success"
    FAIL = "fail"
    CANCEL = "cancel"
    DUPLICATED = "duplicated"
    LATE = "late"
    AMOUNT_MISMATCH = "amount_mismatch"
    NO_NOTIFY = "no_notify"
    TAMPERED = "tampered"

    @property
    def pays(self) -> bool:
        return self not in (Scenario.FAIL, Scenario.CANCEL)


LATE_NOTIFY_S = 30.0
DUPLICATES = 3
