"""Steps of the section `targets`: spectra of lists of targets."""
