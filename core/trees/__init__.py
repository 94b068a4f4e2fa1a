"""Trees as a whole: measured, removed, copied, kept as snapshots or trash; never across a mount."""
