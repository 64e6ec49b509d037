"""监测: what the meters say now, provisional until the month closes; how well they say it; what is out of order."""
