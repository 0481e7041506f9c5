"""Makes the speech with which a model's short audio contexts are tried out.

    python -m tools.trial_speech

needs Debian's espeak-ng and flite. Synthetic voices may be given away and are small in the package;
they are weaker evidence than people, which `engine.evidence` takes into account.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import av
import numpy as np
import soxr

FOLDER = Path(__file__).parent.parent / "wyoming_streamwhisper" / "assets" / "trial"
BITS = 24_000
"""A second: Opus at this rate is clear for wide-band speech."""

SPOKEN = (
    ("en", "flite:slt", "Turn on the light in the living room."),
    ("en", "flite:rms", "What is the temperature in the kitchen?"),
    ("en", "flite:awb", "I think that the train is late today."),
    ("en", "espeak:en-us", "Our neighbor played the guitar last week."),
    ("en", "espeak:en-gb+f4", "Please put bread and milk on the shopping list."),
    ("en", "flite:kal16", "My sister has lost the red umbrella."),
    ("de", "espeak:de", "Schalte das Licht im Wohnzimmer ein."),
    ("de", "espeak:de+steph", "Wie warm ist es in der Küche?"),
    ("de", "espeak:de+m3", "Unser Nachbar hat eine leckere Suppe gekocht."),
    ("de", "espeak:de+linda", "Meine Schwester hat gestern den roten Regenschirm verloren."),
    ("de", "espeak:de+quincy", "Ich glaube, der Himmel ist heute grau."),
    ("de", "espeak:de+edward", "Setze Brot und Milch auf die Einkaufsliste."),
)


def speak(voice: str, text: str, file: Path) -> None:
    """Let a synthesizer write a WAV file."""
    engine, name = voice.split(":")
    if engine == "flite":
        command = ["flite", "-voice", name, "-t", text, "-o", str(file)]
    else:
        command = ["espeak-ng", "-v", name, "-s", "150", "-w", str(file), text]
    subprocess.run(command, check=True)


def compress(wave: Path, opus: Path) -> None:
    """Write a WAV file as Opus, mono."""
    with av.open(str(wave)) as file:
        rate = file.streams.audio[0].rate
        frames = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
    loud = soxr.resample(np.concatenate(frames).astype(np.float32), rate, 48_000)
    loud *= 0.5 / np.abs(loud).max()
    with av.open(str(opus), "w", format="ogg") as file:
        stream = file.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = BITS
        sound = av.AudioFrame.from_ndarray(loud[None], format="flt", layout="mono")
        sound.sample_rate = 48_000
        for packet in (*stream.encode(sound), *stream.encode(None)):
            file.mux(packet)


def main() -> None:
    """Write the files and their list."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    listed = []
    for number, (language, voice, text) in enumerate(SPOKEN):
        name = f"{language}-{number:02}.opus"
        with tempfile.TemporaryDirectory() as place:
            wave = Path(place) / "spoken.wav"
            speak(voice, text, wave)
            compress(wave, FOLDER / name)
        listed.append({"file": name, "language": language, "text": text, "voice": voice})
    text = json.dumps(listed, ensure_ascii=False, indent=1)
    (FOLDER / "clips.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
