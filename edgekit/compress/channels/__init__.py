"""Which channels belong together, what they are worth, and models without some of them."""
