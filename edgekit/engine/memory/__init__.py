"""Memory of a program: when each row lives, where it lies, and which schedule needs least of it."""
