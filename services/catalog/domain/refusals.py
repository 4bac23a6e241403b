"""Every refusal of catalog, with its stable code and its text in both languages."""

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
    zh = "营业执照有效期须超过 {days} 天"
    en = "The business licence must be valid for more than {days} days"


class AlreadyDecided(Conflict):
    code = "already_decided"
    zh = "已有其他处理结果：{state}"
    en = "It was already decided otherwise: {state}"


class ReasonNeeded(Invalid):
    code = "reason_needed"
    zh = "驳回时请填写原因"
    en = "A rejection needs a reason"


class MerchantNotVerified(Conflict):
    code = "merchant_not_verified"
    zh = "商家尚未通过企业认证"
    en = "The merchant is not verified"


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


class StoreNotOfMerchant(Conflict):
    code = "store_not_of_merchant"
    zh = "所选门店不属于该商家"
    en = "A chosen store does not belong to this merchant"


class StoreNotVerified(Conflict):
    code = "store_not_verified"
    zh = "所选门店尚未通过认领审核或已关闭"
    en = "A chosen store is not verified, or closed"


class RoleNotAssignable(Invalid):
    code = "role_not_assignable"
    zh = "商家不能授予该角色"
    en = "A merchant cannot give this role"


class StaffExists(Conflict):
    code = "staff_exists"
    zh = "该人员已在本商家任职"
    en = "This person already has a place at this merchant"


class LastOwner(Conflict):
    code = "last_owner"
    zh = "至少保留一位在职的负责人"
    en = "At least one active owner must remain"


class DealInReview(Conflict):
    code = "deal_in_review"
    zh = "团购审核中，暂不能修改"
    en = "The deal is in review and cannot be changed now"


class DealNotInReview(Conflict):
    code = "deal_not_in_review"
    zh = "该团购不在审核中"
    en = "The deal is not in review"


class DealNotPublished(Conflict):
    code = "deal_not_published"
    zh = "团购尚未审核通过，不能上架"
    en = "The deal has no approved version yet"


class SaleEnded(Conflict):
    code = "sale_ended"
    zh = "售卖时间已结束"
    en = "The sale has ended"


class PriceAboveOriginal(Invalid):
    code = "price_above_original"
    zh = "团购价不能高于原价"
    en = "The price must not be above the original price"


class SaleWindowEmpty(Invalid):
    code = "sale_window_empty"
    zh = "售卖结束时间须晚于开始时间"
    en = "The sale must end after it starts"


class UseWindowEmpty(Invalid):
    code = "use_window_empty"
    zh = "使用截止时间须晚于开始时间"
    en = "The use window must end after it starts"


class UseEndsBeforeSale(Invalid):
    code = "use_ends_before_sale"
    zh = "使用截止时间不能早于售卖结束时间"
    en = "Use must not end before the sale does"


class DeliveryTermsNeeded(Invalid):
    code = "delivery_terms_needed"
    zh = "实物团购须填写配送方式"
    en = "A deal of goods needs its delivery terms"


class DeliveryTermsNotAllowed(Invalid):
    code = "delivery_terms_not_allowed"
    zh = "到店团购不能填写配送方式"
    en = "A deal used in store has no delivery terms"


class DealNotOfMerchant(Conflict):
    code = "deal_not_of_merchant"
    zh = "该团购不属于此视频的商家"
    en = "The deal belongs to another merchant than the video"


class VideoTaken(Conflict):
    code = "video_taken"
    zh = "该视频已被登记"
    en = "This video is already registered"


class CursorInvalid(Invalid):
    code = "cursor_invalid"
    zh = "翻页参数无效，请从头浏览"
    en = "The cursor is not valid; start from the beginning"


class LicenceExpired(Conflict):
    code = "licence_expired"
    zh = "营业执照已过期，请更换后重新提交审核"
    en = "The business licence has expired: submit a valid one"


class FeeSettled(Conflict):
    code = "fee_settled"
    zh = "该费用已处理：{state}"
    en = "This fee is settled already: {state}"


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


class TooManyStaff(Conflict):
    code = "too_many_staff"
    zh = "在职人员已达上限 {limit} 人"
    en = "There are {limit} active people already"


class TooManyInvitations(Conflict):
    code = "too_many_invitations"
    zh = "待接受的邀请已达上限 {limit} 个"
    en = "There are {limit} open invitations already"


class InvitationUsed(Conflict):
    code = "invitation_used"
    zh = "该邀请已被接受"
    en = "This invitation was accepted already"


class InvitationRevoked(Conflict):
    code = "invitation_revoked"
    zh = "该邀请已被撤回"
    en = "This invitation was withdrawn"


class InvitationExpired(Conflict):
    code = "invitation_expired"
    zh = "该邀请已过期，请联系负责人重新邀请"
    en = "This invitation has expired: ask an owner for a new one"
