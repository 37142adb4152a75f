"""Signs and words around a number, as parts of regular expressions."""
# ruff: noqa: RUF001

NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
).split()
MORE_NUMBER_WORDS = frozenset(
    "thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half quarter third".split()
)
"""Further words of numbers, which are not read: what stands beside one is but a part."""
MULTIPLES = frozenset({"dozen", "dozens", "score", "half", "halves"})
COMMA_ONLY = frozenset({"mil", "bin"})
"""Scales where numbers are written with a decimal comma, something else where they are not."""
POINT_ONLY = frozenset({"billion", "billions", "trillion", "trillions"})
"""Scales of English, which stand for more in languages with a decimal comma."""
ABBREVIATED = frozenset({"mio", "mrd", "tsd", "mln", "tys", "млн", "тыс", "млрд"})
"""Scales that are written with a stop."""
LETTERS = {"k": 3, "m": 6, "b": 9, "t": 12}
"""Letters that are scales behind an amount of money; elsewhere they may be units (5 m, 300 K, 0.1 M)."""

CURRENCY = (
    r"(?:(?:US|R|A|C|NZ|HK|S|CA|AU)?\$|[€£¥₹₩₽₺₴₫₱₪฿₦]|\b(?:USD|EUR|GBP|JPY|INR|CHF|CAD|AUD|CNY|RMB|BRL|KRW|RUB|Rs)\b\.?)"
)
MINUS = r"(?:\b(?:minus|negative|moins|menos|meno|négatif|negativ|минус|eksi|min)\s|负|負|マイナス\s?|마이너스\s?)"
"""Words before a number that make it negative."""
BOUND_BEFORE = r"(?:[<>≤≥⩽⩾]=?|\b(?:{})\s|超过|超過|少于|少於|多于|多於|至少|最多|以上|大于|小于|不到)\s?\Z"
BOUND_AFTER = (
    r"\s?(?:\+(?!\s?[\d(])|\bor (?:more|less|fewer|higher|lower|above|below|so)\b|\band (?:above|up|over|below|more)\b"
)
BOUND_AFTER += r"|以上|以下|多个|多)"
OPERATOR = r"\s*(?:[-+*×·⋅÷/^:~〜∶]|\*\*|\.\.+|±|\+/-|[xX]|−|到|至|から|\b(?:to|through|thru|till|until|bis|à|до|hasta|até|plus"
OPERATOR += r"|minus|times|divided by|mod)\b)?\s*"
"""What stands between numbers that are but parts of a range, a date, a time, a fraction or a sum."""
EQUALS = r"\s*(?:=|≈|⇒|→|=>|->)\s*"
