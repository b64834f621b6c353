"""What is timed: a module to each kind of engine, with the function ``open_workload(job)``."""
