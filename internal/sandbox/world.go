package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/dataplane"
	"github.com/slipway-cd/slipway/internal/sandbox/gitserver"
	"github.com/slipway-cd/slipway/internal/sandbox/protocol"
	"github.com/slipway-cd/slipway/internal/sandbox/trail"
)

// closeTimeout is how long Close lets requests end.
const closeTimeout = 2 * time.Second

// World is a running sandbox.
type World struct {
	options    Options
	folder     *folder
	plane      *dataplane.Plane
	control    *controlplane.ControlPlane
	journal    *journal
	around     *around
	repository *gitserver.Repository
	server     *http.Server
	faults     faultControl
	endpoints  Endpoints

	cancel context.CancelFunc // ends work
	work   sync.WaitGroup
	close  func() error
}

// New opens the world in a folder, seeds it if it is new, and returns when it
// can be used. ctx bounds the opening alone: the world goes on until Close. The
// error says what to do: another process has the folder, an address is in use,
// the state cannot be read.
func New(ctx context.Context, options Options) (*World, error) {
	options, err := options.complete()
	if err != nil {
		return nil, err
	}
	w := &World{options: options}
	w.close = sync.OnceValue(w.shutDown)
	if w.folder, err = openFolder(options.Dir); err != nil {
		return nil, err
	}
	if err := w.open(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) open(ctx context.Context) error {
	if err := w.removeEndpoints(); err != nil { // a killed process left them
		return err
	}
	settings, err := w.folder.settings(w.options)
	if err != nil {
		return err
	}
	w.options.Strategies = settings.Strategies
	state, err := w.state(ctx)
	if err != nil {
		return err
	}
	if err := w.openPlane(ctx, settings.Addresses); err != nil {
		return err
	}
	if err := w.openControl(ctx, state); err != nil {
		return err
	}
	if err := w.plane.Settle(ctx); err != nil {
		return err
	}
	if err := w.serve(ctx, settings.Addresses); err != nil {
		return err
	}
	if w.options.Strategies && w.around.fresh {
		if err := w.seedStrategies(ctx); err != nil {
			return err
		}
	}
	if err := writeJSON(w.folder.file(settingsFile), settings); err != nil {
		return err
	}
	return w.faults.set(w.options.Faults)
}

// state reads the control plane's state, or seeds it.
func (w *World) state(ctx context.Context) ([]byte, error) {
	path := w.folder.file(stateFile)
	state, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return state, err
	}
	if state, err = seedState(ctx, w.options); err != nil {
		return nil, err
	}
	return state, writeFile(path, state)
}

// openRepository finds the deployment repository, or seeds it.
func (w *World) openRepository(ctx context.Context) (err error) {
	clusters := listed(seedClusters(w.options))
	w.repository, err = w.around.CodeCommit.Adopt(ctx, deploymentRepository, "What runs in "+clusters)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	for _, app := range seedApps(w.options) {
		files[app.id()+"/revision.json"] = app.revisionFile(w.options)
	}
	_, err = w.repository.Seed(ctx, seedAuthor(), "Add the apps of "+clusters+"\n", files)
	return err
}

