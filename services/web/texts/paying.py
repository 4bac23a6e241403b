"""What a buyer reads while paying: the ways to pay, the code for another phone, and why one of them is not offered."""

TEXTS = {
    "pay.title": ("支付订单", "Pay"),
    "pay.scan": ("扫码支付", "Scan to pay"),
    "pay.scan_hint": ("用另一部手机的支付宝扫一扫付款", "With Alipay on another phone"),
    "pay.cashier": ("支付宝支付", "Pay with Alipay"),
    "pay.cashier_hint": ("在这台设备上付款", "On this device"),
    "pay.code": ("支付宝付款码", "Alipay code to scan and pay"),
    "pay.step.open": ("在另一部手机上打开支付宝", "Open Alipay on another phone"),
    "pay.step.scan": ("打开支付宝扫一扫，对准上方二维码", "Choose Scan and hold it to the code above"),
    "pay.step.done": ("核对金额并付款，本页会自动更新", "Check the amount and pay; this page follows by itself"),
    "pay.time_left": ("剩余支付时间", "Time left"),
    "pay.waiting": ("等待付款…", "Waiting for the payment…"),
    "pay.waited": ("如已付款，请点击“我已完成支付”查看结果", "If you have paid, press “I have paid” to see the result"),
    "pay.code_pending": ("正在获取付款码…", "Getting your code…"),
    "pay.code_pending_hint": (
        "支付宝还没有给出付款码，本页会自动重试。没有扣款。",
        "Alipay has not given the code yet; this page asks again by itself. You have not been charged.",
    ),
    "pay.code_missing": ("暂时取不到付款码", "There is no code just now"),
    "pay.code_missing_hint": (
        "请改用下方的支付宝支付，或稍后再试。没有扣款。",
        "Please pay with Alipay below, or try again later. You have not been charged.",
    ),
    "pay.ask_again": ("重新获取", "Ask again"),
    "pay.instead": ("不方便扫码？", "Cannot scan?"),
    "pay.code_over": ("这个付款码已失效", "This code can no longer be paid"),
    "pay.code_over_hint": (
        "请重新选择支付方式，不会重复扣款。",
        "Please choose how to pay again. Nothing is charged twice.",
    ),
    "hint.payment_not_offered": (
        "请换用下面的另一种方式付款，或过几分钟再试。没有扣款。",
        "Please pay the other way below, or try again in a few minutes. You have not been charged.",
    ),
    "hint.previous_payment_open": (
        "先前打开的支付页面正在关闭，几秒后再试即可，不会重复扣款。",
        "The payment you opened before is being closed. Try again in some seconds; nothing is charged twice.",
    ),
    "hint.order_not_payable": (
        "支付时间已过，或订单已付款；请查看订单。",
        "The time to pay is over, or it has been paid. Please see the order.",
    ),
}
