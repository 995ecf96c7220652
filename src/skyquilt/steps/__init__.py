"""One function per step: read products, call the layers below, write one product."""
