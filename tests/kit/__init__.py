"""The tests' tools: real servers, databases, proxies, mail servers and browsers, and tables of test cases."""
