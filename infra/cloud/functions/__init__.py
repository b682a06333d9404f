"""The functions: the trigger, the settings and the permissions of each."""
