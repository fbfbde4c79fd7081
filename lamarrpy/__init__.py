"""lamarrpy: the open flash simulation of the LHCb experiment."""
