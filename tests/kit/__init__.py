"""What tests work with: real servers, databases, proxies, mail servers and browsers, and tables that tests go through."""
