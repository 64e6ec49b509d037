"""What was measured and what happened (计量): readings → intervals → quality → fill → activities.

reading → interval → quality → fill → activity; documents come in through `form`, files of readings through `reading_file`.
"""
