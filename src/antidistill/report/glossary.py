"""What each metric and detector looks at, in a few words. A name that is missing here is shown without an explanation."""

METRICS = {
    "perplexity": "change of perplexity under a language model",
    "tfidf": "distance of word and word-pair counts",
    "semantic": "distance in meaning",
    "tokens": "change in length",
    "judge": "change of the coherence that a language model rates",
}

DETECTORS = {
    "length": "how long the trace is",
    "marker-rate": "how many sentences open with Wait, Hmm or the like",
    "marker-gaps": "where the marker sentences stand",
    "repetition": "what the trace says again",
    "tfidf": "words and word pairs",
    "char-ngrams": "runs of characters",
    "seam-words": "words at the borders of sentences",
    "features": "all simple features together",
    "embeddings": "meaning of the sentences",
    "perplexity": "how predictable the text is",
    "seam-surprise": "how unexpected each sentence begins",
    "boosting": "all of these together",
}
