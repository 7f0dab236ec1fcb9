"""Numbers and amounts of money in a text, as plain decimals: `1.234,50 EUR` and `$1,234.50` are both 1234.50.

A sign is left out: a dash before a number is more often a dash.
"""

from __future__ import annotations

import re
import unicodedata

_SPACES = "\u00a0\u2009\u202f"
_APOSTROPHES = "'\u2019"
LETTER = r"A-Za-z\u00c0-\u024f\u0370-\u052f"

_GROUPED = rf"\d{{1,3}}(?:[.,{_SPACES}{_APOSTROPHES}]\d{{2,3}}){{1,5}}(?:[.,]\d{{1,4}})?"
_SPACED = r"\d{1,3}(?: \d{3}){1,4}"
_PLAIN = r"\d{1,15}(?:[.,]\d{1,6})?"
_MONEY = rf"(?:{_SPACED}(?:[.,]\d{{1,2}})?|{_GROUPED}|{_PLAIN})(?!\d|[.,]\d)"
_NUMBER = rf"(?:{_SPACED}[.,]\d{{2}}|{_GROUPED}|{_PLAIN})"
_BEFORE = rf"(?<![\d{LETTER}])(?<!\d[.,:/_-])(?<![{LETTER}][_/-])"
_UNITS = (
    "kg|g|mg|t|lb|lbs|oz|km|m|cm|mm|mi|ft|in|ml|cl|dl|l|kb|mb|gb|tb|hz|khz|mhz|ghz|v|w|kw|kwh|wh|mah|a|h|min|s|ms|"
    "px|pt|x|st|stk|pcs|inch|st\\.|pc"
)
_CODES = (
    "EUR|USD|GBP|CHF|JPY|CNY|RMB|INR|AUD|CAD|NZD|SGD|HKD|TWD|KRW|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|RUB|UAH|ILS|AED|SAR|"
    "ZAR|BRL|MXN|ARS|CLP|COP|THB|IDR|MYR|PHP|VND|EGP|NGN|KES|PKR|euros?|dollars?|pounds?|yen|francs?|kr|z\u0142|"
    "k\u010d|tl|rs\\.?|rp\\.?|\u0440\u0443\u0431\\.?|(?-i:RM)"
)
_SYMBOL = r"(?:(?-i:US|CA|AU|A|C|HK|NZ|S|NT|R|MX))?[$]|[€£¥₹₽₩₺₴₫฿₪₦₱₡₲₵₸₼￥＄￡]"
_AFTER = rf"(?:[€$£¥₹₽₩₺₴₫฿₪₦₱₡₲₵₸₼￥]|[円元원]|(?:{_CODES})(?![{LETTER}\d]))"

AMOUNT = re.compile(
    rf"(?:{_SYMBOL}|(?<![{LETTER}\d])(?:{_CODES}))\s?[-\u2212]?\s?(?P<after>{_MONEY})(?:,[-\u2013\u2014]+)?"
    rf"|{_BEFORE}(?P<before>{_MONEY})(?:,[-\u2013\u2014]+)?\s?{_AFTER}"
    rf"|{_BEFORE}(?P<dash>\d{{1,9}}),[-\u2013\u2014]{{1,2}}(?!\w)",
    re.IGNORECASE,
)
"""An amount of money: a number beside a currency. One of its named groups holds the number."""

NUMBER = re.compile(
    rf"{_BEFORE}(?P<number>{_NUMBER})(?!\d|[.,:/_-]\d|[/_-][{LETTER}])"
    rf"(?:(?![{LETTER}])|(?=(?:{_UNITS})(?![{LETTER}\d])))",
    re.IGNORECASE,
)
"""A number that is part of no longer run of letters and digits, except that a unit may follow: `20kg`."""


def readings(number: str) -> tuple[str, ...]:
    """Return the plain decimals that a matched number may mean, the likelier one first.

    `1.234,50` is 1234.50; `1,234` is 1234 or 1.234, depending on where it was written.
    """
    plain = digits_of(re.sub(rf"[\s{_SPACES}{_APOSTROPHES}]", "", number))
    signs = [letter for letter in plain if letter in ".,"]
    if not signs:
        return (_decimal(plain, ""),)
    whole, _, rest = plain.rpartition(signs[-1])
    together = re.sub("[.,]", "", plain)
    if len(signs) > 1:
        if len(set(signs)) > 1:
            return (_decimal(re.sub("[.,]", "", whole), rest),)
        return (_decimal(together, ""),)
    if len(rest) == 3 and len(whole) <= 3 and whole.strip("0"):
        return _decimal(together, ""), _decimal(whole, rest)
    return (_decimal(whole, rest),)


def as_money(decimal: str) -> str:
    """Return a plain decimal with at least two places."""
    whole, _, rest = decimal.partition(".")
    return f"{whole}.{rest.ljust(2, '0')}"


def digits_of(text: str) -> str:
    """Return a text with the digits of any script as those of ASCII."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in text)


def _decimal(whole: str, rest: str) -> str:
    number = whole.lstrip("0") or "0"
    return f"{number}.{rest}" if rest else number
