"""What can be proved about a defense, and the game that turns measurements into a decision."""
