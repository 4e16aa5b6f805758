"""How fast, beside a peer or the physical limit measured in the same run: `python -m crossmedia.eval.bench.NAME`."""
