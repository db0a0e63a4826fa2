TTL:              | 
Path ID 1         | 
Path ID 2         | 
