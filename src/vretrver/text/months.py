"""Names of months in the languages whose dates are read, as they stand without their accents."""

from __future__ import annotations

import re
import unicodedata

_FULL = (
    "january february march april may june july august september october november december",
    "januar februar marz april mai juni juli august september oktober november dezember",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "ocak subat mart nisan mayis haziran temmuz agustos eylul ekim kasim aralik",
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia",
    "ledna unora brezna dubna kvetna cervna cervence srpna zari rijna listopadu prosince",
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    "январь февраль март апрель маи июнь июль август сентябрь октябрь ноябрь декабрь",
)
_SHORT = (
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "jan feb mrz apr mai jun jul aug sept okt nov dez",
    "janv fevr mars avr mai juin juil aout sept oct nov dec",
    "ene feb mar abr may jun jul ago set oct nov dic",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "jan fev mrt abr mei jun jul ago set out nov dez",
)
_UNACCENTED = {"ı": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ß": "ss", "đ": "d"}
_LETTERS = re.compile("|".join(_UNACCENTED))

MONTHS = {name: place for row in (*_FULL, *_SHORT) for place, name in enumerate(row.split(), start=1)}
"""Name without accents -> number from 1."""


def folded(text: str) -> str:
    """Return a text in NFKC, casefolded and without accents: `MÄRZ` and `märz` give `marz`, `Łódź` gives `lodz`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    if not plain.isascii():
        plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
        plain = _LETTERS.sub(lambda match: _UNACCENTED[match[0]], plain)
    return unicodedata.normalize("NFC", plain)
