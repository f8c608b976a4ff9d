//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// traffic is clients that call one URL without a pause.
type traffic struct {
	requests atomic.Int64
	failure  atomic.Pointer[error]
	done     chan struct{}
	stopOnce sync.Once
	clients  sync.WaitGroup
}

// trafficKey finds a script's traffic among its values.
type trafficKey struct{}

func startTraffic(url string) *traffic {
	t := &traffic{done: make(chan struct{})}
	for range 4 {
		t.clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for !t.stopped() {
				t.requests.Add(1)
				if err := get(client, url); err != nil && !t.stopped() {
					t.failure.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	return t
}

func (t *traffic) stopped() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

func (t *traffic) stop() {
	t.stopOnce.Do(func() { close(t.done) })
	t.clients.Wait()
}

func get(client *http.Client, url string) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return err
}

// trafficCommand is the script command.
//
//	traffic start URL: clients call URL without a pause
//	traffic stop: ends them; fails if a request failed, or none was made
func trafficCommand(ts *testscript.TestScript, neg bool, args []string) {
	running := ts.Value(trafficKey{}).(*scriptTraffic)
	switch {
	case !neg && len(args) == 2 && args[0] == "start" && running.traffic == nil:
		running.traffic = startTraffic(args[1])
		ts.Defer(running.stop)
	case !neg && len(args) == 1 && args[0] == "stop" && running.traffic != nil:
		running.stop()
		ts.Logf("%d requests", running.requests.Load())
		if failure := running.failure.Load(); failure != nil {
			ts.Fatalf("a request failed: %v", *failure)
		}
		if running.requests.Load() == 0 {
			ts.Fatalf("no request was made")
		}
	default:
		ts.Fatalf("usage: traffic start URL, then traffic stop")
	}
}

// scriptTraffic is a script's traffic, once it is started.
type scriptTraffic struct{ *traffic }
