"""Guards the reasoning of one response while it streams; knows texts and lanes, not wires."""
