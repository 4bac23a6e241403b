"""Why a certificate is not redeemed, or not fenced: one class per reason, each in both languages."""

from datetime import datetime
from typing import Self

from shared.clock import SHANGHAI
from shared.contracts.use_rules import NotUsable
from shared.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated


def shanghai_text(moment: datetime) -> str:
    """A moment as people at the counter read it."""
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


class CodeUnknown(NotFound):
    """No such code, or a typed code of another merchant: a guesser learns nothing from the difference."""

    code = "code_unknown"
    zh = "没有找到这个券码，请核对后重试"
    en = "No certificate has this code; please check it"


class CodesMalformed(Invalid):
    """`positions` counts from 0; at most a hundred are named."""

    code = "codes_malformed"
    zh = "有 {count} 个券码格式不正确（1 至 64 个可见字符）"
    en = "{count} codes are not 1 to 64 printable characters"


class CodesRepeated(Conflict):
    """`codes` names the first hundred of them."""

    code = "codes_repeated"
    zh = "有 {count} 个券码重复或已存在，本次未导入任何券码"
    en = "{count} codes are repeated or already here; nothing was imported"


class PoolFull(Conflict):
    code = "code_pool_full"
    zh = "券码池最多存放 {limit} 个未使用的券码"
    en = "A pool holds at most {limit} free codes"


class BadSignature(Unauthenticated):
    """Unknown merchants, wrong secrets and old timestamps look alike."""

    code = "bad_signature"
    zh = "签名无效或已过期"
    en = "The signature is not valid or too old"


class IssuerUrlRefused(Invalid):
    code = "issuer_url_refused"
    zh = "发码地址须为公网 https 地址"
    en = "The issuer's address must be public https"


class UsedInTheFuture(Invalid):
    code = "used_in_the_future"
    zh = "核销时间晚于当前时间"
    en = "The use is reported for a moment that has not come yet"


class PhoneInvalid(Invalid):
    code = "phone_invalid"
    zh = "手机号码有误"
    en = "The phone number is not valid"


class PhonesNotKept(Conflict):
    """This installation was given no key by which phones are found."""

    code = "phones_not_kept"
    zh = "本平台未启用按手机号查券"
    en = "Certificates cannot be found by phone here"


class NotAStore(Conflict):
    code = "store_unknown"
    zh = "该门店不属于本商家"
    en = "This merchant has no such store"


class QrExpired(Conflict):
    code = "qr_expired"
    zh = "二维码已过期，请顾客刷新后重新出示"
    en = "This QR code has expired; ask the customer to refresh it"


class OtherMerchant(Conflict):
    """Only a valid QR may say so."""

    code = "other_merchant"
    zh = "该券属于其他商家，不能在本店核销"
    en = "This certificate belongs to another merchant"


class TooManyAttempts(DomainError):
    """`retry_after_s` is real time, and goes out as Retry-After too."""

    status = 429
    code = "too_many_attempts"
    zh = "输错券码次数过多，请稍后再试或改用扫码"
    en = "Too many wrong codes; scan the QR code or try again later"


class NotStaffOfStore(Forbidden):
    code = "not_staff_of_store"
    zh = "您不是该门店可核销的员工"
    en = "You may not redeem at this store"


class StoreClosed(Conflict):
    code = "store_closed"
    zh = "该门店已停业，不能核销"
    en = "This store is closed"


class MerchantSuspended(Conflict):
    code = "merchant_suspended"
    zh = "商家已被暂停营业，不能核销"
    en = "This merchant is suspended; nothing can be redeemed"


class OtherStore(Conflict):
    code = "other_store"
    zh = "该券不适用于本门店"
    en = "This certificate is not valid at this store"


class NotYetValid(Conflict):
    code = "not_yet_valid"
    zh = "该券尚未到可用时间（{starts_at_text} 起可用）"
    en = "This certificate is not valid until {starts_at_text}"

    @classmethod
    def until(cls, starts_at: datetime) -> Self:
        return cls(starts_at=starts_at.isoformat(), starts_at_text=shanghai_text(starts_at))


class Expired(Conflict):
    code = "expired"
    zh = "该券已过有效期（截至 {until_text}）"
    en = "This certificate expired at {until_text}"

    @classmethod
    def at(cls, until: datetime) -> Self:
        return cls(until=until.isoformat(), until_text=shanghai_text(until))


class BlackoutDate(Conflict):
    code = "blackout_date"
    zh = "今天是该券的不可用日期"
    en = "This certificate cannot be used today"


class BlackoutHours(Conflict):
    code = "blackout_hours"
    zh = "当前时段不可使用该券"
    en = "This certificate cannot be used at this hour"


class OverTheCount(Conflict):
    code = "over_the_count"
    zh = "超过单次可用张数"
    en = "More certificates than may be used together"


class NotIssued(Conflict):
    code = "certificate_not_issued"
    zh = "该券尚未出码，不能核销"
    en = "This certificate has no code yet"


class CertificateUsed(Conflict):
    code = "certificate_used"
    zh = "该券已于 {used_at_text} 在 {store_name} 核销"
    en = "This certificate was used at {store_name} on {used_at_text}"

    @classmethod
    def at(cls, used_at: datetime, store_name: str) -> Self:
        return cls(used_at=used_at.isoformat(), used_at_text=shanghai_text(used_at), store_name=store_name)


class CertificateNotUsed(Conflict):
    code = "certificate_not_used"
    zh = "该券尚未使用，可直接退款"
    en = "This certificate has not been used; it can be refunded at once"


class CertificateRefunding(Conflict):
    code = "certificate_refunding"
    zh = "该券正在退款，不能核销"
    en = "This certificate is being refunded"


class CertificateRefunded(Conflict):
    code = "certificate_refunded"
    zh = "该券已退款"
    en = "This certificate was refunded"


class CertificateUnknown(NotFound):
    code = "certificate_unknown"
    zh = "订单中没有这张券"
    en = "The order has no such certificate"


class RefundWasAbandoned(Conflict):
    code = "refund_abandoned"
    zh = "该退款已被放弃"
    en = "This refund was given up"


class RefundNotFenced(Conflict):
    """Checkout paid back what was never fenced here: somebody has to look."""

    code = "refund_not_fenced"
    zh = "退款成功，但券未被锁定"
    en = "A refund succeeded whose certificates were not fenced"


class PreparationExpired(Conflict):
    code = "preparation_expired"
    zh = "核销确认已超时，请重新扫码"
    en = "The confirmation took too long; please scan again"


class PreparationMismatch(Conflict):
    code = "preparation_mismatch"
    zh = "核销信息与扫码结果不一致，请重新扫码"
    en = "This does not match what was scanned; please scan again"


class ChangedMeanwhile(Conflict):
    code = "changed_meanwhile"
    zh = "券的状态刚刚发生变化，请重新扫码"
    en = "The certificate has just changed; please scan again"


BY_RULE: dict[NotUsable, type[DomainError]] = {
    NotUsable.OTHER_STORE: OtherStore,
    NotUsable.STORE_CLOSED: StoreClosed,
    NotUsable.BLACKOUT_DATE: BlackoutDate,
    NotUsable.BLACKOUT_HOURS: BlackoutHours,
    NotUsable.OVER_THE_COUNT: OverTheCount,
}
"""What the use rules say, where the answer needs no moment of its own."""

BY_CODE: dict[str, type[DomainError]] = {
    one.code: one
    for one in globals().values()
    if isinstance(one, type) and issubclass(one, DomainError) and one.__module__ == __name__
}
"""Every refusal of this module by its code, to give an answer again that was given before."""
