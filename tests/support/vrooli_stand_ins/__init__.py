"""Stand-ins for Vrooli's own programs: they require what those require, and nothing more.

They run in the image of the reference server, which has Python and the clients of both databases.
The lines named in them are those of Vrooli/Vrooli at commit ed9369dbc.
"""
