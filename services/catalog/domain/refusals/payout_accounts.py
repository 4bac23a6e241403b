"""Where a merchant may be paid."""

from shared.errors import Conflict, Invalid


class PayoutAccountNotVerified(Conflict):
    code = "payout_account_not_verified"
    zh = "收款支付宝账户尚未通过审核"
    en = "The merchant's payout account is not verified"


class SubjectMismatch(Conflict):
    code = "subject_mismatch"
    zh = "企业支付宝主体与认证主体不一致"
    en = "The enterprise Alipay account belongs to another subject than the verified one"


class PersonalAccountNotAllowed(Conflict):
    code = "personal_account_not_allowed"
    zh = "仅个体工商户可使用法人个人支付宝"
    en = "Only an individual business may be paid to a personal Alipay account"


class LegalPersonMismatch(Conflict):
    code = "legal_person_mismatch"
    zh = "个人支付宝须为营业执照法人本人所有"
    en = "The personal Alipay account must belong to the legal person of the licence"


class RealNameMissing(Conflict):
    code = "real_name_missing"
    zh = "个人支付宝尚未实名认证"
    en = "The personal Alipay account is not real-name verified"


class SubMerchantNeeded(Invalid):
    code = "sub_merchant_needed"
    zh = "直付通结算须填写二级商户号"
    en = "The 直付通 rail needs the sub-merchant id"
