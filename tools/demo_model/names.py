"""Invented names of rooms, devices, people and media, and sentences that hold them.

A name is drawn letter by letter from the statistics of real ones, then sometimes respelled the way
it sounds (Catrin, Kathryn): what is heard does not say how it is written, so the prompt has to.
Every twelfth name (by hash) is held out: the training set never says it, the evaluation does.
"""

from __future__ import annotations

import functools
import hashlib
import random
from dataclasses import dataclass

from .grammar import Pair, capital
from .lexicon import ACTIONS, DAYS, MONTHS, WHEN

SEEDS = """
Adelheid Albert Alice Amalie Anders Andrea Angelika Annika Anton Arabella Arthur Astrid August
Aurelia Barnaby Bastian Beatrix Benedikt Bernadette Bettina Bianca Birgit Brigitte Bruno Camilla
Carlotta Caspar Cecilia Charlotte Christoph Clara Claudia Clemens Conrad Cordula Cornelia Damian
Dagmar Deborah Dennis Dietrich Dominik Dorothea Eberhard Edgar Edith Eleonora Elias Elisabeth
Elvira Emanuel Emilia Erich Ernestine Esther Eugen Fabian Felicitas Felix Ferdinand Fiona Florian
Franziska Frederick Friedrich Gabriel Georgina Gerald Gertrude Gisela Gloria Gottfried Gregor
Gudrun Gustav Hannelore Harald Hartmut Hedwig Heinrich Helena Helmut Henrietta Herbert Hermine
Hildegard Holger Horatio Hubert Ignaz Ilona Ingrid Irene Isabella Jakob Jasmin Jeremias Joachim
Johanna Jolanda Jonathan Josephine Judith Juliane Karin Karoline Kasimir Katharina Kerstin
Konstantin Kornelius Kunigunde Lambert Laurenz Leander Leonhard Leopold Lieselotte Linus Lorenz
Lothar Lucinda Ludwig Luisa Magdalena Malvina Manfred Marcella Margarete Marlene Matilda Matthias
Maximilian Melanie Melchior Michaela Miranda Moritz Nadine Nathaniel Nikolaus Norbert Octavia
Olivia Ortrud Oskar Ottilie Pamela Patricia Pauline Penelope Philippa Quentin Raimund Raphael
Rebecca Reinhold Renate Richard Roderick Roland Rosalind Rudolf Rupert Sabine Samuel Sebastian
Selma Severin Sibylle Siegfried Simone Solveig Stanislaus Stefanie Sylvester Tabea Tamara Thaddeus
Theodora Theresa Tobias Tristan Ulrike Urban Ursula Valentin Vanessa Veronika Viktoria Vincent
Viola Walburga Waldemar Walter Wendelin Wilfried Wilhelmine Winfried Wolfgang Xaver Yvonne
Zacharias Abernathy Ackermann Aldridge Baumgartner Blackwood Bramstedt Brandauer Brockmann
Callahan Carrington Dallinger Davenport Eisenhauer Ellsworth Fairbanks Falkenberg Feldkamp
Gallagher Gerstner Goldwater Grunewald Hallberg Hartwell Hillebrand Holloway Kaltenbach Kensington
Kirchner Lancaster Landauer Lindqvist Lockhart Mandelbaum Merriweather Morgenstern Neuhaus
Nightingale Oberland Osterkamp Pemberton Pickering Quennell Radcliffe Ravensburg Rosenthal
Sandoval Schellenberg Silverton Sommerfeld Steinbach Sutherland Tannhauser Thornton Underwood
Vandermeer Wallenstein Wellington Westerholt Winterbourne Zellweger Altona Barcelona Bellinzona
Calabria Cordoba Davos Esperanza Galicia Havanna Kalimera Lugano Marbella Monterosa Nirvana Odessa
Palermo Ravenna Salamanca Toledo Valencia Verona Zagora Aurora Calypso Dynamo Eldorado Filomena
Galaxia Hyperion Juventa Kantara Luminara Maverick Novella Orion Paloma Quadriga Rialto Saturnia
Tempora Umbria Vesuvia Xanadu Zephyra
""".split()  # noqa: SIM905

