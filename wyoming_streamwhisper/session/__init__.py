"""Satellites, contexts and profiles: drives the core with the engine and knows no protocol."""
