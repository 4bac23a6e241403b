"""The console: the `groupbuy` command. It runs the whole system on one machine and operates it through the admin APIs.
It owns nothing but the processes it started and the directory var/.
It publishes and reads no events; it speaks HTTP, as an operator or as the people of the demo."""
