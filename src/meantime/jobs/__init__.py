"""Jobs: a durable queue, a pool of runner threads, and every result kept. Knows neither surveys nor HTTP."""
