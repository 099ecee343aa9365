"""What engines write on the wire, byte for byte: frames, and JSON whose untouched parts keep their bytes."""
