"""The measurements of docs/benchmarks.md, as `./dev bench` runs them (`python -m bench`)."""
