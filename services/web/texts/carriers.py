"""What carriers are called at the merchant's and the operator's desk, by dispatch's name for them; one that has no line
here is shown under that name. Buyers read the name that the carrier's adapter gives."""

TEXTS = {
    "carrier.self": ("本店配送员", "Own riders"),
    "carrier.dada": ("达达", "Dada"),
    "carrier.ishansong": ("闪送", "Shansong"),
    "carrier.kuaidi100": ("快递100", "Kuaidi100"),
}
