"""The pages' views: each asks the routes of /manage, and chooses the template."""