// listed is names as a sentence lists them.
func listed(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// openPlane starts the load balancers, at the addresses that they had before.
func (w *World) openPlane(ctx context.Context, addresses map[string]string) error {
	w.plane = dataplane.New(dataplane.Options{TimeScale: w.options.TimeScale, Logger: w.options.Logger})
	if err := addTargetGroups(w.plane, w.options); err != nil {
		return err
	}
	w.endpoints.LoadBalancers, w.endpoints.Routing = map[string]string{}, map[string]Routing{}
	for _, app := range seedApps(w.options) {
		if app.protocol == "" {
			continue
		}
		if err := w.listen(ctx, app, addresses); err != nil {
			return err
		}
	}
	return nil
}

// atSameAddress listens where it was listened before, or on any port of
// loopback.
func atSameAddress[T any](before string, listen func(address string) (T, error)) (T, error) {
	if before != "" {
		if listener, err := listen(before); err == nil {
			return listener, nil
		}
	}
	return listen("127.0.0.1:0")
}

// openControl starts the control plane, which starts again what ran, and keeps
// its state on disk from now on.
func (w *World) openControl(ctx context.Context, state []byte) (err error) {
	if w.around, err = openAround(ctx, w.folder.file(servicesFile), w.options, w.plane); err != nil {
		return fmt.Errorf("%w: remove %s to begin anew", err, w.options.Dir)
	}
	w.control, err = controlplane.New(controlplane.Options{
		Region: w.options.Region, Account: w.options.Account, TimeScale: w.options.TimeScale,
		Runtime: w.plane, State: state, Logger: w.options.Logger,
		Functions: w.around.Lambda, Alarms: w.around.CloudWatch, Logs: w.around.Logs, Events: w.around.EventBridge,
	})
	if err != nil {
		return fmt.Errorf("%w: remove %s to begin anew", err, w.options.Dir)
	}
	w.journal = &journal{path: w.folder.file(stateFile), snapshot: w.control.Snapshot, logger: w.options.Logger}
	working, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.cancel = cancel
	w.work.Go(func() { w.journal.follow(working, w.control.Changed()) })
	w.control.SetLag(w.options.Lag)
	if err := w.openRepository(ctx); err != nil {
		return err
	}
	w.around.Start(w.control)
	w.work.Go(func() { w.around.journal.follow(working, w.around.Changed()) })
	return nil
}

// serve starts the address of the AWS API, the git server and the controls.
func (w *World) serve(ctx context.Context, addresses map[string]string) error {
	const name = "aws"
	listen := func(address string) (net.Listener, error) {
		return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	}
	var listener net.Listener
	var err error
	if w.options.Listen != "" {
		listener, err = listen(w.options.Listen)
	} else {
		listener, err = atSameAddress(addresses[name], listen)
	}
	if err != nil {
		return fmt.Errorf("start the AWS API: %w", err)
	}
	mux := http.NewServeMux()
	api := w.around.handlers()
	api[controlplane.TargetPrefix] = w.journal.before(w.control.Handler())
	if w.options.Rates > 0 {
		api[controlplane.TargetPrefix] = controlplane.Throttle(api[controlplane.TargetPrefix], w.options.Rates*w.options.TimeScale)
	}
	mux.Handle("/", protocol.Translate(trail.Handler(awsjson.Faults(api, w.faults.ask), w.options.Calls)))
	mux.Handle("/control/schedules", w.around)
	mux.HandleFunc("/control/events", w.around.EventBridge.Control)
	mux.Handle("/v1/repos/", w.around.git(w.around.CodeCommit))
	mux.Handle("/"+repositoryFolder+"/", w.around.git(w.repository))
	mux.Handle("/control/faults", &w.faults)
	w.server = &http.Server{
		Handler: noBrowsers(mux), ReadHeaderTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(w.options.Logger.Handler(), slog.LevelDebug),
	}
	addresses[name] = listener.Addr().String()
	w.endpoints.AWS = "http://" + addresses[name]
	w.around.Serve(w.endpoints.AWS)
	w.work.Go(func() { _ = w.server.Serve(listener) }) // always an error: it was closed
	w.endpoints.Repository = w.endpoints.AWS + "/" + repositoryFolder
	return nil
}

// OnPush has f called for each ref of the deployment repository that a push or a
// commit through CodeCommit changed, before it returns: f must be quick.
func (w *World) OnPush(f func()) {
	w.repository.OnPush(func(gitserver.Update) { f() })
}

// RepositoryPath is the folder of the bare deployment repository, for those who
// read it directly.
func (w *World) RepositoryPath() string { return w.repository.Path() }

// Faults returns what goes wrong at present.
func (w *World) Faults() Faults { return w.faults.get() }

// SetFaults changes what goes wrong from now on. The error says which share is
// out of range.
func (w *World) SetFaults(faults Faults) error { return w.faults.set(faults) }

// Close ends the world: requests may end, tasks and load balancers stop, the
// state is saved, EndpointsFile is removed. Nothing of it runs afterwards. A
// second call returns what the first did.
func (w *World) Close() error { return w.close() }

func (w *World) shutDown() error {
	errs := []error{w.removeEndpoints()}
	if w.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if w.server.Shutdown(ctx) != nil {
			errs = append(errs, w.server.Close())
		}
	}
	if w.around != nil {
		w.around.Close()
	}
	if w.control != nil {
		w.control.Close()
		w.cancel()
		errs = append(errs, w.journal.saveNow(), w.around.journal.saveNow())
	}
	w.work.Wait()
	if w.plane != nil {
		w.plane.Close()
	}
	return errors.Join(append(errs, w.folder.close())...)
}

// removeEndpoints says that the world is not, or no longer, ready.
func (w *World) removeEndpoints() error {
	err := os.Remove(filepath.Join(w.options.Dir, EndpointsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
