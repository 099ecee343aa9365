"""From cells to what is written: estimates, calibration, the files and the page."""
