"""Five services, the pages, the sandbox and the console; each package owns one thing."""
