"""What every technique stands on: settings, recipes, the training loop, checkpoints, costs."""
