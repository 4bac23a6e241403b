"""Who may sell: account, licence, fee, opening and suspension; and what every decision must respect."""

from services.catalog.domain.refusals.words import InWords
from shared.errors import Conflict, Invalid


class AccountNotEnterprise(Conflict):
    code = "account_not_enterprise"
    zh = "普通账号不能开通团购，请先认证企业号"
    en = "An ordinary account cannot sell deals; get a verified enterprise account first"


class AccountTrial(Conflict):
    code = "account_trial"
    zh = "试用企业号不能开通团购，请先完成企业认证"
    en = "A trial enterprise account cannot sell deals; finish the enterprise verification first"


class LicenceExpiresSoon(Conflict):
    code = "licence_expires_soon"
    zh = "营业执照的剩余有效期须超过 {days} 天"
    en = "The business licence must be valid for more than {days} days"


class LicenceExpired(Conflict):
    code = "licence_expired"
    zh = "营业执照已过期，请更换后重新提交审核"
    en = "The business licence has expired: submit a valid one"


class AlreadyDecided(InWords, Conflict):
    code = "already_decided"
    zh = "已有不同的处理结果（{state}）"
    en = "It was already decided otherwise ({state})"


class ReasonNeeded(Invalid):
    code = "reason_needed"
    zh = "请填写原因"
    en = "Please give a reason"


class MerchantNotVerified(Conflict):
    code = "merchant_not_verified"
    zh = "商家尚未通过企业认证"
    en = "The merchant is not verified"


class FeeSettled(InWords, Conflict):
    code = "fee_settled"
    zh = "该费用已处理（{state}）"
    en = "This fee is settled already ({state})"


class GroupBuyNotOpened(Conflict):
    code = "group_buy_not_opened"
    zh = "尚未开通团购，请先完成开通步骤并申请开通"
    en = "Group-buy is not opened yet: finish the steps and apply to open it"


class OpeningNotReady(Conflict):
    code = "opening_not_ready"
    zh = "还不能开通团购，请先完成「{name}」：{reason}"
    en = "Group-buy cannot be opened yet; first comes '{name}': {reason}"

    def text(self, language: str) -> str:
        """Name and reason of the open step are facts in both languages; a sentence takes those of its own."""
        if not self.facts:
            return super().text(language)
        own = {name: self.facts[f"{name}_{language}"] for name in ("name", "reason")}
        return (self.zh if language == "zh" else self.en).format(**own)


class AlreadySuspended(Conflict):
    code = "already_suspended"
    zh = "商家已被停业：{reason}"
    en = "The merchant is suspended already: {reason}"


class SupportWindowEmpty(Invalid):
    code = "support_window_empty"
    zh = "扶持结束时间须晚于开始时间"
    en = "The support must end after it starts"
