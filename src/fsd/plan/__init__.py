"""(Desired, Observed) → Plan. Pure: the planner makes no call."""
