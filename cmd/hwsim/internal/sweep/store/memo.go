package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// A Memo is a folder of values by key. Its zero value forgets everything.
type Memo struct{ dir string }

// OpenMemo returns the memo in a folder, which need not be there.
func OpenMemo(dir string) (Memo, error) {
	if dir == "" {
		return Memo{}, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return Memo{}, &UserError{err.Error()}
	}
	return Memo{dir}, nil
}

// entry is a file's content. The key tells a file that was moved.
type entry struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// fanout is how many digits of a key name a folder, so that none gets too large.
const fanout = 2

func (m Memo) path(key string) string {
	return filepath.Join(m.dir, key[:fanout], key[fanout:]+".json")
}

// Get reads the value of a key, if it is known.
func (m Memo) Get(key string, value any) bool {
	if m.dir == "" {
		return false
	}
	text, err := os.ReadFile(m.path(key))
	if err != nil {
		return false
	}
	var e entry
	return decode(text, &e) == nil && e.Key == key && decode(e.Value, value) == nil
}

// Put keeps the value of a key.
func (m Memo) Put(key string, value any) error {
	if m.dir == "" {
		return nil
	}
	v, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("memo: %w", err)
	}
	text, err := json.Marshal(entry{key, v})
	if err != nil {
		return fmt.Errorf("memo: %w", err)
	}
	path := m.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("memo: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "new-*")
	if err != nil {
		return fmt.Errorf("memo: %w", err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("memo: %w", err)
	}
	return nil
}
