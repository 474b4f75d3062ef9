"""Reports: what people read of a build, a bench run, a model."""
