"""The processes of one deployment: supervisor, servers, the writer of an embedded store."""
