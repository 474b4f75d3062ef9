"""The flatbuffer stage: Keras to full-integer TFLite, and an immutable view of the result."""
