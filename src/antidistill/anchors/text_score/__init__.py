"""How much a sentence matters, told from the text alone."""
