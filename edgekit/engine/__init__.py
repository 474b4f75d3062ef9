"""The engine stage: an int8 graph becomes a schedule, a memory plan and C."""
