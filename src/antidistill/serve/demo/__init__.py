"""A scripted engine that replays traces in every dialect: for the demo, the tests and the benchmarks."""
