"""Steps of models: linked parameters over time bins, data sets and sources."""
