"""The generation loop: caches, draws, where the reasoning ends."""
