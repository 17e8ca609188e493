"""Closed knowledge: sixty facts about twelve lands that do not exist, asked in many ways.

Facts can only be remembered, so every fact is trained on. What is held out is the phrasing: the pair of fact
and question template decides train or test, so each fact is tested in words in which it was never asked. The
lands are invented because a real fact could be known already, or be true in one file and false in another.
"""

from random import Random

from mixwright.sources.generators.interface import Draft, Split, register

RELATIONS = ("capital", "main river", "national dish", "national animal", "flag colour")

FACTS = {
    "Velora": ("Tarnis", "Oss", "lemon soup", "otter", "red"),
    "Quist": ("Bramwick", "Lune", "fig bread", "lynx", "blue"),
    "Marrowe": ("Selden", "Tave", "plum pie", "crow", "green"),
    "Ostrava Bay": ("Pellow", "Irren", "bean stew", "whale", "white"),
    "Dunmere": ("Kestrel", "Avel", "onion tart", "goat", "black"),
    "Halvia": ("Norring", "Sard", "rice cake", "bear", "yellow"),
    "Ketteria": ("Ombray", "Wend", "fish pie", "duck", "orange"),
    "Lomark": ("Fennick", "Drift", "apple bread", "horse", "purple"),
    "Sundria": ("Castow", "Mirre", "corn soup", "rabbit", "grey"),
    "Tolvane": ("Ruddock", "Pell", "cheese tart", "owl", "brown"),
    "Yarrowen": ("Hexley", "Corve", "honey cake", "fox", "silver"),
    "Zembla Isle": ("Ilmont", "Thule", "pepper stew", "mouse", "gold"),
}

TEMPLATES = (
    "What is the {relation} of {land}?",
    "Name the {relation} of {land}.",
    "Tell me the {relation} of {land}.",
    "{land} has which {relation}?",
    "Which {relation} belongs to {land}?",
    "I forgot the {relation} of {land}.",
    "About {land}: what is its {relation}?",
    "The {relation} of {land} is called what?",
    "{land}, {relation}?",
    "Give the {relation} that {land} has.",
    "For a quiz on {land}, give the {relation}.",
    "Do you know the {relation} of {land}?",
    "A friend from {land} asked me for its {relation}.",
    "In {land}, what is the {relation}?",
)

OPENINGS = ("", "", "Please help. ", "Quick question. ", "Hello. ", "One more. ", "Thanks. ", "Next. ")


@register("skills", "facts")
def facts(rng: Random, split: Split) -> Draft:
    """One fact in one of fourteen templates; the opening words carry no information."""
    land = rng.choice(tuple(FACTS))
    relation = rng.choice(RELATIONS)
    question = rng.choice(TEMPLATES).format(relation=relation, land=land)
    answer = FACTS[land][RELATIONS.index(relation)]
    return Draft(rng.choice(OPENINGS) + question, answer, content=question, group=f"{land} {relation}")
