"""Private servers and processes on this machine: everything the local system starts, it also finds again and ends."""
