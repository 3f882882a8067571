"""The composition root's rooms, one a module, built in this order: `ground`, `entrance`, `decisions`, `web`.

Each is built once, of the rooms before it, and says which parts it has. What a room begins ends with the stack that the
builder is handed, in reverse order, over all rooms.
"""
