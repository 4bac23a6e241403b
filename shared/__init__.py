"""What the services share: contracts, messaging, and the small tools that every process needs."""
