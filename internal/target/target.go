package target

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipway-cd/slipway"
)

// AWS deploys to whatever an app is there. It may be used from many goroutines;
// one should be shared.
type AWS struct {
	service *ECS
	// others are the ways to deploy that are not ECS's own.
	others map[slipway.Kind]kind
}

// kind is a way to deploy. Its methods are called for places of that kind alone,
// and mean what those of AWS mean. One that pauses for people is a decider too.
type kind interface {
	Plan(ctx context.Context, d slipway.Deployment) (prepared slipway.Deployment, changes []slipway.FieldChange, err error)
	Advance(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error)
	Observe(ctx context.Context, d slipway.Deployment) (slipway.Observation, error)
	Rollback(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error)
	// Running is asked about places of unknown kind, too. One where nothing of this
	// kind runs has an Err that is slipway.ErrNoService.
	Running(ctx context.Context, places []slipway.Place) ([]slipway.Running, error)
}

// decider is a kind whose deployments pause for people.
type decider interface {
	Decide(ctx context.Context, d slipway.Deployment, decision slipway.Decision) (slipway.Decision, error)
}

// New returns a target that has called nobody yet.
func New(options Options) *AWS {
	service := NewECS(options)
	return &AWS{service: service, others: map[slipway.Kind]kind{
		slipway.KindCodeDeploy: newCodeDeploy(service), slipway.KindSchedule: &schedules{service},
	}}
}

// Advance takes the one step out of d.Phase; see ECS.Advance. The first step
// writes down in d.Place what kind of app it is.
func (a *AWS) Advance(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	if guess, ok := guessed(d); ok {
		next, err := a.service.Advance(ctx, guess)
		if err == nil {
			return next, nil
		}
		if !isOther(err) {
			return d, err
		}
	}
	found, err := a.find(ctx, d)
	if err != nil {
		return d, err
	}
	next, err := a.of(found).Advance(ctx, found)
	if err != nil {
		return d, err
	}
	return next, nil
}

// Plan says what a deployment would change, and writes nothing; see ECS.Plan.
func (a *AWS) Plan(ctx context.Context, d slipway.Deployment) (prepared slipway.Deployment, changes []slipway.FieldChange, err error) {
	if guess, ok := guessed(d); ok {
		if prepared, changes, err = a.service.Plan(ctx, guess); !isOther(err) {
			return prepared, changes, err
		}
	}
	found, err := a.find(ctx, d)
	if err != nil {
		return d, nil, err
	}
	return a.of(found).Plan(ctx, found)
}

// guessed takes a new app of unknown kind for a service, as most are: its first step
// finds out that it is none, so that a service costs no call more than it must.
func guessed(d slipway.Deployment) (slipway.Deployment, bool) {
	ok := d.Phase == slipway.PhaseNew && d.Place.Kind == slipway.KindAny && !d.TestRun
	d.Place.Kind = slipway.KindService
	return d, ok
}

// isOther reports whether an error says that a place is not a service of ECS's own.
func isOther(err error) bool {
	return errors.Is(err, errCodeDeploy) || errors.Is(err, slipway.ErrNoService)
}

// Observe says what became of d; see ECS.Observe.
func (a *AWS) Observe(ctx context.Context, d slipway.Deployment) (slipway.Observation, error) {
	return a.of(d).Observe(ctx, d)
}

// Rollback puts back what ran before; see ECS.Rollback.
func (a *AWS) Rollback(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	return a.of(d).Rollback(ctx, d)
}

// Decide tells AWS what a person decided about a pause; see ECS.Decide.
func (a *AWS) Decide(ctx context.Context, d slipway.Deployment, decision slipway.Decision) (slipway.Decision, error) {
	if pausing, ok := a.of(d).(decider); ok {
		return pausing.Decide(ctx, d, decision)
	}
	return decision, &slipway.Error{
		Next: slipway.NextPerson, Message: fmt.Sprintf("a deployment to %s %s waits for nobody", d.Place.Kind, d.Place.Service),
	}
}

