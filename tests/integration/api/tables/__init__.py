"""What the API server says to KubeFleet's kinds: objects and changes that it takes or refuses."""
