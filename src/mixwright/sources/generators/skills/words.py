"""The words that the skills share, so that what one skill teaches about a word helps the others.

A small common stock is a deliberate limit: every word is met thousands of times in a few minutes of training.
"""


def listed(text: str, separator: str | None = None) -> tuple[str, ...]:
    """The words of a text, or its phrases between separators, in order."""
    return tuple(part.strip() for part in text.split(separator))


NAMES = listed(
    "Orla Tam Bryn Cato Dina Edda Finn Greta Hugo Ines Jonas Kira Lena Milo Nora Otto Petra Quinn Rosa Sven "
    "Tilda Ugo Vera Wanda Yara Zeno"
)

FRUIT = listed("apple pear plum lemon grape cherry melon peach mango fig")
ANIMALS = listed("fox owl goat horse rabbit otter crow bear lynx duck mouse whale")
THINGS = listed(
    "key lamp book coin map rope drum clock ring cup knife letter ladder basket bell mirror candle hammer "
    "blanket ticket wallet bottle"
)
PLACES = listed("barn attic kitchen garden cellar office tower shed library harbour station market tent cabin")
COLOURS = listed("red blue green yellow black white brown grey purple orange")
NATURE = listed("river stone cloud forest island valley snow wind storm leaf meadow sand")
JOBS = listed("baker pilot nurse farmer teacher painter sailor tailor doctor singer")
DAYS = listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")

NOUNS = FRUIT + ANIMALS + THINGS + PLACES + NATURE
PLAIN = NOUNS + COLOURS + JOBS
