"""Where Cairn runs: `cloud` deploys it to AWS, `local` wires the same handlers on a laptop."""
