"""Text defenses: what they are, by name, and how they are applied."""

from antidistill.defenses.base import Defense, Editor
from antidistill.defenses.choices import key_id
from antidistill.defenses.front import edit, first_cut, from_spec, guard, make, name_of, spans, spec, spec_hash
from antidistill.defenses.mix import Mix, certificate

__all__ = [
    "Defense",
    "Editor",
    "Mix",
    "certificate",
    "edit",
    "first_cut",
    "from_spec",
    "guard",
    "key_id",
    "make",
    "name_of",
    "spans",
    "spec",
    "spec_hash",
]
