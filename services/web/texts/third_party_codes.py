"""A merchant's pool of codes, and its issuer."""

TEXTS = {
    "codes.title": ("三方券码", "Codes of your own"),
    "codes.state": ("券码池", "The pool"),
    "codes.count.free": ("可发放", "Free"),
    "codes.count.allocated": ("已发放", "Given out"),
    "codes.count.used": ("已核销", "Used"),
    "codes.count.void": ("已作废", "Void"),
    "codes.count.waiting": ("等待券码", "Waiting for a code"),
    "codes.waiting_hint": (
        "{n} 张券正在等待券码，支付后 10 分钟内没有券码会自动退款",
        "{n} wait for a code; ten minutes after payment the money goes back by itself",
    ),
    "codes.import": ("导入券码", "Import codes"),
    "codes.one_per_line": ("每行一个，最多 {most} 个", "One per line, at most {most}"),
    "codes.hint": (
        "重复的券码会被拒绝，且整批不导入；大小写、空格、连字符、全角不同视为同一个码",
        "A repeated code refuses the whole list. Case, spaces, hyphens and width make no difference.",
    ),
    "codes.how_many": ("请填写 1 至 {most} 个券码，每行一个", "Give 1 to {most} codes, one per line"),
    "codes.lines": ("第 {lines} 个", "number {lines}"),
    "codes.imported": ("已导入 {n} 个券码", "{n} codes imported"),
    "codes.submit": ("导入", "Import"),
    "issuer.title": ("发码系统", "Code issuer"),
    "issuer.hint": (
        "选择「实时发码」的团购，支付后向此地址请求券码；请求与回报用同一密钥签名",
        "Deals whose codes are made on demand ask here after payment. One secret signs both ways.",
    ),
    "issuer.url": ("发码地址（公网 https）", "Address (public https)"),
    "issuer.secret": ("签名密钥（至少 32 位，保存后不再显示）", "Secret (32 characters or more; never shown again)"),
    "issuer.secret_hint": (
        "地址须为公网 https；密钥须为 32 至 200 个英文可见字符",
        "A public https address, and a secret of 32 to 200 printable ASCII characters",
    ),
    "issuer.since": ("{time} 起", "since {time}"),
    "issuer.now": ("当前地址", "Now"),
    "issuer.none": ("还没有设置", "None yet"),
    "issuer.save": ("保存", "Save"),
}
