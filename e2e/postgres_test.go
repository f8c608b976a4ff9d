//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/slipway-cd/slipway"
	"github.com/slipway-cd/slipway/internal/store/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Run(m)) }

// replicas are two controllers on one database in PostgreSQL.
type replicas struct {
	*system
	database  string
	addresses [2]string
	running   [2]*process
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	r := &replicas{database: postgrestest.Address(t), system: newSystem(t, "200")}
	_, second, err := freeAddresses()
	if err != nil {
		t.Fatal(err)
	}
	r.addresses = [2]string{r.server, second}
	for i := range r.running {
		r.run(i)
	}
	return r
}

// run starts a replica, and waits until requests to it are answered.
func (r *replicas) run(i int) {
	r.tb.Helper()
	r.running[i] = r.start("serve", "--database", r.database, "--poll", "20ms", "--listen", r.addresses[i])
	r.await("replica "+r.addresses[i], func() error { return get(http.DefaultClient, "http://"+r.addresses[i]+"/readyz") })
}

// ask runs a command on replica i.
func (r *replicas) ask(i int, args ...string) ([]byte, error) {
	return r.slipway(append(args, "--server", "http://"+r.addresses[i])...)
}

// Whichever replica dies, whenever that is, the other one goes on: every commit is
// deployed, each with one task definition and one deployment.
func TestReplicaDies(t *testing.T) {
	const kills = 6
	r := newReplicas(t)
	app := slipway.App{Cluster: "cluster1", Name: "service1"}
	for i := range kills {
		image := fmt.Sprintf("111122223333.dkr.ecr.eu-west-1.amazonaws.com/service1:2.0.%d", i)
		if _, err := r.slipway("deploy", app.String(), "--image", image); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(i*13) * time.Millisecond) //nolint:forbidigo // any moment will do
		dies, lives := i%2, 1-i%2
		r.running[dies].kill()
		died := time.Now()
		r.await("the other one to take over", func() error { return get(http.DefaultClient, "http://"+r.addresses[lives]+"/readyz") })
		t.Logf("took over after %s", time.Since(died).Round(time.Millisecond))
		r.server = r.addresses[lives]
		r.await("the deployment of "+image, func() error { return r.deployed(lives, app, image) })
		r.run(dies)
	}
	r.once(app, kills)
}

// Both replicas answer, whoever conducts; a database that ends the conductor's session,
// as one that fails over does, has the other one take over, and loses nothing.
func TestReplicaLosesTheLock(t *testing.T) {
	r := newReplicas(t)
	app := slipway.App{Cluster: "cluster1", Name: "service1"}
	for i := range 4 {
		image := fmt.Sprintf("111122223333.dkr.ecr.eu-west-1.amazonaws.com/service1:3.0.%d", i)
		if _, err := r.slipway("deploy", app.String(), "--image", image); err != nil {
			t.Fatal(err)
		}
		r.terminate()
		r.await("the deployment of "+image, func() error { return r.deployed(i%2, app, image) })
	}
	r.once(app, 4)
	// A command to each: one of them stands by.
	for i := range r.running {
		if out, err := r.ask(i, "start", app.String(), "--wait"); err != nil || !strings.Contains(string(out), "unchanged") {
			t.Errorf("replica %d started %s, %v", i, out, err)
		}
	}
	r.once(app, 4)
	lost := strings.Count(r.running[0].output.String()+r.running[1].output.String(), "lock was lost")
	if lost == 0 {
		t.Error("nobody lost the lock")
	}
}

func (r *replicas) deployed(i int, app slipway.App, image string) error {
	s := *r.system
	s.env = append(s.env, "SLIPWAY_SERVER=http://"+r.addresses[i])
	return deployed(&s, app, image)
}

// terminate ends every session of the database.
func (r *replicas) terminate() {
	r.tb.Helper()
	conn, err := pgx.Connect(r.tb.Context(), r.database)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(r.tb.Context())) }()
	ended, err := conn.Exec(r.tb.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil || ended.RowsAffected() == 0 {
		r.tb.Fatalf("ended %s, %v", ended, err)
	}
}
