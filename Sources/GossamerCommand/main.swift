print("gossamer")
