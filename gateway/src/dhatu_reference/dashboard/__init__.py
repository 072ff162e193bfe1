"""Shows how the platform is doing and how it is used."""
