"""What can go wrong while starting or ending the local system, said in both languages."""


class LocalError(Exception):
    """A local server or process could not do what was asked.

    `code` is stable snake_case; `en` and `zh` are what the person at the terminal reads.
    """

    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(f"{en}\n{zh}")
        self.code = code
        self.en = en
        self.zh = zh
