"""The paper's 34 tasks: a catalogue, and how their data is fetched."""
