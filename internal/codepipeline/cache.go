package codepipeline

import (
	"sync"
	"time"

	"github.com/slipway-cd/slipway"
)

const (
	// structureFor is how long a pipeline's structure is taken for what it was.
	structureFor = 5 * time.Minute
	// listFor is how long an app's executions are shown again: people follow them,
	// and CodePipeline has no call for many pipelines.
	listFor = 2 * time.Second
	// most bounds each kind of what is kept; beyond, all of it is forgotten.
	most = 20_000
)

// cache is what need not be asked for again.
type cache struct {
	pipelines *kept[structure] // by app and name
	// listed are the newest executions of pipelines, by app, name and number.
	listed *kept[[]slipway.Execution]
	// ended are executions that have ended for good, by app and id.
	ended *kept[slipway.Execution]
	// revisions are what git says, by app and commit: it never changes.
	revisions *kept[slipway.Revision]
}

func newCache() cache {
	return cache{
		pipelines: &kept[structure]{last: structureFor}, listed: &kept[[]slipway.Execution]{last: listFor},
		ended: &kept[slipway.Execution]{}, revisions: &kept[slipway.Revision]{},
	}
}

// kept keeps values for a time; for good where last is zero. Who asks for one while
// another does asks for himself: both get an answer.
type kept[V any] struct {
	last time.Duration

	mu     sync.Mutex
	values map[string]dated[V]
}

type dated[V any] struct {
	value V
	at    time.Time
}

// get returns what is kept under a key, or else what ask answers. An error is not kept.
func (k *kept[V]) get(key string, ask func() (V, error)) (V, error) {
	if value, ok := k.peek(key); ok {
		return value, nil
	}
	value, err := ask()
	if err == nil {
		k.put(key, value)
	}
	return value, err
}

func (k *kept[V]) peek(key string) (V, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.values[key]
	return found.value, ok && (k.last == 0 || time.Since(found.at) < k.last)
}

func (k *kept[V]) put(key string, value V) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.values == nil || len(k.values) >= most {
		k.values = make(map[string]dated[V])
	}
	k.values[key] = dated[V]{value, time.Now()}
}

// forget forgets everything, after something was done.
func (k *kept[V]) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.values = nil
}
