"""What an account needs before the first deployment, and whether it has it. Pure: no calls.

`fsd bootstrap` makes the stack that this package writes, `fsd iam` prints its policies, and `fsd
doctor` judges what was observed by the checks that are here.
"""
