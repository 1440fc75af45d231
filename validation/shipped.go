package validation

// folderOf names the folder of the shipped tables that a system is compared
// with: its own, or else the H200's.
func folderOf(system string) string {
	if system == "h100_sxm" {
		return "h100"
	}
	return "h200"
}
