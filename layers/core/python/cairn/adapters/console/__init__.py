"""The console: server-rendered pages for operators. All that they show and do goes through the routes of /manage."""
