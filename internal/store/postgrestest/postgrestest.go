// Package postgrestest runs a PostgreSQL server for the tests of one process, where
// one is installed.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// errMissing is why tests are skipped.
var errMissing = errors.New("PostgreSQL is not installed: there is neither an initdb on the PATH nor one in /usr/lib/postgresql")

// server is started by the first test that wants a database.
var server = sync.OnceValues(start)

var (
	started atomic.Pointer[cluster]
	made    atomic.Int64
)

// cluster is a running server.
type cluster struct {
	bin, folder string
	credential  *syscall.Credential
}

// Run runs the tests of a package and then stops the server that they started, if
// they did. It is for TestMain, whose exit code it returns.
func Run(m *testing.M) int {
	code := m.Run()
	if c := started.Load(); c != nil {
		if err := errors.Join(c.command("pg_ctl", "-D", c.data(), "-m", "immediate", "stop").Run(), os.RemoveAll(c.folder)); err != nil {
			fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		}
	}
	return code
}

// Address makes an empty database and returns its address. Where PostgreSQL is not
// installed, the test is skipped.
func Address(t testing.TB) string {
	t.Helper()
	name := database(t)
	return started.Load().address(name)
}

// database makes an empty database and returns its name.
func database(t testing.TB) string {
	t.Helper()
	c, err := server()
	if errors.Is(err, errMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test%d", made.Add(1))
	if err := c.create(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return name
}

func (c *cluster) create(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, c.address("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+name)
	return errors.Join(err, conn.Close(ctx))
}

func (c *cluster) address(name string) string {
	return fmt.Sprintf("postgres:///%s?host=%s&user=slipway", name, c.folder)
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }

func (c *cluster) command(program string, args ...string) *exec.Cmd {
	command := exec.CommandContext(context.Background(), filepath.Join(c.bin, program), args...)
	command.Dir = c.folder
	command.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential}
	return command
}

// start makes a cluster in a new folder and starts its server, which answers on a
// socket in the folder alone. Its text sorts as English, as a managed database's
// does: nothing may depend on the order of bytes.
func start() (*cluster, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	c := &cluster{bin: bin}
	if c.folder, err = os.MkdirTemp("", "slipway-postgres-"); err != nil {
		return nil, err
	}
	if err := c.unprivileged(); err != nil {
		return nil, err
	}
	log := filepath.Join(c.folder, "log")
	for _, command := range []*exec.Cmd{
		c.command("initdb", "-D", c.data(), "-U", "slipway", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"),
		c.command("pg_ctl", "-D", c.data(), "-w", "-l", log, "-o", fmt.Sprintf("-k %s -h '' -c fsync=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=32MB", c.folder), "start"),
	} {
		if out, err := command.CombinedOutput(); err != nil {
			text, _ := os.ReadFile(log)
			return nil, fmt.Errorf("%s: %w\n%s%s", command, err, out, text)
		}
	}
	started.Store(c)
	return c, nil
}

// programs is the folder of the server's programs.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errMissing
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged gives the folder to a user that the server may run as: it refuses root.
func (c *cluster) unprivileged() error {
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	if err != nil {
		return err
	}
	c.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(c.folder, int(uid), int(gid))
}
