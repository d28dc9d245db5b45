"""The pure core: plain data in, plain data out. No input or output, no clock, no logging."""
