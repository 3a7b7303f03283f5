"""What of the charts is generated: what they share, their values' schemas, tables and the CRDs."""
