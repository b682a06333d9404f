"""The same wiring on a laptop: moto answers for AWS, a virtual clock for time, the real handlers do the work."""
