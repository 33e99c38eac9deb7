"""The frozen things that pass from stage to stage, and the folder store that keeps them."""
