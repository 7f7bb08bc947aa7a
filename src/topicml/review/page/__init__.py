"""The review page: what the browser is given, and the requests that it makes."""