ROOM_KINDS = (
    ("room", "Zimmer"),
    ("studio", "Studio"),
    ("cabin", "Kammer"),
    ("hall", "Saal"),
)
ALIKE = (  # what sounds alike; tried in both directions
    ("ph", "f"), ("ck", "k"), ("ca", "ka"), ("co", "ko"), ("cu", "ku"), ("cl", "kl"), ("cr", "kr"),
    ("th", "t"), ("nn", "n"), ("ll", "l"), ("tt", "t"), ("ss", "s"), ("rr", "r"), ("mm", "m"),
    ("y", "i"), ("x", "ks"), ("ei", "ai"), ("chr", "kr"), ("qu", "kw"), ("v", "w"), ("z", "s"),
)  # fmt: skip
SENTENCES = (  # {a}, {b} names; the German sentence beside the English one
    ("call {a}.", "ruf {a} an."),
    ("call {a} and {b}.", "ruf {a} und {b} an."),
    ("turn on {a}.", "schalte {a} ein."),
    ("switch off {a}.", "schalte {a} aus."),
    ("start {a}.", "starte {a}."),
    ("stop {a} and start {b}.", "stoppe {a} und starte {b}."),
    ("open {a}.", "öffne {a}."),
    ("play {a}.", "spiele {a}."),
    ("play {a} by {b}.", "spiele {a} von {b}."),
    ("play the album {a}.", "spiele das Album {a}."),
    ("play {a} in the kitchen.", "spiele {a} in der Küche."),
    ("put {a} on the list.", "setze {a} auf die Liste."),
    ("turn on the light in the {a} {room}.", "schalte das Licht im {kind} {a} ein."),
    ("turn off the heater in the {a} {room}.", "schalte die Heizung im {kind} {a} aus."),
    ("set {a} to {n} percent.", "stelle {a} auf {n} Prozent."),
    ("set {a} to {n} degrees.", "stelle {a} auf {n} Grad."),
    ("is {a} still on?", "ist {a} noch an?"),
    ("is {a} at home?", "ist {a} zu Hause?"),
    ("where is {a}?", "wo ist {a}?"),
    ("who is {a}?", "wer ist {a}?"),
    ("send a message to {a}.", "schick eine Nachricht an {a}."),
    ("tell {a} that dinner is ready.", "sag {a}, dass das Essen fertig ist."),
    ("remind me to write to {a} on {day}.", "erinnere mich am {tag} daran, {a} zu schreiben."),
    ("remind {a} to buy milk.", "erinnere {a} daran, Milch zu kaufen."),
    ("the meeting with {a} is on {month} {n}.", "die Besprechung mit {a} ist am {n}. {monat}."),
    ("how is the weather in {a}?", "wie ist das Wetter in {a}?"),
    ("how far is it from {a} to {b}?", "wie weit ist es von {a} nach {b}?"),
    ("my name is {a}.", "mein Name ist {a}."),
    ("{a} and {b} are coming on {day}.", "{a} und {b} kommen am {tag}."),
    ("{a} lives in {b}.", "{a} wohnt in {b}."),
    ("{a} {act} {when}.", "{a} {aux} {wann} {tat}."),
    ("{a} {act}.", "{a} {aux} {tat}."),
    ("{a}.", "{a}."),
)


@dataclass(frozen=True, slots=True)
class Named:
    """A sentence in both languages with the names it holds."""

    pair: Pair
    names: tuple[str, ...]


@functools.cache
def _chain() -> dict[str, tuple[str, ...]]:
    following: dict[str, list[str]] = {}
    for seed in SEEDS:
        letters = f"^^{seed.lower()}$"
        for i in range(2, len(letters)):
            for before in (letters[i - 2 : i], letters[max(0, i - 3) : i]):
                following.setdefault(before, []).append(letters[i])
    return {before: tuple(after) for before, after in following.items()}


def respell(name: str, rng: random.Random) -> str:
    """`name` written another way that sounds (nearly) the same."""
    first, rest = name[0], name[1:].lower()
    both_ways = (*ALIKE, *((b, a) for a, b in ALIKE))
    fits = [(a, b) for a, b in both_ways if a in rest]
    if not fits:
        return name
    return first + rest.replace(*rng.choice(fits), 1)


def invent(rng: random.Random) -> str:
    """One invented name, held out or not."""
    chain = _chain()
    while True:
        letters = "^^"
        while not letters.endswith("$") and len(letters) < 15:
            before = letters[-3:] if letters[-3:] in chain and rng.random() < 0.6 else letters[-2:]
            letters += rng.choice(chain[before])
        name = letters[2:-1]
        if letters.endswith("$") and 4 <= len(name) <= 10:
            break
    name = name.capitalize()
    return respell(name, rng) if rng.random() < 0.4 else name


def held_out(name: str) -> bool:
    """Whether `name` belongs to the evaluation set alone."""
    digest = hashlib.sha1(name.lower().encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % 12 == 0


def draw_name(rng: random.Random, split: str) -> str:
    """Draw an invented name of the training (`train`) or evaluation (`eval`) set."""
    while held_out(name := invent(rng)) != (split == "eval"):
        pass
    return name


def sample_named(rng: random.Random, split: str) -> Named:
    """Draw a sentence around one or two names of `split`."""
    a, b = draw_name(rng, split), draw_name(rng, split)
    en, de = rng.choice(SENTENCES)
    room, kind = rng.choice(ROOM_KINDS)
    (day, tag), (month, monat) = rng.choice(DAYS), rng.choice(MONTHS)
    (act, acted), (when, wann) = rng.choice(ACTIONS), rng.choice(WHEN)
    aux, tat = acted.split(" ", 1)
    slots = {
        "a": a, "b": b, "room": room, "kind": kind, "day": day, "tag": tag, "month": month,
        "monat": monat, "act": act, "aux": aux, "tat": tat, "when": when, "wann": wann,
        "n": str(rng.randint(2, 30)),
    }  # fmt: skip
    pair = Pair(capital(en.format(**slots)), capital(de.format(**slots)))
    return Named(pair, (a, b) if "{b}" in en else (a,))
