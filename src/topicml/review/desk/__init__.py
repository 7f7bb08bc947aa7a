"""What the review page works on: opened articles, answers, lists and trainings, without HTTP."""
