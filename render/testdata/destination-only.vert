TTL:              | 1                 | 
Path ID 1         | 203.0.113.9       | 
