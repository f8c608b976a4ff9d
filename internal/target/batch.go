package target

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/slipway-cd/slipway"
)

const (
	// batchSize is how many services DescribeServices takes. API reference,
	// DescribeServices, services.
	batchSize = 10
	// recordBatch is how many service deployments, or service revisions, one call
	// describes. API reference, DescribeServiceDeployments, serviceDeploymentArns,
	// and DescribeServiceRevisions, serviceRevisionArns.
	recordBatch = 20
	// gatherWindow is how long a call waits for company: long enough for
	// goroutines that wake together, too short to be felt.
	gatherWindow = 5 * time.Millisecond
)

// batcher gathers requests for single things, made at about the same moment, into
// calls for many. One serves a region, role and endpoint.
type batcher[T any] struct {
	// most is how many one call describes.
	most int
	// describe describes some things, all of one cluster where their names say no
	// more than that. One without an entry is one that ECS said nothing about.
	describe func(ctx context.Context, cluster string, names []string) (map[string]T, error)

	mu   sync.Mutex
	open map[string]*batch[T] // by cluster
}

// batch is one call, gathering until it is detached from batcher.open.
type batch[T any] struct {
	cluster string
	names   []string
	full    chan struct{} // closed when it goes out before its window ends
	cancel  context.CancelFunc
	waiting int // under batcher.mu

	done    chan struct{} // closed when answers and err are set
	answers map[string]T
	err     error
}

// get describes one thing. An error of the call is that of this one: where
// a call of several is refused, each is asked for alone. When ctx ends it returns
// at once, and the call goes on for whoever else waits for it.
func (b *batcher[T]) get(ctx context.Context, cluster, name string) (T, error) {
	joined := b.join(ctx, cluster, name)
	select {
	case <-joined.done:
	case <-ctx.Done():
		b.leave(joined)
		var none T
		return none, context.Cause(ctx)
	}
	if slipway.NextOf(joined.err) == slipway.NextPerson && len(joined.names) > 1 && !isClusterMissing(joined.err) {
		alone, err := b.describe(ctx, cluster, []string{name})
		return alone[name], err
	}
	return joined.answers[name], joined.err
}

// join adds name to the cluster's open batch, and begins one where there is none.
func (b *batcher[T]) join(ctx context.Context, cluster, name string) *batch[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	joined := b.open[cluster]
	if joined == nil {
		// The call belongs to all who wait for it: it ends when the last has left.
		call, cancel := context.WithCancel(context.WithoutCancel(ctx))
		joined = &batch[T]{cluster: cluster, full: make(chan struct{}), cancel: cancel, done: make(chan struct{})}
		if b.open == nil {
			b.open = map[string]*batch[T]{}
		}
		b.open[cluster] = joined
		go b.run(call, joined)
	}
	joined.waiting++
	if !slices.Contains(joined.names, name) {
		joined.names = append(joined.names, name)
	}
	if len(joined.names) == b.most {
		delete(b.open, cluster)
		close(joined.full)
	}
	return joined
}

// leave takes one waiter off a batch.
func (b *batcher[T]) leave(left *batch[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left.waiting--
	if left.waiting > 0 {
		return
	}
	left.cancel()
	if b.open[left.cluster] == left {
		delete(b.open, left.cluster)
	}
}

// run makes the call once the batch is full or its window is over.
func (b *batcher[T]) run(ctx context.Context, gathered *batch[T]) {
	defer gathered.cancel()
	defer close(gathered.done)
	window := time.NewTimer(gatherWindow)
	defer window.Stop()
	select {
	case <-gathered.full:
	case <-window.C:
	case <-ctx.Done():
		gathered.err = ctx.Err()
		return
	}
	b.mu.Lock()
	if b.open[gathered.cluster] == gathered {
		delete(b.open, gathered.cluster)
	}
	b.mu.Unlock()
	// Nobody joins a detached batch, so its names are read without the lock.
	gathered.answers, gathered.err = b.describe(ctx, gathered.cluster, gathered.names)
}
