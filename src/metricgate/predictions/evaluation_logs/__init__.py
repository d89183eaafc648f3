"""Logs of evaluation tools, as they are: Inspect, lm-evaluation-harness, promptfoo, DeepEval.

Each reader returns one ``Answer`` for each answer that the log holds; ``question_table`` turns them into one row for
each question. The rest of the package sees rows alone.
"""
