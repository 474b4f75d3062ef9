"""The harness stage: talk to the firmware, run inferences, measure, and refuse what cannot be trusted."""
