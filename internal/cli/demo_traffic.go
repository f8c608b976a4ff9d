package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"
)

// demoTraffic is what the clients saw.
type demoTraffic struct {
	Requests int `json:"requests"`
	Failed   int `json:"failed"`
}

// demoClients call at the same time, each one again as soon as it is answered.
const demoClients = 4

// traffic is clients that call one URL without a pause.
type traffic struct {
	url    string
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	seen   demoTraffic
	failed error  // of the first request that failed
	answer string // the latest
	// versions counts the answers by the version that gave them.
	versions map[string]int
}

func startTraffic(ctx context.Context, url string) *traffic {
	ctx, cancel := context.WithCancel(ctx)
	t := &traffic{url: url, cancel: cancel, versions: make(map[string]int)}
	for range demoClients {
		t.ended.Go(func() { t.call(ctx) })
	}
	return t
}

// stop ends the clients; a request under way is not counted. It may be called
// again.
func (t *traffic) stop() {
	t.cancel()
	t.ended.Wait()
}

func (t *traffic) count() demoTraffic {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

func (t *traffic) firstError() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// call calls until ctx ends.
func (t *traffic) call(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		answer, err := get(ctx, client, t.url)
		if ctx.Err() != nil {
			return
		}
		t.record(answer, err)
		if wait(ctx, 2*time.Millisecond) != nil {
			return
		}
	}
}

func (t *traffic) record(answer string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen.Requests++
	if err != nil {
		t.seen.Failed++
		if t.failed == nil {
			t.failed = err
		}
		return
	}
	t.answer = answer
	t.versions[versionOf(answer)]++
}

// versionOf is the version in an answer like "webapp1 1.4.2 task 0123…".
func versionOf(answer string) string {
	if words := strings.Fields(answer); len(words) > 1 {
		return words[1]
	}
	return ""
}

// version waits for an answer and returns the version that gave it.
func (t *traffic) version(ctx context.Context) (string, error) {
	for {
		t.mu.Lock()
		answer := t.answer
		t.mu.Unlock()
		if answer != "" {
			return versionOf(answer), nil
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return "", err
		}
	}
}

// share waits for so many answers and returns how many of them a version gave.
func (t *traffic) share(ctx context.Context, version string, answers int) (int, error) {
	count := func() (of, all int) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.versions[version], t.seen.Requests - t.seen.Failed
	}
	ofBefore, before := count()
	for {
		of, all := count()
		if all-before >= answers {
			// A few more may have come in meanwhile.
			return int(math.Round(float64(of-ofBefore) * float64(answers) / float64(all-before))), nil
		}
		if err := wait(ctx, 2*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// sees waits until clients are answered by version.
func (t *traffic) sees(ctx context.Context, version string) error {
	for {
		t.mu.Lock()
		answer := t.answer
		t.mu.Unlock()
		if strings.Contains(answer, " "+version+" ") {
			return nil
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("clients see %q, not version %s: %w", strings.TrimSpace(answer), version, err)
		}
	}
}

// get returns what url answers; anything but 200 is an error.
func get(ctx context.Context, client *http.Client, url string) (answer string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	return string(body), err
}
