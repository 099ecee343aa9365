"""The wire dialects as data: where reasoning, answers, counts and seals stand, and which fields are known."""
