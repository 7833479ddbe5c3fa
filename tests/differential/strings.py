"""Texts and moments that something between a column and a client may get wrong."""

from datetime import UTC, datetime, timedelta
from random import Random

ODD = (
    'He said "oui"', "back\\slash \\u0041 \\n", "l'été à Noël", "日本語 テキスト", "e\u0301 combined",
    "\U0001f469\U0001f3fd\u200d\U0001f4bb", "\U0010ffff", "tab\tnew\nline\rreturn", "bell \x07 and \x1f and \x7f",
    "line\u2028paragraph\u2029end", "no\u00a0break\u202f!", "\ufeffmarked", "100 % $1 {0} %s", "</script><!-- ",
    "'; DROP TABLE orders; --", "a" * 150, " padded ", "null", "0",
)  # fmt: skip
PLAIN = ("Formule Simple", "Formule Complète", "Audio", "Bilan", "Atelier", "Suivi")

# The very first and last moments of Python are left out: the database driver takes them for -infinity and infinity.
FAR = (
    datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC),
)  # fmt: skip
ABOUT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def text(random: Random, most: int = 100) -> str:
    """A text that is never empty."""
    return random.choice(ODD if random.random() < 0.4 else PLAIN)[:most]


def moment(random: Random) -> datetime:
    """Mostly of one month, to the microsecond; some at the ends of time; some the same."""
    if random.random() < 0.1:
        return random.choice(FAR)
    if random.random() < 0.2:
        return ABOUT
    return ABOUT + timedelta(microseconds=random.randrange(30 * 86_400 * 1_000_000))
