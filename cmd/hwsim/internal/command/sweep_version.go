package command

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// codeVersion identifies the code of this program: the commit that it was built from,
// or where that is not known, or not all of it, a hash of the program itself.
func codeVersion() (string, error) {
	if b := builtFrom(); b.revision != "" && !b.modified {
		return b.revision, nil
	}
	return programHash()
}

func programHash() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hash this program: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("hash this program: %w", err)
	}
	return "program " + hex.EncodeToString(sum.Sum(nil))[:16], nil
}
