"""Looking into Keras models and rebuilding them: copies, kernels, graphs of layers, batch normalization."""
