"""Speed and memory, measured on this machine by `make bench`. Nothing here passes or fails."""
