"""What must hold of any database of ours, by area. `services/doctor.py` looks."""
