"""What could tell the removed text beside the reasoning itself: counts, errors, headers, options of requests."""
