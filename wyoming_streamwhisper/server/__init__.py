"""The doors: protocols in front of `session`. Nothing a peer sends passes here unvalidated."""
