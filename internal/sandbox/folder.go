package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// The files in a world's folder, beside EndpointsFile.
const (
	lockFile         = "lock"          // held while the world is open
	settingsFile     = "world.json"    // settings
	stateFile        = "ecs.json"      // the control plane's snapshot
	servicesFile     = "services.json" // that of the services around it
	repositoryFolder = deploymentRepository + ".git"
	functionsFolder  = "functions" // the code of Lambda's functions
)

// deploymentRepository is the name of the seeded CodeCommit repository.
const deploymentRepository = "deployment"

// settings are what a world keeps of how it was made.
type settings struct {
	Region  string `json:"region"`
	Account string `json:"account"`
	// Strategies: the world has the cluster of Options.Strategies.
	Strategies bool `json:"strategies,omitempty"`
	// Addresses are what was listened on, by name, to be used again.
	Addresses map[string]string `json:"addresses"`
}

// folder is a world's folder, locked.
type folder struct {
	path string
	lock *flock.Flock
}

// openFolder creates the folder if it is missing and locks it. The error says
// who has it.
func openFolder(path string) (*folder, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	f := &folder{path: path, lock: flock.New(filepath.Join(path, lockFile))}
	held, err := f.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the sandbox's folder: %w", err)
	}
	if !held {
		who := "another process"
		if pid, err := os.ReadFile(f.file(lockFile)); err == nil && len(pid) > 0 {
			who = "process " + strings.TrimSpace(string(pid))
		}
		return nil, fmt.Errorf("a sandbox runs in %s already (%s): stop it, or choose another folder", path, who)
	}
	// For those who ask who holds the lock; the lock does not depend on it.
	if err := os.WriteFile(f.file(lockFile), []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (f *folder) close() error { return f.lock.Unlock() }

// file is the path of a file in the folder.
func (f *folder) file(name string) string { return filepath.Join(f.path, name) }

// settings reads the settings, or makes them for a new world. The error says
// that the world was made with others.
func (f *folder) settings(o Options) (settings, error) {
	s := settings{Region: o.Region, Account: o.Account, Strategies: o.Strategies, Addresses: map[string]string{}}
	content, err := os.ReadFile(f.file(settingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return s, err
	}
	s.Strategies = false
	if err := json.Unmarshal(content, &s); err != nil {
		return s, fmt.Errorf("%s: %w: remove %s to begin anew", f.file(settingsFile), err, f.path)
	}
	if s.Region != o.Region || s.Account != o.Account {
		return s, fmt.Errorf("the sandbox in %s has region %s and account %s, not %s and %s: use those, or choose another folder",
			f.path, s.Region, s.Account, o.Region, o.Account)
	}
	if o.Strategies && !s.Strategies {
		return s, fmt.Errorf("the sandbox in %s was made without cluster3: remove %s to begin anew, or choose another folder", f.path, f.path)
	}
	if s.Addresses == nil {
		s.Addresses = map[string]string{}
	}
	return s, nil
}
