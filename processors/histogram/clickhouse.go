package histogram
