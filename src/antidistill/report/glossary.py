"""What each metric and detector looks at, in a few words. A name that is missing here is shown without an explanation."""

METRICS = {
    "perplexity": "change of the perplexity under a proxy model",
    "tfidf": "cosine distance of words and word pairs, 0 to 1",
    "semantic": "distance of sentence embeddings",
    "tokens": "change in the number of tokens",
}

DETECTORS = {
    "length": "how long the reasoning is",
}
