TTL:               | 1                  | 2                  | 
Path ID 1          | 2001:db8::1        | 2001:db8::2 !N     | 
Path ID 2          | 2001:db8::1        | 2001:db8::2 !X     | 
Path ID 3          | 2001:db8::1        | 2001:db8::2 !S     | 
Path ID 4          | 2001:db8::1        | 2001:db8::2 !H     | 
Path ID 5          | 2001:db8::1        | 2001:db8::2 !p     | 
Path ID 6          | 2001:db8::1        | 2001:db8::2 !X     | 
Path ID 7          | 2001:db8::1        | 2001:db8::2 !X     | 
Path ID 8          | 2001:db8::1        | 2001:db8::2 !<7>   | 
Path ID 9          | 2001:db8::1        | 2001:db8::2 !F     | 
Path ID 10         | 2001:db8::1        | 2001:db8::2 !<4-1> | 
