"""What every black-box test shares: a raw connection, a server process and a way to count.

Nothing here knows how Pawl works inside; it speaks HTTP, starts `pawl` as a child and reads files.
"""
