"""Weights packed in a stream, from which a kernel unpacks a block of channels at a time; see `engine.packings`."""
