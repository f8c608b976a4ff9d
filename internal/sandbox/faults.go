package sandbox

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/awsjson"
)

// Faults are what goes wrong with requests to the ECS API. The shares are from
// 0 to 1, of all requests, and together at most 1; the zero value is an AWS
// without faults.
type Faults struct {
	// Throttled is the share that is answered ThrottlingException.
	Throttled float64 `json:"throttled"`
	// Failed is the share that is answered 500, ServerException.
	Failed float64 `json:"failed"`
	// Dropped is the share whose connection is closed without an answer: half of
	// them before anything was done, half after.
	Dropped float64 `json:"dropped"`
	// Lost is the share whose connection is closed after they had their effect.
	Lost float64 `json:"lost,omitempty"`
	// LatencyMs is how many milliseconds every request waits, at any time scale.
	LatencyMs int `json:"latencyMs"`
	// Actions are the only ones that this is about, like UpdateService; all if
	// empty.
	Actions []string `json:"actions,omitempty"`
}

// validate says what is out of range.
func (f Faults) validate() error {
	for name, share := range map[string]float64{"throttled": f.Throttled, "failed": f.Failed, "dropped": f.Dropped, "lost": f.Lost} {
		if share < 0 || share > 1 {
			return fmt.Errorf("the share %q is %v: it goes from 0 to 1", name, share)
		}
	}
	if sum := f.Throttled + f.Failed + f.Dropped + f.Lost; sum > 1 {
		return fmt.Errorf("the shares of faults are %v together: at most 1", sum)
	}
	if f.LatencyMs < 0 {
		return fmt.Errorf("the latency is %d ms: it cannot be negative", f.LatencyMs)
	}
	return nil
}

// draw is what happens to a request, given a random number from 0 to 1.
func (f Faults) draw(operation string, random float64) *awsjson.Fault {
	if len(f.Actions) > 0 && !slices.Contains(f.Actions, operation) {
		return nil
	}
	fault := &awsjson.Fault{}
	switch {
	case random < f.Throttled:
		fault = awsjson.Throttled()
	case random < f.Throttled+f.Failed:
		fault.Err = &awsjson.Error{Code: "ServerException", Message: "Service Unavailable. Please try again later.", Status: http.StatusInternalServerError}
	case random < f.Throttled+f.Failed+f.Dropped:
		fault = awsjson.Dropped(random >= f.Throttled+f.Failed+f.Dropped/2)
	case random < f.Throttled+f.Failed+f.Dropped+f.Lost:
		fault = awsjson.Dropped(true)
	}
	fault.Delay = time.Duration(f.LatencyMs) * time.Millisecond
	return fault
}

// faultControl holds the faults of a world, and serves them for reading and
// writing.
type faultControl struct {
	mu     sync.Mutex
	faults Faults
}

func (c *faultControl) get() Faults {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.faults
}

func (c *faultControl) set(faults Faults) error {
	if err := faults.validate(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = faults
	return nil
}

// ask is what awsjson.Faults asks.
func (c *faultControl) ask(operation string) *awsjson.Fault {
	return c.get().draw(operation, rand.Float64())
}

// ServeHTTP answers GET and PUT with the faults that apply from now on. What a
// PUT leaves out is zero.
func (c *faultControl) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut:
		var faults Faults
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&faults)
		if err == nil {
			err = c.set(faults)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		w.Header().Set("Allow", "GET, PUT")
		http.Error(w, "use GET or PUT", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c.get()) // the client may be gone
}
