"""From a recipe and pictures to a trained model: schedules, augmentation, the loop, checkpoints, logs."""
