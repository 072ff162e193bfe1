"""Which of several endpoints a call goes to, and which are left alone for a while; imported by need."""
