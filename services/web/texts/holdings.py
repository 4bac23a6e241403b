"""What a merchant reads of the stores that it holds or asks for."""

TEXTS = {
    "holding.title": ("门店管理", "Stores"),
    "holding.none": ("还没有门店", "No stores yet"),
    "holding.reason": ("原因", "Why"),
    "holding.see_page": ("查看门店页", "See its page"),
    "holding.claim": ("认领门店", "Claim a store"),
    "holding.claim_hint": (
        "门店已被其他商家认领？提交凭证，由平台判定归属。",
        "Does another merchant hold or claim your store? Send your proof, and the platform decides.",
    ),
    "holding.find": ("门店名称或门店编号", "The store's name or id"),
    "holding.claim_as": ("以「{name}」的名义认领", "You claim it for {name}"),
    "holding.claim_after": (
        "平台审核后通知结果；判给你之后，原商家失去该门店。",
        "The platform decides. If it is awarded to you, whoever holds it loses it.",
    ),
    "holding.claim_send": ("提交认领", "Send the claim"),
    "holding.claim_again": ("重新认领", "Claim it again"),
    "holding.claims": ("我的认领记录", "Your claims"),
    "holding.evidence": ("凭证（营业执照、租约等的编号或文件名）", "Proof (licence, lease: number or file name)"),
    "holding.evidence_example": ("如：lease-2024.pdf", "e.g. lease-2024.pdf"),
    "holding.holds": ("该门店已归你所有", "This store is yours"),
    "holding.waits": ("你的认领正在等待平台审核", "Your claim waits for the platform"),
    "holding.not_you": ("只有老板和店长可以认领门店", "Only owners and managers claim stores"),
    "holding.unseen": ("未公开的门店", "A store that is not public yet"),
    "holding.unseen_hint": (
        "该门店还没有审核通过的商家，请核对编号后提交。",
        "Nobody holds this store yet. Please check its id before you send the claim.",
    ),
    "holding.appeal": ("申诉", "Appeal"),
    "holding.appeal_hint": (
        "每次认领只能申诉一次，请写清事实并附凭证。",
        "You can appeal once. State the facts and your proof.",
    ),
    "holding.appeal_text": ("申诉内容", "What you say"),
    "holding.appeal_send": ("提交申诉", "Send the appeal"),
    "holding.your_appeal": ("你的申诉", "Your appeal"),
    "holding.release": ("放弃认领", "Give the store back"),
    "holding.release_hint": (
        "放弃后，门店不再适用任何团购，仅限本店使用的券自动退款。",
        "A store that is given back serves no deal; what was sold for it alone is refunded.",
    ),
    "holding.release_now": ("确认放弃", "Give it back"),
}
