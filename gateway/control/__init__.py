"""The control process: learns what there is to route to, probes it, and tells the workers."""
