"""The validating webhook: rules that have to look at more than the object that is written."""
