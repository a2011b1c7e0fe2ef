"""Speed and memory against their goals: `make bench`.

Speed is measured as ratios between servers in the same run, because seconds differ from machine to machine.
Correctness is not tested here, but no answer is counted that is not the expected one.
"""
