"""Long recordings: read as a stream, cut in pauses, decoded side by side, joined without a seam."""
