"""What runs a batch job: this machine, Ray, or whoever hands over Arrow tables."""