// Retire deregisters task definitions that d's app does not need any more, of
// whatever kind it is; see ECS.Retire.
func (a *AWS) Retire(ctx context.Context, d slipway.Deployment, keep int, mine []string) ([]string, error) {
	return a.service.Retire(ctx, d, keep, mine)
}

// Running says what runs at each of some places, in their order. What cannot be
// said of one place is that one's Err; the error is that of ctx alone.
func (a *AWS) Running(ctx context.Context, places []slipway.Place) ([]slipway.Running, error) {
	all, err := a.look(ctx, places)
	running := make([]slipway.Running, len(all))
	for i := range all {
		running[i] = all[i].Running
	}
	return running, err
}

// Services says what each service of a place's cluster runs, ordered by name;
// the place's service does not matter. A service that Slipway cannot deploy to is
// there too, with an Err that says why.
func (a *AWS) Services(ctx context.Context, place slipway.Place) ([]slipway.Running, error) {
	places, err := a.service.places(ctx, place)
	if err != nil {
		return nil, err
	}
	return a.Running(ctx, places)
}

// of is the way to deploy d. A deployment without a kind was begun when there was
// but one.
func (a *AWS) of(d slipway.Deployment) kind {
	if other := a.others[d.Place.Kind]; other != nil {
		return other
	}
	return a.service
}

// find is d with its kind, which is found out where d is new and nobody said.
func (a *AWS) find(ctx context.Context, d slipway.Deployment) (slipway.Deployment, error) {
	if d.Phase != slipway.PhaseNew {
		return d, nil
	}
	if d.Place.Kind == slipway.KindAny {
		found, err := a.look(ctx, []slipway.Place{d.Place})
		if err != nil {
			return d, err
		}
		if slipway.NextOf(found[0].Err) == slipway.NextRetry {
			return d, found[0].Err
		}
		d.Place.Kind = found[0].kind
		if found[0].Err != nil {
			return d, nil // which the step itself will say
		}
	}
	if d.TestRun && d.Place.Kind != slipway.KindSchedule {
		return d, &slipway.Error{
			Next: slipway.NextUsage, Message: fmt.Sprintf("%s is a service, and a test run is for a batch app", d.Place.Service),
			Hint: "take testRun out of pipeline.yaml",
		}
	}
	return d, nil
}

// sight is what runs at a place, and what kind of app it is.
type sight struct {
	slipway.Running
	kind slipway.Kind
}

// look asks ECS about all places at once, and about those where it runs nothing
// that it deploys itself, the others: CodeDeploy where the service names it as its
// controller, and the schedules where there is no service.
func (a *AWS) look(ctx context.Context, places []slipway.Place) ([]sight, error) {
	seen := make([]sight, len(places))
	for _, step := range []struct {
		kind slipway.Kind
		asks func(slipway.Place, sight) bool
	}{
		{slipway.KindService, func(place slipway.Place, _ sight) bool {
			return place.Kind == slipway.KindAny || a.others[place.Kind] == nil
		}},
		{slipway.KindCodeDeploy, func(place slipway.Place, s sight) bool {
			return place.Kind == slipway.KindCodeDeploy || place.Kind == slipway.KindAny && errors.Is(s.Err, errCodeDeploy)
		}},
		{slipway.KindSchedule, func(place slipway.Place, s sight) bool {
			return place.Kind == slipway.KindSchedule || place.Kind == slipway.KindAny && errors.Is(s.Err, slipway.ErrNoService)
		}},
	} {
		by := a.others[step.kind]
		switch {
		case step.kind == slipway.KindService:
			by = a.service
		case by == nil:
			continue
		}
		var at []int
		var some []slipway.Place
		for i, place := range places {
			if step.asks(place, seen[i]) {
				at, some = append(at, i), append(some, place)
			}
		}
		if len(some) == 0 {
			continue
		}
		answers, err := by.Running(ctx, some)
		if err != nil {
			return seen, err
		}
		for n, i := range at {
			if seen[i].kind != slipway.KindAny && errors.Is(answers[n].Err, slipway.ErrNoService) {
				continue // nothing of this kind either: what ECS said stands
			}
			seen[i] = sight{Running: answers[n], kind: step.kind}
		}
	}
	return seen, nil
}
