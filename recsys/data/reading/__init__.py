"""From a retailer's files to a prepared data set: read, map, check, reject, report."""
