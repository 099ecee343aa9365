"""A score of sentences from their text alone: no model of language, one pass, fit for a stream."""
