"""Third floor: how good and how fast. Metrics, data sets, reports and benchmarks."""
