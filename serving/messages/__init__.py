"""Messages of the contract to values of the library and back, every field checked."""
