"""The streaming core: pure data in, data out. No asyncio, thread, clock, file or model here."""
