package target

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway"
)

func TestBudgetKeepsBelowECS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget()
		began := time.Now()
		var calls sync.WaitGroup
		for range 100 {
			calls.Go(func() {
				if err := b.wait(t.Context(), "RegisterTaskDefinition"); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		// ECS allows 20 at once and one each second: 16 at once and 0.8 each second here.
		if took, want := time.Since(began), 105*time.Second; took.Round(time.Second) != want {
			t.Errorf("100 registrations took %v, want %v", took, want)
		}
	})
}

func TestBudgetHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget()
		for range 16 {
			if err := b.wait(t.Context(), "RegisterTaskDefinition"); err != nil {
				t.Fatal(err)
			}
		}
		near, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := b.wait(near, "RegisterTaskDefinition")
		e, ok := errors.AsType[*slipway.Error](err)
		if !ok || e.Next != slipway.NextRetry || e.RetryAfter != 1250*time.Millisecond || !time.Now().Equal(began) {
			t.Errorf("with a deadline too near, got %v after %v", err, time.Since(began))
		}

		ended, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := b.wait(ended, "RegisterTaskDefinition"); !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("cancelled after 1 s, got %v after %v", err, time.Since(began))
		}
	})
}

func TestBudgetSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget()
		if got := b.spare(serviceRead); got != 0 {
			t.Errorf("unused, it holds back for %v", got)
		}
		for range 56 { // of 80, at 16 a second
			if err := b.wait(t.Context(), "DescribeServices"); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.spare(serviceRead); got != time.Second {
			t.Errorf("with 24 of 80 left it holds back for %v, want 1s", got)
		}
	})
}

func TestBudgetKnowsItsActions(t *testing.T) {
	if err := newBudget().wait(t.Context(), "DeleteCluster"); err == nil {
		t.Error("an action in no budget was let through")
	}
}

func TestBatcherGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sizes []int
		b := batcher[described]{most: batchSize, describe: func(_ context.Context, cluster string, names []string) (map[string]described, error) {
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, len(names))
			answers := map[string]described{}
			for _, name := range names {
				answers[name] = described{failure: cluster + "/" + name}
			}
			return answers, nil
		}}
		var waiters sync.WaitGroup
		for i := range 25 {
			for range 2 { // two ask for the same
				waiters.Go(func() {
					name := string(rune('a' + i))
					got, err := b.get(t.Context(), "shop", name)
					if err != nil || got.failure != "shop/"+name {
						t.Errorf("%s got %v, %v", name, got, err)
					}
				})
			}
		}
		waiters.Wait()
		total := 0
		for _, size := range sizes {
			total += size
		}
		if len(sizes) > 5 || total > 50 || total < 25 {
			t.Errorf("25 services went out in calls of %v", sizes)
		}
	})
}

// TestBatcherWaits: not once it is full, and else not long.
func TestBatcherWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batcher[described]{most: batchSize, describe: func(context.Context, string, []string) (map[string]described, error) { return nil, nil }}
		for _, tt := range []struct {
			services int
			want     time.Duration
		}{{batchSize - 1, gatherWindow}, {batchSize, 0}} {
			began := time.Now()
			var waiters sync.WaitGroup
			for i := range tt.services {
				waiters.Go(func() {
					if _, err := b.get(t.Context(), "shop", string(rune('a'+i))); err != nil {
						t.Error(err)
					}
				})
			}
			waiters.Wait()
			if took := time.Since(began); took != tt.want {
				t.Errorf("%d services waited %v, want %v", tt.services, took, tt.want)
			}
		}
	})
}

func TestBatcherLeavers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		ended := make(chan error, 2)
		b := batcher[described]{most: batchSize, describe: func(ctx context.Context, _ string, names []string) (map[string]described, error) {
			select {
			case <-release:
				ended <- nil
				return map[string]described{names[0]: {failure: "here"}}, nil
			case <-ctx.Done():
				ended <- ctx.Err()
				return nil, ctx.Err()
			}
		}}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var waiters sync.WaitGroup
		waiters.Go(func() {
			if _, err := b.get(impatient, "shop", "web"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one who left got %v", err)
			}
		})
		waiters.Go(func() {
			if got, err := b.get(t.Context(), "shop", "web"); err != nil || got.failure != "here" {
				t.Errorf("the one who stayed got %v, %v", got, err)
			}
		})
		time.AfterFunc(2*time.Second, func() { close(release) })
		waiters.Wait()
		if err := <-ended; err != nil {
			t.Errorf("the call ended with %v though somebody waited", err)
		}

		// When all have left, the call ends.
		release = make(chan struct{})
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.get(gone, "shop", "web"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the call that nobody waits for ended with %v", err)
		}
	})
}

// TestBatcherBadService: where ECS refuses a call because of one service, the
// others still get their answers.
func TestBatcherBadService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := &slipway.Error{Next: slipway.NextPerson, Message: "access denied"}
		calls := 0
		var mu sync.Mutex
		b := batcher[described]{most: batchSize, describe: func(_ context.Context, _ string, names []string) (map[string]described, error) {
			mu.Lock()
			defer mu.Unlock()
			calls++
			answers := map[string]described{}
			for _, name := range names {
				if name == "secret" {
					return nil, refused
				}
				answers[name] = described{service: &types.Service{}}
			}
			return answers, nil
		}}
		var waiters sync.WaitGroup
		for _, name := range []string{"web", "secret", "api"} {
			waiters.Go(func() {
				got, err := b.get(t.Context(), "shop", name)
				if (name == "secret") != errors.Is(err, refused) || (name == "secret") != (got.service == nil) {
					t.Errorf("%s got %v, %v", name, got, err)
				}
			})
		}
		waiters.Wait()
		if calls != 4 {
			t.Errorf("%d calls, want one for all and one for each", calls)
		}
	})
}
