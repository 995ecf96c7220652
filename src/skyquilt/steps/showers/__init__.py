"""Steps of the verbs `skyquilt showers ...`."""
