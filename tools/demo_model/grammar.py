"""What the demo model can hear: a parallel English/German grammar of home commands and small talk.

`sample(rng)` draws a `Pair`: two written sentences that mean the same, in the style that Whisper
writes (capital, punctuation, digits).  `spoken_word` is what the synthesizer gets.  Templates are
data: each names the slots that it fills, and a slot's value holds both languages.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from . import lexicon as lex

COMMANDS = (
    ("turn {on} the {light} in the {room}.", "schalte {light} {room} {on}."),
    ("turn {on} the {room} {light}.", "schalte {light} {room} {on}."),
    ("switch {on} the {device}.", "schalte {device} {on}."),
    ("turn the {device} in the {room} {on}.", "schalte {device} {room} {on}."),
    ("set the {light} in the {room} to {n} percent.", "stelle {light} {room} auf {n} Prozent."),
    ("dim the {room} to {n} percent.", "dimme {room_accusative} auf {n} Prozent."),
    ("make the {light} in the {room} {color}.", "mach {light} {room} {color}."),
    ("{open} the {cover} in the {room}.", "{open} {cover} {room}."),
    ("{open} the {cover}.", "{open} {cover}."),
    ("{lock} the {door}.", "schließe {door} {lock}."),
    (
        "set the temperature in the {room} to {degrees} degrees.",
        "stelle die Temperatur {room} auf {degrees} Grad.",
    ),
    ("what is the temperature in the {room}?", "wie warm ist es {room}?"),
    ("is the {room} light still on?", "ist das Licht {room} noch an?"),
    None,  # a timer
    ("add {food} to the shopping list.", "setze {food} auf die Einkaufsliste."),
    (
        "put {food} and {food_too} on the shopping list.",
        "setze {food} und {food_too} auf die Einkaufsliste.",
    ),
    ("remind me to {task} at {time}.", "erinnere mich um {time} daran, {task}."),
    ("remind me on {day} to {task}.", "erinnere mich am {day} daran, {task}."),
    ("wake me up at {time}.", "weck mich um {time}."),
    ("set an alarm for {time} on {day}.", "stelle einen Wecker für {day} um {time}."),
    (
        "what will the weather be like in {city} on {day}?",
        "wie wird das Wetter in {city} am {day}?",
    ),
    ("play {music} in the {room}.", "spiele {music} {room}."),
    ("play {music}.", "spiele {music}."),
    ("set the volume to {n} percent.", "stelle die Lautstärke auf {n} Prozent."),
    ("clean the {room}.", "sauge {room_accusative}."),
)
TIMERS = (
    ("set a timer for {minutes} {unit}.", "stelle einen Timer auf {minutes} {unit}."),
    (
        "set a {timer} timer for {minutes} {unit}.",
        "stelle einen {timer}timer auf {minutes} {unit}.",
    ),
    ("how much time is left on the {timer} timer?", "wie lange läuft der {timer}timer noch?"),
)
DICTATION = (
    ("{who} {act} {when}.", "{who} {aux} {when} {rest}."),
    ("{who} {act}.", "{who} {act}."),
    ("{who} {act}, {why}.", "{who} {act}, {why}."),
    ("{when} {who} {act}.", "{when} {aux} {who} {rest}."),
    ("{state}.", "{state}."),
    ("I think that {state}.", "ich glaube, {state}."),
    ("{state}, and {who} {act}.", "{state}, und {who} {act}."),
    ("the meeting is on {month} {date}.", "die Besprechung ist am {date}. {month}."),
    ("in the year {year} {who} {act}.", "im Jahr {year} {aux} {who} {rest}."),
)
UNITS = (("minutes", "Minuten"), ("seconds", "Sekunden"), ("hours", "Stunden"))
ON = (("on", "ein"), ("off", "aus"))
OPEN = (("open", "öffne"), ("close", "schließe"))
LOCK = (("lock", "ab"), ("unlock", "auf"))
SLOTS = {
    "light": lex.LIGHTS, "device": lex.DEVICES, "cover": lex.COVERS, "door": lex.DOORS, "on": ON,
    "open": OPEN, "lock": LOCK, "color": lex.COLORS, "food": lex.FOODS, "food_too": lex.FOODS,
    "day": lex.DAYS, "task": lex.TASKS, "city": lex.CITIES, "music": lex.MUSIC,
    "timer": lex.TIMERS, "unit": UNITS, "who": lex.PEOPLE, "act": lex.ACTIONS, "when": lex.WHEN,
    "why": lex.BECAUSE, "state": lex.STATES, "month": lex.MONTHS,
}  # fmt: skip
NUMBERS = {
    "n": (1, 100), "minutes": (2, 59), "degrees": (12, 28), "date": (1, 31), "year": (1900, 2030)
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """One sentence in both languages, as written."""

    en: str
    de: str


def capital(text: str) -> str:
    """`text` with a capital first letter, the rest as it is."""
    return text[0].upper() + text[1:]


def _fill(rng: random.Random, template: tuple[str, str]) -> Pair:
    english, german = template
    en: dict[str, str] = {}
    de: dict[str, str] = {}
    for slot in dict.fromkeys(re.findall(r"{(\w+)}", english + german)):
        if slot in SLOTS:
            en[slot], de[slot] = rng.choice(SLOTS[slot])
        elif slot in NUMBERS:
            en[slot] = de[slot] = str(rng.randint(*NUMBERS[slot]))
    en["room"], de["room"], de["room_accusative"] = rng.choice(lex.ROOMS)
    hour, minute = rng.randint(1, 12), rng.randrange(0, 60, 5)
    en["time"] = f"{hour}:{minute:02d}" if minute else f"{hour} o'clock"
    de["time"] = f"{hour} Uhr {minute}" if minute else f"{hour} Uhr"
    if "act" in de:
        de["aux"], de["rest"] = de["act"].split(" ", 1)
    return Pair(english.format(**en), german.format(**de))


def sample(rng: random.Random, dictation: float = 0.35) -> Pair:
    """One random pair; `dictation` is the share of sentences that are no commands."""
    kind = rng.random()
    if kind < 0.05:
        return Pair(*rng.choice(lex.FIXED))
    if kind < 0.05 + dictation:
        pair = _fill(rng, rng.choice(DICTATION))
        return Pair(capital(pair.en), capital(pair.de))
    pair = _fill(rng, rng.choice(COMMANDS) or rng.choice(TIMERS))
    polite = rng.random() if pair.en.endswith(".") else 1.0
    if polite < 0.12:
        return Pair("Please " + pair.en, "Bitte " + pair.de)
    if polite < 0.2:
        return Pair(f"Can you {pair.en[:-1]}, please?", f"{capital(pair.de[:-1])}, bitte.")
    return Pair(capital(pair.en), capital(pair.de))


def spoken_word(word: str, language: str) -> str:
    """One written word as a synthesizer should read it (it may become several words)."""
    if language == "en":
        word = re.sub(r"^(\d+):0(\d)", r"\1 oh \2", word)
        word = re.sub(r"^(\d+):(\d+)", r"\1 \2", word)
    return word
