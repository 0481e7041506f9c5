"""The HTTP door: uploads, live WebSockets, health and figures. Needs the extra `http`."""
