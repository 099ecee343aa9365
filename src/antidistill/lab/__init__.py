"""The lab: the trade of damage against visibility, measured on small real models in synthetic reasoning worlds.

Torch is loaded on the first run, not by this import.
"""
