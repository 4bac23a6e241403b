"""What operators read of refunds that were made at Alipay itself."""

TEXTS = {
    "external.title": ("支付宝侧退款", "Refunds made at Alipay"),
    "external.hint": (
        "以下款项已在支付宝直接退给买家，请选择退的是哪些券；同一订单的几笔合起来才对得上时，可一起勾选。",
        "This money went back at Alipay itself. Say for which units; tick several refunds that only fit together.",
    ),
    "external.none": ("没有待认领的退款", "No refund is waiting"),
    "external.more": ("另有 {n} 个订单，处理后显示", "{n} more orders appear when these are done"),
    "external.no_order": ("订单暂时读不到，请稍后刷新", "The order cannot be read just now; please look again soon"),
    "external.refunds": ("支付宝已退", "Refunded at Alipay"),
    "external.units": ("退的是", "It was for"),
    "external.paid": ("实付 {price}", "paid {price}"),
    "external.allocate": ("认领退款", "Record the refund"),
    "external.choose": ("请至少选择一笔退款和一张券", "Please choose a refund and a unit at least"),
    "external.differs": (
        "退款合计 {refunded}，所选合计 {units}；已部分使用的也可按实付计。",
        "The refunds are {refunded}, the units {units}; units used in part may also count for all that was paid.",
    ),
    "hint.external_refund_allocated": (
        "同事可能已经处理，请核对订单。",
        "A colleague may have been faster; see the order.",
    ),
    "unit_state.OPEN": ("未使用", "Unused"),
    "unit_state.USED": ("已使用", "Used"),
    "unit_state.FINAL": ("已使用，不可撤销", "Used, for good"),
    "unit_state.REFUNDING": ("退款中", "Being refunded"),
    "unit_state.REFUNDED": ("已退款", "Refunded"),
}
