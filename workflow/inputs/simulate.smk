# Files that the simulation writes.
def simulated_files():
    """All files that the simulation writes."""
    from skyquilt.config.simulation import simulation_files

    folder = settings.simulation.folder
    files = simulation_files(settings.simulation).values()
    return [os.path.normpath(os.path.join(folder, file)) for file in files]
