TTL:              | 
