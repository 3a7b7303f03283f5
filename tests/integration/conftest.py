"""What the API servers of all folders begin with."""

from fleet.testing.fixtures import etcd_data

__all__ = ["etcd_data"]
