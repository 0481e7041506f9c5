"""The words of the demo model's world: each entry in English and in German.

German entries stand in the case that their templates need (see `grammar.py`).
"""

from __future__ import annotations

# English, German locative, German accusative
ROOMS = (
    ("kitchen", "in der Küche", "die Küche"), ("living room", "im Wohnzimmer", "das Wohnzimmer"),
    ("bedroom", "im Schlafzimmer", "das Schlafzimmer"),
    ("bathroom", "im Badezimmer", "das Badezimmer"), ("hallway", "im Flur", "den Flur"),
    ("office", "im Büro", "das Büro"), ("garage", "in der Garage", "die Garage"),
    ("garden", "im Garten", "den Garten"), ("basement", "im Keller", "den Keller"),
    ("attic", "auf dem Dachboden", "den Dachboden"),
    ("dining room", "im Esszimmer", "das Esszimmer"),
    ("guest room", "im Gästezimmer", "das Gästezimmer"),
    ("nursery", "im Kinderzimmer", "das Kinderzimmer"),
    ("laundry room", "in der Waschküche", "die Waschküche"),
    ("balcony", "auf dem Balkon", "den Balkon"), ("terrace", "auf der Terrasse", "die Terrasse"),
    ("library", "in der Bibliothek", "die Bibliothek"),
    ("workshop", "in der Werkstatt", "die Werkstatt"),
    ("pantry", "in der Speisekammer", "die Speisekammer"),
    ("stairway", "im Treppenhaus", "das Treppenhaus"),
)  # fmt: skip
# accusative
LIGHTS = (
    ("light", "das Licht"), ("lights", "die Lichter"), ("lamp", "die Lampe"),
    ("ceiling light", "die Deckenlampe"), ("floor lamp", "die Stehlampe"),
    ("desk lamp", "die Schreibtischlampe"), ("night light", "das Nachtlicht"),
)  # fmt: skip
# accusative
DEVICES = (
    ("fan", "den Ventilator"), ("heater", "die Heizung"), ("television", "den Fernseher"),
    ("radio", "das Radio"), ("coffee machine", "die Kaffeemaschine"),
    ("dishwasher", "die Spülmaschine"), ("washing machine", "die Waschmaschine"),
    ("dryer", "den Trockner"), ("oven", "den Backofen"), ("air conditioner", "die Klimaanlage"),
    ("humidifier", "den Luftbefeuchter"), ("speaker", "den Lautsprecher"),
    ("printer", "den Drucker"), ("computer", "den Computer"), ("alarm system", "die Alarmanlage"),
    ("sprinkler", "den Rasensprenger"), ("vacuum cleaner", "den Staubsauger"),
    ("projector", "den Beamer"), ("kettle", "den Wasserkocher"),
    ("electric blanket", "die Heizdecke"), ("water pump", "die Wasserpumpe"),
    ("camera", "die Kamera"),
)  # fmt: skip
COVERS = (
    ("blinds", "die Jalousien"), ("curtains", "die Vorhänge"), ("shutters", "die Rollläden"),
    ("window", "das Fenster"), ("garage door", "das Garagentor"), ("skylight", "das Dachfenster"),
    ("awning", "die Markise"), ("gate", "das Tor"),
)  # fmt: skip
DOORS = (
    ("front door", "die Haustür"), ("back door", "die Hintertür"), ("garden gate", "das Gartentor"),
    ("cellar door", "die Kellertür"),
)  # fmt: skip
COLORS = (
    ("red", "rot"), ("blue", "blau"), ("green", "grün"), ("yellow", "gelb"), ("orange", "orange"),
    ("purple", "lila"), ("white", "weiß"), ("pink", "rosa"), ("warm white", "warmweiß"),
    ("turquoise", "türkis"),
)  # fmt: skip
FOODS = (
    ("milk", "Milch"), ("bread", "Brot"), ("butter", "Butter"), ("cheese", "Käse"),
    ("eggs", "Eier"), ("apples", "Äpfel"), ("bananas", "Bananen"), ("coffee", "Kaffee"),
    ("tea", "Tee"), ("sugar", "Zucker"), ("salt", "Salz"), ("rice", "Reis"), ("noodles", "Nudeln"),
    ("tomatoes", "Tomaten"), ("potatoes", "Kartoffeln"), ("onions", "Zwiebeln"),
    ("garlic", "Knoblauch"), ("chicken", "Hähnchen"), ("fish", "Fisch"),
    ("orange juice", "Orangensaft"), ("chocolate", "Schokolade"), ("honey", "Honig"),
    ("toilet paper", "Toilettenpapier"), ("soap", "Seife"), ("cat food", "Katzenfutter"),
    ("carrots", "Karotten"), ("strawberries", "Erdbeeren"), ("yogurt", "Joghurt"),
    ("flour", "Mehl"), ("olive oil", "Olivenöl"),
)  # fmt: skip
TIMERS = (
    ("pizza", "Pizza"), ("pasta", "Nudel"), ("egg", "Eier"), ("tea", "Tee"), ("cake", "Kuchen"),
    ("laundry", "Wäsche"),
)  # fmt: skip
MUSIC = (
    ("jazz", "Jazz"), ("rock music", "Rockmusik"), ("classical music", "klassische Musik"),
    ("my favorite songs", "meine Lieblingslieder"), ("the news", "die Nachrichten"),
    ("some quiet music", "etwas ruhige Musik"), ("an audio book", "ein Hörbuch"),
    ("christmas songs", "Weihnachtslieder"), ("piano music", "Klaviermusik"),
    ("the weather report", "den Wetterbericht"),
)  # fmt: skip
DAYS = (
    ("Monday", "Montag"), ("Tuesday", "Dienstag"), ("Wednesday", "Mittwoch"),
    ("Thursday", "Donnerstag"), ("Friday", "Freitag"), ("Saturday", "Samstag"),
    ("Sunday", "Sonntag"),
)  # fmt: skip
MONTHS = (
    ("January", "Januar"), ("February", "Februar"), ("March", "März"), ("April", "April"),
    ("May", "Mai"), ("June", "Juni"), ("July", "Juli"), ("August", "August"),
    ("September", "September"), ("October", "Oktober"), ("November", "November"),
    ("December", "Dezember"),
)  # fmt: skip
CITIES = (
    ("London", "London"), ("Berlin", "Berlin"), ("Paris", "Paris"), ("Vienna", "Wien"),
    ("Munich", "München"), ("Boston", "Boston"), ("Hamburg", "Hamburg"), ("Chicago", "Chicago"),
    ("Rome", "Rom"), ("Zurich", "Zürich"), ("Madrid", "Madrid"), ("Oslo", "Oslo"),
)  # fmt: skip
# infinitive
TASKS = (
    ("call my mother", "meine Mutter anzurufen"), ("water the plants", "die Pflanzen zu gießen"),
    ("take out the trash", "den Müll rauszubringen"), ("feed the cat", "die Katze zu füttern"),
    ("walk the dog", "mit dem Hund rauszugehen"), ("pay the rent", "die Miete zu bezahlen"),
    ("buy a birthday present", "ein Geburtstagsgeschenk zu kaufen"),
    ("take my medicine", "meine Medizin zu nehmen"), ("clean the windows", "die Fenster zu putzen"),
    ("book a table", "einen Tisch zu reservieren"), ("charge the car", "das Auto zu laden"),
    ("write a letter", "einen Brief zu schreiben"), ("lock the door", "die Tür abzuschließen"),
    ("bake a cake", "einen Kuchen zu backen"),
    ("empty the dishwasher", "die Spülmaschine auszuräumen"),
    ("answer the mail", "die Post zu beantworten"),
)  # fmt: skip
PEOPLE = (
    ("my sister", "meine Schwester"), ("my brother", "mein Bruder"), ("my father", "mein Vater"),
    ("my mother", "meine Mutter"), ("our neighbor", "unser Nachbar"),
    ("the teacher", "die Lehrerin"), ("the doctor", "der Arzt"),
    ("my grandmother", "meine Großmutter"), ("my best friend", "mein bester Freund"),
    ("the old man", "der alte Mann"), ("the little girl", "das kleine Mädchen"), ("Anna", "Anna"),
    ("Peter", "Peter"), ("Julia", "Julia"), ("Martin", "Martin"), ("Sophie", "Sophie"),
    ("Thomas", "Thomas"), ("Laura", "Laura"), ("Daniel", "Daniel"), ("Emma", "Emma"),
)  # fmt: skip
# past tense; the German auxiliary comes first
ACTIONS = (
    ("bought a new bicycle", "hat ein neues Fahrrad gekauft"),
    ("wrote a long letter", "hat einen langen Brief geschrieben"),
    ("cooked a delicious soup", "hat eine leckere Suppe gekocht"),
    ("read an interesting book", "hat ein interessantes Buch gelesen"),
    ("found a small key", "hat einen kleinen Schlüssel gefunden"),
    ("painted the wall green", "hat die Wand grün gestrichen"),
    ("visited the museum", "hat das Museum besucht"),
    ("repaired the broken clock", "hat die kaputte Uhr repariert"),
    ("lost the red umbrella", "hat den roten Regenschirm verloren"),
    ("played the guitar", "hat Gitarre gespielt"),
    ("planted three trees", "hat drei Bäume gepflanzt"),
    ("watched an old movie", "hat einen alten Film gesehen"),
    ("went to the market", "ist zum Markt gegangen"), ("drove to the lake", "ist zum See gefahren"),
    ("swam in the cold river", "ist im kalten Fluss geschwommen"),
    ("walked through the forest", "ist durch den Wald gelaufen"),
    ("told a funny story", "hat eine lustige Geschichte erzählt"),
    ("learned a new language", "hat eine neue Sprache gelernt"),
    ("forgot the appointment", "hat den Termin vergessen"),
    ("sold the old car", "hat das alte Auto verkauft"),
    ("took the early train", "hat den frühen Zug genommen"),
    ("opened a small shop", "hat einen kleinen Laden eröffnet"),
    ("cleaned the whole house", "hat das ganze Haus geputzt"),
    ("drank a cup of hot tea", "hat eine Tasse heißen Tee getrunken"),
    ("baked fresh bread", "hat frisches Brot gebacken"),
    ("heard a strange noise", "hat ein seltsames Geräusch gehört"),
    ("sent us a postcard", "hat uns eine Postkarte geschickt"),
    ("won the first prize", "hat den ersten Preis gewonnen"),
)  # fmt: skip
WHEN = (
    ("yesterday", "gestern"), ("last week", "letzte Woche"), ("this morning", "heute Morgen"),
    ("in the evening", "am Abend"), ("on the weekend", "am Wochenende"),
    ("two days ago", "vor zwei Tagen"), ("last summer", "letzten Sommer"), ("at noon", "am Mittag"),
    ("before breakfast", "vor dem Frühstück"), ("after work", "nach der Arbeit"),
    ("during the holidays", "in den Ferien"),
)  # fmt: skip
BECAUSE = (
    ("because the weather was beautiful", "weil das Wetter schön war"),
    ("because it was raining", "weil es geregnet hat"),
    ("although it was very late", "obwohl es sehr spät war"),
    ("while the children were sleeping", "während die Kinder geschlafen haben"),
    ("before the sun went down", "bevor die Sonne unterging"),
    ("after the storm was over", "nachdem der Sturm vorbei war"),
    ("because nobody was at home", "weil niemand zu Hause war"),
    ("when the snow began to fall", "als der Schnee zu fallen begann"),
)  # fmt: skip
STATES = (
    ("the house is quiet", "das Haus ist ruhig"),
    ("the water is too cold", "das Wasser ist zu kalt"),
    ("the train is late again", "der Zug hat wieder Verspätung"),
    ("the sky is gray today", "der Himmel ist heute grau"),
    ("the street is closed", "die Straße ist gesperrt"),
    ("the coffee tastes wonderful", "der Kaffee schmeckt wunderbar"),
    ("the garden needs more rain", "der Garten braucht mehr Regen"),
    ("the children are playing outside", "die Kinder spielen draußen"),
    ("the dog wants to go for a walk", "der Hund möchte spazieren gehen"),
    ("the meeting starts soon", "die Besprechung fängt bald an"),
    ("the battery is almost empty", "die Batterie ist fast leer"),
    ("the neighbors are very friendly", "die Nachbarn sind sehr freundlich"),
    ("the bridge is older than the church", "die Brücke ist älter als die Kirche"),
    ("the shop closes early", "der Laden schließt früh"),
)  # fmt: skip
FIXED = (
    ("Good night.", "Gute Nacht."), ("Good morning.", "Guten Morgen."),
    ("What time is it?", "Wie spät ist es?"), ("Stop.", "Stopp."),
    ("Stop the music.", "Stoppe die Musik."), ("Next song.", "Nächstes Lied."),
    ("Thank you very much.", "Vielen Dank."), ("Never mind.", "Schon gut."),
    ("Turn everything off.", "Schalte alles aus."),
    ("I am leaving home.", "Ich verlasse das Haus."), ("I am home.", "Ich bin zu Hause."),
    ("What is the date today?", "Welches Datum ist heute?"),
    ("Cancel the timer.", "Lösche den Timer."),
    ("Is the front door locked?", "Ist die Haustür abgeschlossen?"),
    ("How warm is it outside?", "Wie warm ist es draußen?"), ("Louder, please.", "Lauter, bitte."),
    ("Turn the volume down.", "Mach die Musik leiser."), ("Pause the movie.", "Halte den Film an."),
    ("Continue.", "Weiter."), ("Yes.", "Ja."), ("No.", "Nein."),
    ("Repeat that, please.", "Wiederhole das, bitte."),
    ("Tell me a joke.", "Erzähl mir einen Witz."), ("Where is my phone?", "Wo ist mein Telefon?"),
    ("Show me the camera.", "Zeig mir die Kamera."),
    ("Start movie night.", "Starte den Filmabend."), ("Is anyone at home?", "Ist jemand zu Hause?"),
    ("Who is at the door?", "Wer ist an der Tür?"), ("Call the police.", "Ruf die Polizei."),
    ("Help me, please.", "Hilf mir, bitte."),
)  # fmt: skip
