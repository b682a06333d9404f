"""The pages behind the links of messages: plain HTML that needs no script, no cookie and no third party."""
